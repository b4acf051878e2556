extension Lexer {
    // MARK: Numbers

    mutating func readNumber() throws(ExpressionError) -> Token.Kind {
        let start = position
        if peek() == UInt8(ascii: "0"), peek(1) == UInt8(ascii: "x") || peek(1) == UInt8(ascii: "X") {
            advance(2)
            while peek()?.hexValue != nil { advance() }
            return try wholeNumber(bytes[start + 2..<position], radix: 16, start: start)
        }
        while peek()?.isDigit == true { advance() }
        var isDouble = false
        if peek() == UInt8(ascii: "."), peek(1)?.isDigit == true {
            isDouble = true
            advance()
            while peek()?.isDigit == true { advance() }
        }
        if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
            let sign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-") ? 1 : 0
            guard peek(1 + sign)?.isDigit == true else { throw failure("digits are missing after the exponent's 'e'") }
            isDouble = true
            advance(1 + sign)
            while peek()?.isDigit == true { advance() }
        }
        guard isDouble else { return try wholeNumber(bytes[start..<position], radix: 10, start: start) }
        try refuseLetterAfterNumber()
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw failure("\(text) does not fit a double", at: start)
        }
        return .double(value)
    }

    private mutating func wholeNumber(
        _ digits: ArraySlice<UInt8>, radix: Int, start: Int
    ) throws(ExpressionError) -> Token.Kind {
        let isUnsigned = peek() == UInt8(ascii: "u") || peek() == UInt8(ascii: "U")
        if isUnsigned { advance() }
        try refuseLetterAfterNumber()
        let text = String(decoding: digits, as: UTF8.self)
        guard let value = UInt64(text, radix: radix) else {
            throw failure(text.isEmpty ? "digits are missing" : "\(text) does not fit 64 bits", at: start)
        }
        return isUnsigned ? .uint(value) : .int(magnitude: value)
    }

    private func refuseLetterAfterNumber() throws(ExpressionError) {
        if let byte = peek(), byte.startsIdentifier { throw failure("a letter follows a number") }
    }

    // MARK: Strings

    struct StringPrefix {
        var isRaw = false
        var isBytes = false
        var length = 0
    }

    /// nil if no string starts here.
    func stringPrefix() -> StringPrefix? {
        var prefix = StringPrefix()
        while let byte = peek(prefix.length) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): return prefix
            case UInt8(ascii: "r"), UInt8(ascii: "R"): if prefix.isRaw { return nil } else { prefix.isRaw = true }
            case UInt8(ascii: "b"), UInt8(ascii: "B"): if prefix.isBytes { return nil } else { prefix.isBytes = true }
            default: return nil
            }
            prefix.length += 1
        }
        return nil
    }

    mutating func readString(_ prefix: StringPrefix) throws(ExpressionError) -> Token.Kind {
        let start = position
        advance(prefix.length)
        let quote = bytes[position]
        let isTriple = peek(1) == quote && peek(2) == quote
        advance(isTriple ? 3 : 1)
        var content: [UInt8] = []
        while true {
            guard let byte = peek() else { throw failure("this string is not closed", at: start) }
            if byte == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                advance(isTriple ? 3 : 1)
                break
            }
            if !isTriple, byte == 0x0A || byte == 0x0D {
                throw failure("this string is not closed on its line", at: start)
            }
            if byte == UInt8(ascii: "\\"), !prefix.isRaw {
                try readEscape(into: &content, isBytes: prefix.isBytes)
            } else {
                content.append(byte)
                advance()
            }
        }
        return prefix.isBytes ? .bytes(content) : .string(String(decoding: content, as: UTF8.self))
    }

    private static let simpleEscapes: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A,
        UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09, UInt8(ascii: "v"): 0x0B, UInt8(ascii: "\\"): 0x5C,
        UInt8(ascii: "?"): 0x3F, UInt8(ascii: "\""): 0x22, UInt8(ascii: "'"): 0x27, UInt8(ascii: "`"): 0x60,
    ]

    private mutating func readEscape(into content: inout [UInt8], isBytes: Bool) throws(ExpressionError) {
        let start = position
        advance()
        guard let byte = peek() else { throw failure("this string is not closed", at: start) }
        if let simple = Self.simpleEscapes[byte] {
            content.append(simple)
            advance()
            return
        }
        let value: UInt32
        switch byte {
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            advance()
            value = try hexDigits(2, start: start)
        case UInt8(ascii: "u") where !isBytes:
            advance()
            value = try hexDigits(4, start: start)
        case UInt8(ascii: "U") where !isBytes:
            advance()
            value = try hexDigits(8, start: start)
        case 0x30...0x33:
            value = try octalDigits(start: start)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            throw failure("bytes have no \\u escapes; write \\x or \\ooo for each byte", at: start)
        default:
            throw failure("unknown escape; a backslash is written \\\\, or r'...' for a raw string", at: start)
        }
        if isBytes {
            content.append(UInt8(value))
        } else if let scalar = Unicode.Scalar(value) {
            content.append(contentsOf: String(scalar).utf8)
        } else {
            throw failure("this escape is no code point", at: start)
        }
    }

    private mutating func hexDigits(_ count: Int, start: Int) throws(ExpressionError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = peek()?.hexValue else {
                throw failure("\(count) hexadecimal digits are expected", at: start)
            }
            value = value << 4 | digit
            advance()
        }
        return value
    }

    private mutating func octalDigits(start: Int) throws(ExpressionError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<3 {
            guard let byte = peek(), (0x30...0x37).contains(byte) else {
                throw failure("three octal digits are expected", at: start)
            }
            value = value << 3 | UInt32(byte - 0x30)
            advance()
        }
        return value
    }
}
