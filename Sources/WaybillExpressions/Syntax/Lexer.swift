/// Cuts the text of an expression into tokens (language definition, section "Syntax").
struct Lexer {
    /// The text, in UTF-8.
    let bytes: [UInt8]
    /// The next byte to read.
    private(set) var position: Int

    init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    mutating func next() throws(ExpressionError) -> Token {
        skipBlanks()
        let start = position
        let kind = try readKind()
        return Token(kind: kind, offset: start, end: position)
    }

    func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    mutating func advance(_ count: Int = 1) { position += count }

    func failure(_ message: String, at offset: Int? = nil) -> ExpressionError {
        ExpressionError(code: .syntax, message: message, offset: offset ?? position)
    }

    private mutating func skipBlanks() {
        while let byte = peek() {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0C, 0x0D: advance()
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
                while let byte = peek(), byte != 0x0A { advance() }
            default: return
            }
        }
    }

    private mutating func readKind() throws(ExpressionError) -> Token.Kind {
        guard let byte = peek() else { return .end }
        if byte.isDigit || (byte == UInt8(ascii: ".") && peek(1)?.isDigit == true) { return try readNumber() }
        if let prefix = stringPrefix() { return try readString(prefix) }
        if byte.startsIdentifier { return .identifier(readIdentifier()) }
        if byte == UInt8(ascii: "`") { return .quotedIdentifier(try readQuotedIdentifier()) }
        return .symbol(try readSymbol())
    }

    private mutating func readIdentifier() -> String {
        let start = position
        while let byte = peek(), byte.startsIdentifier || byte.isDigit { advance() }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func readQuotedIdentifier() throws(ExpressionError) -> String {
        let start = position
        advance()
        while let byte = peek(), byte != UInt8(ascii: "`") {
            let isAllowed = byte.startsIdentifier || byte.isDigit || "-./ ".utf8.contains(byte)
            guard isAllowed else {
                throw failure("a name between back-ticks holds letters, digits, '_', '-', '.', '/'")
            }
            advance()
        }
        guard peek() != nil, position > start + 1 else { throw failure("this name is not closed", at: start) }
        advance()
        return String(decoding: bytes[start + 1..<position - 1], as: UTF8.self)
    }

    private mutating func readSymbol() throws(ExpressionError) -> Token.Symbol {
        for length in [2, 1] where position + length <= bytes.count {
            let text = String(decoding: bytes[position..<position + length], as: UTF8.self)
            if let symbol = Token.Symbol(rawValue: text) {
                advance(length)
                return symbol
            }
        }
        switch bytes[position] {
        case UInt8(ascii: "="): throw failure("'=' is no operator; to compare, write '=='")
        case UInt8(ascii: "&"): throw failure("'&' is no operator; 'and' is '&&'")
        case UInt8(ascii: "|"): throw failure("'|' is no operator; 'or' is '||'")
        default:
            let rest = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
            throw failure("'\(rest.unicodeScalars.first.map(String.init) ?? "")' has no meaning here")
        }
    }
}

extension UInt8 {
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var startsIdentifier: Bool {
        (0x61...0x7A).contains(self) || (0x41...0x5A).contains(self) || self == UInt8(ascii: "_")
    }
    /// The value of a hexadecimal digit.
    var hexValue: UInt32? {
        switch self {
        case 0x30...0x39: UInt32(self) - 0x30
        case 0x61...0x66: UInt32(self) - 0x61 + 10
        case 0x41...0x46: UInt32(self) - 0x41 + 10
        default: nil
        }
    }
}
