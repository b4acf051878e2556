// The spellings that all writers share.

extension [UInt8] {
    /// Appends a string in quotes with the escapes of RFC 8785, section 3.2.2.2: only what must be escaped,
    /// in its short form where there is one.
    mutating func append(quoted text: String) {
        var text = text
        text.withUTF8 { utf8 in
            append(UInt8(ascii: "\""))
            var start = 0
            for index in 0..<utf8.count {
                let byte = utf8[index]
                if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
                append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
                append(escaped: byte)
                start = index + 1
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
            append(UInt8(ascii: "\""))
        }
    }

    private mutating func append(escaped byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        default:
            append(contentsOf: "u00".utf8)
            append(hexDigit(byte >> 4))
            append(hexDigit(byte & 15))
        }
    }

    mutating func append(integer: some FixedWidthInteger) {
        append(contentsOf: String(integer).utf8)
    }

    /// Appends the shortest digits that read back as the same double, laid out as ECMAScript's
    /// `Number::toString` does. With `keepsFraction` a whole number gets `.0` and zero keeps its sign,
    /// so that what is read back is a double again.
    mutating func append(double value: Double, keepsFraction: Bool) {
        if value == 0 {
            append(contentsOf: !keepsFraction ? "0".utf8 : value.sign == .minus ? "-0.0".utf8 : "0.0".utf8)
            return
        }
        if value < 0 { append(UInt8(ascii: "-")) }
        let (digits, point) = value.magnitude.shortestDigits
        switch point {
        case digits.count...21:
            append(contentsOf: digits)
            append(contentsOf: repeatElement(UInt8(ascii: "0"), count: point - digits.count))
            if keepsFraction { append(contentsOf: ".0".utf8) }
        case 1...21:
            append(contentsOf: digits[..<point])
            append(UInt8(ascii: "."))
            append(contentsOf: digits[point...])
        case -5...0:
            append(contentsOf: "0.".utf8)
            append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -point))
            append(contentsOf: digits)
        default:
            append(digits[0])
            if digits.count > 1 {
                append(UInt8(ascii: "."))
                append(contentsOf: digits[1...])
            }
            append(contentsOf: point > 0 ? "e+".utf8 : "e".utf8)
            append(integer: point - 1)
        }
    }
}

extension Double {
    /// The digits of a positive number without zeros at either end, and where the decimal point stands:
    /// the value is 0.digits times ten to the `point`. Swift's own description has the shortest digits.
    package var shortestDigits: (digits: [UInt8], point: Int) {
        var text = description
        return text.withUTF8 { text in
            var digits: [UInt8] = []
            digits.reserveCapacity(text.count)
            var point = 0
            var isFraction = false
            for (index, byte) in text.enumerated() {
                switch byte {
                case UInt8(ascii: "."): isFraction = true
                case UInt8(ascii: "e"):
                    let exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                    return (digits.trimmed, point + exponent)
                case UInt8(ascii: "0") where digits.isEmpty: if isFraction { point -= 1 }
                default:
                    digits.append(byte)
                    if !isFraction { point += 1 }
                }
            }
            return (digits.trimmed, point)
        }
    }
}

extension [UInt8] {
    /// Without the zeros at the end.
    fileprivate var trimmed: [UInt8] {
        var digits = self
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return digits
    }
}

/// The lower-case digit of a number below 16.
func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
