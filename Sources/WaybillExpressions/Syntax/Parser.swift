/// Reads an expression: precedence climbing over the grammar of the language definition (section "Syntax").
struct Parser {
    /// How deep parentheses, lists, maps, calls and conditionals may nest.
    static let deepestNesting = 100
    /// How high the tree may get; every walk over it recurses no deeper than this.
    static let highestTree = 250
    /// How long a text may be, in bytes.
    static let longestSource = 64 << 10

    private var lexer: Lexer
    private(set) var token: Token
    private var nesting = 0

    static func parse(_ source: String) throws(ExpressionError) -> Syntax {
        let bytes = Array(source.utf8)
        guard bytes.count <= longestSource else {
            throw ExpressionError(code: .syntax, message: "an expression has at most \(longestSource >> 10) KiB")
        }
        var parser = try Parser(lexer: Lexer(bytes))
        let syntax = try parser.parseExpression()
        guard parser.token.kind == .end else { throw parser.unexpected("an operator or the end") }
        return syntax
    }

    private init(lexer: Lexer) throws(ExpressionError) {
        self.lexer = lexer
        token = try self.lexer.next()
    }

    // MARK: Tokens

    private mutating func advance() throws(ExpressionError) { token = try lexer.next() }

    private mutating func take(_ symbol: Token.Symbol) throws(ExpressionError) -> Bool {
        guard token.kind == .symbol(symbol) else { return false }
        try advance()
        return true
    }

    private mutating func expect(_ symbol: Token.Symbol) throws(ExpressionError) {
        guard try take(symbol) else { throw unexpected("'\(symbol.rawValue)'") }
    }

    private func unexpected(_ expected: String) -> ExpressionError {
        failure("expected \(expected), got \(token.description)", at: token.offset)
    }

    func failure(_ message: String, at offset: Int) -> ExpressionError {
        ExpressionError(code: .syntax, message: message, offset: offset)
    }

    private func checked(_ syntax: Syntax) throws(ExpressionError) -> Syntax {
        guard syntax.height <= Self.highestTree else {
            throw failure("the expression is nested more than \(Self.highestTree) levels deep", at: syntax.offset)
        }
        return syntax
    }

    // MARK: Operators

    private mutating func parseExpression() throws(ExpressionError) -> Syntax {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.deepestNesting else {
            throw failure("the expression is nested more than \(Self.deepestNesting) levels deep", at: token.offset)
        }
        let condition = try parseOr()
        let offset = token.offset
        guard try take(.question) else { return condition }
        let yes = try parseOr()
        try expect(.colon)
        let no = try parseExpression()
        return try checked(Syntax(.conditional(condition, yes, no), at: offset))
    }

    private mutating func parseOr() throws(ExpressionError) -> Syntax {
        var operands = [try parseAnd()]
        let offset = token.offset
        while try take(.or) { operands.append(try parseAnd()) }
        return operands.count == 1 ? operands[0] : try checked(Syntax(.or(operands), at: offset))
    }

    private mutating func parseAnd() throws(ExpressionError) -> Syntax {
        var operands = [try parseBinary(atLeast: 1)]
        let offset = token.offset
        while try take(.and) { operands.append(try parseBinary(atLeast: 1)) }
        return operands.count == 1 ? operands[0] : try checked(Syntax(.and(operands), at: offset))
    }

    private mutating func parseBinary(atLeast precedence: Int) throws(ExpressionError) -> Syntax {
        var left = try parseUnary()
        while let (binary, itsPrecedence) = binaryOperator(), itsPrecedence >= precedence {
            let offset = token.offset
            try advance()
            let right = try parseBinary(atLeast: itsPrecedence + 1)
            left = try checked(Syntax(.binary(binary, left, right), at: offset))
        }
        return left
    }

    private func binaryOperator() -> (BinaryOperator, precedence: Int)? {
        switch token.kind {
        case .identifier("in"): return (.within, 1)
        case .symbol(let symbol):
            switch symbol {
            case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
                return BinaryOperator(rawValue: symbol.rawValue).map { ($0, 1) }
            case .plus, .minus: return BinaryOperator(rawValue: symbol.rawValue).map { ($0, 2) }
            case .star, .slash, .percent: return BinaryOperator(rawValue: symbol.rawValue).map { ($0, 3) }
            default: return nil
            }
        default: return nil
        }
    }

    private mutating func parseUnary() throws(ExpressionError) -> Syntax {
        var signs: [(UnaryOperator, offset: Int)] = []
        while true {
            let offset = token.offset
            if try take(.not) {
                signs.append((.not, offset))
            } else if try take(.minus) {
                signs.append((.negate, offset))
            } else {
                break
            }
            if signs.count > Self.highestTree { throw failure("too many signs", at: offset) }
        }
        var syntax: Syntax
        if signs.last?.0 == .negate, let literal = try takeNegativeLiteral(at: signs[signs.count - 1].offset) {
            signs.removeLast()
            syntax = try parseSuffixes(literal)
        } else {
            syntax = try parseSuffixes(try parsePrimary())
        }
        for (unary, offset) in signs.reversed() { syntax = try checked(Syntax(.unary(unary, syntax), at: offset)) }
        return syntax
    }

    /// A sign right before a number belongs to it, so that the smallest integer can be written.
    private mutating func takeNegativeLiteral(at offset: Int) throws(ExpressionError) -> Syntax? {
        switch token.kind {
        case .int(let magnitude):
            guard magnitude <= Int64.min.magnitude else {
                throw failure("-\(magnitude) does not fit 64 bits", at: offset)
            }
            try advance()
            return Syntax(.literal(.int(Int64(truncatingIfNeeded: 0 &- magnitude))), at: offset)
        case .double(let value):
            try advance()
            return Syntax(.literal(.double(-value)), at: offset)
        default: return nil
        }
    }

    // MARK: Members and calls

    private mutating func parseSuffixes(_ start: Syntax) throws(ExpressionError) -> Syntax {
        var operand = start
        while true {
            if try take(.dot) {
                operand = try parseMember(of: operand)
            } else if token.kind == .symbol(.leftBracket) {
                let offset = token.offset
                try advance()
                let isOptional = try take(.question)
                let index = try parseExpression()
                try expect(.rightBracket)
                operand = Syntax(.index(operand, index, isOptional: isOptional), at: offset)
            } else {
                return operand
            }
            operand = try checked(operand)
        }
    }

    private mutating func parseMember(of operand: Syntax) throws(ExpressionError) -> Syntax {
        let isOptional = try take(.question)
        let name = token
        let field: String
        switch name.kind {
        case .identifier(let identifier) where !Reserved.constants.contains(identifier): field = identifier
        case .quotedIdentifier(let identifier): field = identifier
        default: throw unexpected("the name of a member")
        }
        try advance()
        guard token.kind == .symbol(.leftParenthesis), !isOptional, case .identifier = name.kind else {
            return Syntax(.select(operand, field: field, isOptional: isOptional), at: name.offset)
        }
        let arguments = try parseArguments()
        return try expandMember(field, target: operand, arguments: arguments, at: name.offset)
    }

    private mutating func parseArguments() throws(ExpressionError) -> [Syntax] {
        try expect(.leftParenthesis)
        var arguments: [Syntax] = []
        if try take(.rightParenthesis) { return arguments }
        repeat { arguments.append(try parseExpression()) } while try take(.comma)
        try expect(.rightParenthesis)
        return arguments
    }

    // MARK: Primaries

    private mutating func parsePrimary() throws(ExpressionError) -> Syntax {
        let start = token
        switch start.kind {
        case .symbol(.leftParenthesis):
            try advance()
            let inner = try parseExpression()
            try expect(.rightParenthesis)
            return inner
        case .symbol(.leftBracket): return try parseList()
        case .symbol(.leftBrace): return try parseMap()
        case .symbol(.dot):
            try advance()
            return try parseName(isAbsolute: true)
        case .identifier: return try parseName(isAbsolute: false)
        default: break
        }
        guard let literal = try literal(start) else { throw unexpected("a value") }
        try advance()
        return Syntax(.literal(literal), at: start.offset)
    }

    private func literal(_ token: Token) throws(ExpressionError) -> CELValue? {
        switch token.kind {
        case .int(let magnitude):
            guard let value = Int64(exactly: magnitude) else {
                throw failure(
                    "\(magnitude) does not fit an int; as a uint it is written \(magnitude)u", at: token.offset)
            }
            return .int(value)
        case .uint(let value): return .uint(value)
        case .double(let value): return .double(value)
        case .string(let value): return .string(value)
        case .bytes(let value): return .bytes(value)
        default: return nil
        }
    }

    private mutating func parseName(isAbsolute: Bool) throws(ExpressionError) -> Syntax {
        let start = token
        guard case .identifier(let name) = start.kind else { throw unexpected("a name") }
        if !isAbsolute, let constant = Reserved.values[name] {
            try advance()
            return Syntax(.literal(constant), at: start.offset)
        }
        guard !Reserved.constants.contains(name), !Reserved.words.contains(name) else {
            throw failure("'\(name)' is a reserved word and cannot be a name", at: start.offset)
        }
        try advance()
        guard token.kind == .symbol(.leftParenthesis) else {
            return Syntax(.identifier(name, isAbsolute: isAbsolute), at: start.offset)
        }
        let arguments = try parseArguments()
        return try checked(try expandGlobal(name, arguments: arguments, at: start.offset))
    }

    private mutating func parseList() throws(ExpressionError) -> Syntax {
        let offset = token.offset
        try expect(.leftBracket)
        var items: [Syntax.Item] = []
        while token.kind != .symbol(.rightBracket) {
            let isOptional = try take(.question)
            items.append(Syntax.Item(value: try parseExpression(), isOptional: isOptional))
            guard try take(.comma) else { break }
        }
        try expect(.rightBracket)
        return try checked(Syntax(.list(items), at: offset))
    }

    private mutating func parseMap() throws(ExpressionError) -> Syntax {
        let offset = token.offset
        try expect(.leftBrace)
        var entries: [Syntax.Entry] = []
        while token.kind != .symbol(.rightBrace) {
            let isOptional = try take(.question)
            let key = try parseExpression()
            try expect(.colon)
            entries.append(Syntax.Entry(key: key, value: try parseExpression(), isOptional: isOptional))
            guard try take(.comma) else { break }
        }
        try expect(.rightBrace)
        return try checked(Syntax(.map(entries), at: offset))
    }
}

/// Words that cannot be names of variables.
enum Reserved {
    static let values: [String: CELValue] = ["true": .bool(true), "false": .bool(false), "null": .null]
    /// These cannot be names of members either.
    static let constants: Set<String> = ["true", "false", "null", "in"]
    static let words: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ]
}
