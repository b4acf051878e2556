extension JSON {
    /// The canonical bytes of a value (RFC 8785, JSON Canonicalization Scheme), with one stated departure:
    /// an `int` is written in full, also where a double could not hold it.
    ///
    /// Members are sorted by UTF-16 code units, as the RFC asks; this differs from code points only beyond U+FFFF.
    /// - Throws: `JSONError` with code `number` for an infinity or NaN.
    package static func canonical(_ value: Value) throws(JSONError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(canonical: value, to: &bytes)
        return bytes
    }

    private static func append(canonical value: Value, to bytes: inout [UInt8]) throws(JSONError) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
        case .int(let number): bytes.append(integer: number)
        case .double(let number):
            guard number.isFinite else {
                throw JSONError(code: .number, message: "\(number) has no JSON")
            }
            bytes.append(double: number, keepsFraction: false)
        case .string(let text): bytes.append(quoted: text)
        case .list(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try append(canonical: element, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in sortedByUTF16(object).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(quoted: member.key)
                bytes.append(UInt8(ascii: ":"))
                try append(canonical: member.value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func sortedByUTF16(_ object: Object) -> [Object.Element] {
        // Both orders agree unless a name holds a code point that UTF-16 writes as a surrogate pair
        // (UTF-8 begins it with F0 or more).
        let needsSort = object.contains { $0.key.utf8.contains { $0 >= 0xF0 } }
        return needsSort
            ? object.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) } : Array(object)
    }
}
