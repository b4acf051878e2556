/// Doubles as decimal texts.
enum DecimalText {
    /// The shortest digits that read back as the same double; with an exponent only from 1e21 and below 1e-6
    /// (the layout of ECMA-262, `Number::toString`).
    static func shortest(_ value: Double) -> String {
        if let special = special(value) { return special }
        let sign = value.sign == .minus ? "-" : ""
        if value == 0 { return sign + "0" }
        let (digits, point) = shortestDigits(value.magnitude)
        if (-5...21).contains(point) { return sign + plain(digits, point) }
        let fraction = digits.count > 1 ? "." + text(digits[1...]) : ""
        return sign + text(digits[..<1]) + fraction + "e" + (point > 0 ? "+" : "-") + String((point - 1).magnitude)
    }

    /// The same digits, never with an exponent.
    static func shortestPlain(_ value: Double) -> String {
        if let special = special(value) { return special }
        let sign = value.sign == .minus ? "-" : ""
        if value == 0 { return sign + "0" }
        let (digits, point) = shortestDigits(value.magnitude)
        return sign + plain(digits, point)
    }

    /// Exactly so many digits after the point, halves to the even digit.
    static func fixed(_ value: Double, fractionDigits: Int) -> String {
        if let special = special(value) { return special }
        var (digits, point) = exactDigits(value.magnitude)
        round(&digits, &point, keeping: point + fractionDigits)
        let sign = value.sign == .minus ? "-" : ""
        let whole = point > 0 ? text(digits[..<point]) : "0"
        guard fractionDigits > 0 else { return sign + whole }
        let zeros = String(repeating: "0", count: min(fractionDigits, max(0, -point)))
        let fraction = zeros + text(digits.dropFirst(max(0, point)))
        return sign + whole + "." + fraction + String(repeating: "0", count: fractionDigits - fraction.utf8.count)
    }

    /// One digit, exactly so many after the point, and an exponent of at least two digits.
    static func scientific(_ value: Double, fractionDigits: Int) -> String {
        if let special = special(value) { return special }
        let sign = value.sign == .minus ? "-" : ""
        if value == 0 {
            return sign + "0" + (fractionDigits > 0 ? "." + String(repeating: "0", count: fractionDigits) : "") + "e+00"
        }
        var (digits, point) = exactDigits(value.magnitude)
        round(&digits, &point, keeping: 1 + fractionDigits)
        // A carry out of the first digit has added one.
        let fraction = text(digits.dropFirst().prefix(fractionDigits))
        let filled = fraction + String(repeating: "0", count: fractionDigits - fraction.utf8.count)
        let exponent = point - 1
        return sign + text(digits[..<1]) + (fractionDigits > 0 ? "." + filled : "") + "e" + (exponent < 0 ? "-" : "+")
            + padded(Int(exponent.magnitude))
    }

    private static func special(_ value: Double) -> String? {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : nil
    }

    private static func text(_ digits: ArraySlice<UInt8>) -> String {
        String(decoding: digits.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
    }

    private static func plain(_ digits: [UInt8], _ point: Int) -> String {
        if point <= 0 { return "0." + String(repeating: "0", count: -point) + text(digits[...]) }
        if point >= digits.count { return text(digits[...]) + String(repeating: "0", count: point - digits.count) }
        return text(digits[..<point]) + "." + text(digits[point...])
    }

    /// The digits without leading and trailing zeros, and where the decimal point stands before, in or after them.
    private static func shortestDigits(_ value: Double) -> (digits: [UInt8], point: Int) {
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        let text = Array(value.description.utf8)
        for (index, byte) in text.enumerated() {
            if byte.isDigit {
                digits.append(byte - UInt8(ascii: "0"))
            } else if byte == UInt8(ascii: ".") {
                point = digits.count
            } else {
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                break
            }
        }
        var position = (point ?? digits.count) + exponent
        while digits.first == 0 {
            digits.removeFirst()
            position -= 1
        }
        while digits.last == 0 { digits.removeLast() }
        return (digits, position)
    }

    /// All digits of the double's exact value, by long multiplication; no leading zeros.
    private static func exactDigits(_ value: Double) -> (digits: [UInt8], point: Int) {
        guard value != 0 else { return ([], 0) }
        // value = significand * 2^exponent; a negative exponent is turned to 5^n over 10^n.
        let significand = value.isNormal ? value.significandBitPattern | 1 << 52 : value.significandBitPattern
        let exponent = (value.isNormal ? Int(value.exponentBitPattern) : 1) - 1_075
        var limbs: [UInt32] = []
        var rest = significand
        while rest > 0 {
            limbs.append(UInt32(rest % 1_000_000_000))
            rest /= 1_000_000_000
        }
        let factor: UInt64 = exponent < 0 ? 5 : 2
        for _ in 0..<Int(exponent.magnitude) { multiply(&limbs, by: factor) }
        var digits: [UInt8] = []
        for limb in limbs.reversed() {
            digits.append(contentsOf: padded(Int(limb), 9).utf8.map { $0 - UInt8(ascii: "0") })
        }
        let zeros = digits.prefix { $0 == 0 }.count
        digits.removeFirst(zeros)
        return (digits, digits.count - (exponent < 0 ? -exponent : 0))
    }

    /// Limbs in base 10^9, the lowest first.
    private static func multiply(_ limbs: inout [UInt32], by factor: UInt64) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = UInt64(limbs[index]) * factor + carry
            limbs[index] = UInt32(product % 1_000_000_000)
            carry = product / 1_000_000_000
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
    }

    /// Keeps the first so many digits; the point moves where rounding up adds a digit.
    private static func round(_ digits: inout [UInt8], _ point: inout Int, keeping count: Int) {
        guard count < digits.count else { return }
        guard count >= 0 else {
            digits = []
            return
        }
        let next = digits[count]
        let isTie = next == 5 && digits[(count + 1)...].allSatisfy { $0 == 0 }
        let isUp = next > 5 || (next == 5 && !isTie) || (isTie && count > 0 && digits[count - 1] % 2 == 1)
        digits.removeLast(digits.count - count)
        guard isUp else { return }
        var index = count - 1
        while index >= 0 {
            if digits[index] < 9 {
                digits[index] += 1
                return
            }
            digits[index] = 0
            index -= 1
        }
        digits.insert(1, at: 0)
        point += 1
    }
}
