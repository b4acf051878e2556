/// Reads the fixed-width numbers that dates and times are made of.
package struct DigitReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    package var isAtEnd: Bool { position == bytes.count }

    package mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Exactly so many digits, at most 18.
    package mutating func number(digits count: Int) -> Int? {
        guard position + count <= bytes.count else { return nil }
        var value = 0
        for index in position..<position + count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        position += count
        return value
    }

    /// One digit or more, cut or filled to so many: `.5` with 6 is 500,000.
    package mutating func fraction(digits wanted: Int) -> Int? {
        let start = position
        var value = 0
        var count = 0
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            if count < wanted {
                value = value * 10 + Int(digit)
                count += 1
            }
            position += 1
        }
        guard position > start else { return nil }
        while count < wanted {
            value *= 10
            count += 1
        }
        return value
    }

    /// `Z`, `z` or `+hh:mm`, in minutes east of UTC.
    package mutating func offsetMinutes() -> Int? {
        if take("Z") || take("z") { return 0 }
        let isWest = take("-")
        guard isWest || take("+"), let hours = number(digits: 2), take(":"), let minutes = number(digits: 2),
            hours < 24, minutes < 60
        else { return nil }
        return (isWest ? -1 : 1) * (hours * 60 + minutes)
    }
}
