import WaybillCore

extension Evaluator {
    /// The JSON value of a result. A uint that fits becomes an int, any other a double; bytes become base64, times and
    /// durations their texts, keys their texts. Inside lists and maps an optional without value is left out.
    ///
    /// - Throws: what JSON cannot hold: NaN, infinities, types, an optional without value.
    mutating func json(_ value: CELValue, _ offset: Int) throws(ExpressionError) -> Value {
        try charge(1)
        switch value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .uint(let value): return Int64(exactly: value).map { .int($0) } ?? .double(Double(value))
        case .double(let number):
            if number.isFinite { return .double(number) }
        case .string(let value):
            try charge(bytes: value.utf8.count)
            return .string(value)
        case .bytes(let value):
            try charge(bytes: value.count)
            return .string(Base64.encode(value))
        case .list(let list):
            var elements: [Value] = []
            elements.reserveCapacity(list.count)
            for element in list where !element.isAbsent { elements.append(try json(element, offset)) }
            return .list(elements)
        case .map(let map):
            var members: [(String, Value)] = []
            members.reserveCapacity(map.count)
            for (key, value) in map.walkable where !value.isAbsent {
                members.append((key.text, try json(value, offset)))
            }
            return .object(Object(members))
        case .timestamp(let value): return .string(value.description)
        case .duration(let value): return .string(value.description)
        case .optional(let inner?): return try json(inner, offset)
        case .type, .optional: break
        }
        throw ExpressionError(
            code: .notJSON, message: "\(value.typeWord) has no place in JSON", offset: offset, values: value.summary)
    }
}

extension CELValue {
    /// An optional without value.
    package var isAbsent: Bool { if case .optional(nil) = self { true } else { false } }
}

/// RFC 4648, "The Base16, Base32, and Base64 Data Encodings", section 4.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | (index < group.count ? UInt32(group[start + index]) : 0) }
            for index in 0..<4 {
                let letter = alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)]
                text.append(index <= group.count ? letter : padding)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// nil if the text is no base64; padding may be left out.
    package static func decode(_ text: String) -> [UInt8]? {
        var letters = Array(text.utf8)
        if letters.count % 4 == 0 {
            for _ in 0..<2 where letters.last == padding { letters.removeLast() }
        }
        guard letters.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(letters.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for letter in letters {
            guard let value = sextet(letter) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bits & (1 << count - 1) == 0 ? bytes : nil
    }

    private static func sextet(_ letter: UInt8) -> UInt32? {
        switch letter {
        case 0x41...0x5A: UInt32(letter) - 0x41
        case 0x61...0x7A: UInt32(letter) - 0x61 + 26
        case 0x30...0x39: UInt32(letter) - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
