extension Duration {
    /// The largest span a manifest may ask for: 100 years. Beyond lies a slip of the pen.
    package static let longest = Duration.seconds(100 * 366 * 86_400)

    // Largest first, which is also the order in which units may follow each other.
    private static let units: [(name: String, microseconds: Int64)] = [
        ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000),
        ("ms", 1_000), ("us", 1),
    ]

    /// Reads `90s`, `1h30m`, `3d`, `250ms`, `1.5h`: numbers with the units w, d, h, m, s, ms, us, each at most once
    /// and the larger first. Nil for anything else, for a sign, and beyond `longest`.
    package init?(text: String) {
        let bytes = Array(text.utf8)
        var position = 0
        var total: Int64 = 0
        var units = Self.units[...]
        guard !bytes.isEmpty else { return nil }
        while position < bytes.count {
            guard let number = Self.decimal(bytes, at: &position) else { return nil }
            let start = position
            while position < bytes.count, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[position]) {
                position += 1
            }
            let name = String(decoding: bytes[start..<position], as: UTF8.self)
            guard let index = units.firstIndex(where: { $0.name == name }) else { return nil }
            guard let amount = number.times(units[index].microseconds) else { return nil }
            let (sum, overflowed) = total.addingReportingOverflow(amount)
            guard !overflowed else { return nil }
            total = sum
            units = units[(index + 1)...]
        }
        guard total <= Self.longest.microseconds else { return nil }
        self = .microseconds(total)
    }

    /// A decimal number as whole part and fraction of at most six digits.
    private struct Decimal {
        var whole: Int64
        var millionths: Int64

        func times(_ unit: Int64) -> Int64? {
            let (product, overflowed) = whole.multipliedReportingOverflow(by: unit)
            // A week has 6e11 microseconds; times 1e6 this stays below the largest Int64.
            let (sum, carried) = product.addingReportingOverflow(millionths * unit / 1_000_000)
            return overflowed || carried ? nil : sum
        }
    }

    private static func decimal(_ bytes: [UInt8], at position: inout Int) -> Decimal? {
        var number = Decimal(whole: 0, millionths: 0)
        // The weight of the next digit behind the point, in millionths; nil before the point.
        var scale: Int64?
        var hasDigit = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "."), scale == nil, hasDigit {
                scale = 100_000
                hasDigit = false
            } else if byte.isDigit {
                let digit = Int64(byte - UInt8(ascii: "0"))
                if let weight = scale {
                    number.millionths += digit * weight
                    scale = weight / 10
                } else {
                    guard number.whole < 1_000_000_000_000_000 else { return nil }
                    number.whole = number.whole * 10 + digit
                }
                hasDigit = true
            } else {
                break
            }
            position += 1
        }
        return hasDigit ? number : nil
    }

    /// The shortest form with whole numbers, from days down: `1h30m`, `2d`, `250ms`, `0s`; a minus before a negative.
    package var text: String {
        var rest = microseconds.magnitude
        guard rest > 0 else { return "0s" }
        var text = microseconds < 0 ? "-" : ""
        for unit in Self.units.dropFirst() {
            let (count, remainder) = rest.quotientAndRemainder(dividingBy: unit.microseconds.magnitude)
            if count > 0 { text += "\(count)\(unit.name)" }
            rest = remainder
        }
        return text
    }

    /// Rounded towards zero; at the ends of Int64 beyond it.
    package var microseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        if overflowed || carried { return seconds < 0 ? .min : .max }
        return sum
    }
}
