/// Why bytes are not the JSON we read, or a value has no JSON.
package struct JSONError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// The grammar of RFC 8259 is broken.
        case syntax
        /// The bytes are not UTF-8.
        case encoding
        /// An escape names half of a surrogate pair.
        case surrogate
        /// A number is beyond every double, or not finite.
        case number
        /// Two members of an object have one name.
        case duplicate
        /// More nesting than the limit.
        case depth
        /// More bytes than the limit.
        case size
    }

    package var code: Code
    package var message: String
    /// Bytes from the start.
    package var offset: Int
    /// From 1.
    package var line: Int
    /// From 1, in code points.
    package var column: Int

    package init(code: Code, message: String, offset: Int = 0, line: Int = 1, column: Int = 1) {
        self.code = code
        self.message = message
        self.offset = offset
        self.line = line
        self.column = column
    }

    /// Finds line and column of a failure, which the parser does not count as long as all is well.
    init(_ failure: JSONParser.Failure, in bytes: UnsafeRawBufferPointer) {
        let end = min(failure.offset, bytes.count)
        var line = 1
        var column = 1
        if failure.code != .size {
            for byte in bytes[0..<end] {
                if byte == UInt8(ascii: "\n") {
                    line += 1
                    column = 1
                } else if byte & 0xC0 != 0x80 {
                    column += 1
                }
            }
        }
        self.init(
            code: failure.code, message: failure.message, offset: failure.offset, line: line, column: column)
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String { "\(message) (line \(line), column \(column))" }
}
