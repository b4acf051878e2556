/// A span of time in nanoseconds, some 292 years either way.
package struct CELDuration: Hashable, Comparable, Sendable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func < (left: CELDuration, right: CELDuration) -> Bool { left.nanoseconds < right.nanoseconds }

    static let perSecond: Int64 = 1_000_000_000

    /// nil if it does not fit.
    init?(seconds: Int64, nanoseconds: Int64) {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: Self.perSecond)
        let (sum, overflowOfSum) = whole.addingReportingOverflow(nanoseconds)
        if overflow || overflowOfSum { return nil }
        self.nanoseconds = sum
    }

    init?(wholeNanoseconds: Int128) {
        guard let nanoseconds = Int64(exactly: wholeNanoseconds) else { return nil }
        self.nanoseconds = nanoseconds
    }
}

extension CELDuration {
    /// Reads `1h30m`, `-1.5s`, `250ms`: decimal numbers with the units h, m, s, ms, us (µs) and ns, added up, after
    /// one optional sign (language definition, "Abstract types"; the form is that of Go's `time.ParseDuration`).
    package init?(text: String) {
        var bytes = Array(text.utf8)[...]
        var isNegative = false
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            bytes = bytes.dropFirst()
        }
        if bytes.elementsEqual("0".utf8) {
            self.init(nanoseconds: 0)
            return
        }
        guard !bytes.isEmpty else { return nil }
        var total: Int128 = 0
        while !bytes.isEmpty {
            guard let part = Self.takePart(&bytes) else { return nil }
            total += part
            if total > Int128(Int64.max) + 1 { return nil }
        }
        self.init(wholeNanoseconds: isNegative ? -total : total)
    }

    private static func takePart(_ bytes: inout ArraySlice<UInt8>) -> Int128? {
        var whole: Int128 = 0
        var digits = 0
        while let digit = bytes.first, (0x30...0x39).contains(digit) {
            whole = whole * 10 + Int128(digit - 0x30)
            if whole > Int128(Int64.max) { return nil }
            digits += 1
            bytes = bytes.dropFirst()
        }
        // A fraction is kept as a numerator over a power of ten; digits past the eighteenth are below a nanosecond.
        var numerator: Int128 = 0
        var denominator: Int128 = 1
        if bytes.first == UInt8(ascii: ".") {
            bytes = bytes.dropFirst()
            while let digit = bytes.first, (0x30...0x39).contains(digit) {
                if denominator < 1_000_000_000_000_000_000 {
                    numerator = numerator * 10 + Int128(digit - 0x30)
                    denominator *= 10
                }
                digits += 1
                bytes = bytes.dropFirst()
            }
        }
        guard digits > 0, let unit = takeUnit(&bytes) else { return nil }
        return whole * unit + numerator * unit / denominator
    }

    private static let units: [(name: [UInt8], nanoseconds: Int128)] = [
        (Array("ns".utf8), 1), (Array("us".utf8), 1_000), (Array("µs".utf8), 1_000), (Array("μs".utf8), 1_000),
        (Array("ms".utf8), 1_000_000), (Array("s".utf8), 1_000_000_000), (Array("m".utf8), 60_000_000_000),
        (Array("h".utf8), 3_600_000_000_000),
    ]

    private static func takeUnit(_ bytes: inout ArraySlice<UInt8>) -> Int128? {
        for unit in units where bytes.starts(with: unit.name) {
            bytes = bytes.dropFirst(unit.name.count)
            return unit.nanoseconds
        }
        return nil
    }
}

extension CELDuration: CustomStringConvertible {
    /// Seconds with as many fraction digits as needed: `5400s`, `-1.5s`.
    package var description: String {
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        return sign + String(magnitude / 1_000_000_000) + fractionText(Int(magnitude % 1_000_000_000)) + "s"
    }
}

/// `.5` for 500,000,000 nanoseconds, nothing for none.
func fractionText(_ nanoseconds: Int) -> String {
    guard nanoseconds != 0 else { return "" }
    var digits = String(nanoseconds)
    digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return "." + digits
}
