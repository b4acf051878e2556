package import WaybillCore

extension Template {
    /// Reads a scalar: text, `${{ expression }}`, or both; `$${{` stands for `${{`.
    ///
    /// - Throws: everything that is wrong with its expressions, with places.
    package static func parse(
        _ text: String, places: PlaceMap = .unknown, declarations: Declarations
    ) throws(InvalidExpression) -> Template {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return .constant(.string(text)) }
        let pieces = try TemplateScanner.scan(text, places)
        if pieces.count == 1, case .source(let source, let offset) = pieces[0] {
            return .expression(
                try Expression.compile(source, places: places.from(offset), declarations: declarations))
        }
        var parts: [TextPart] = []
        var diagnostics: [Diagnostic] = []
        for piece in pieces {
            switch piece {
            case .text(let text): parts.append(.text(text))
            case .source(let source, let offset):
                do throws(InvalidExpression) {
                    let expression = try Expression.compile(
                        source, places: places.from(offset), declarations: declarations)
                    if let problem = expression.problemInText { diagnostics.append(problem) }
                    parts.append(.expression(expression))
                } catch {
                    diagnostics += error.diagnostics
                }
            }
        }
        guard diagnostics.isEmpty else { throw InvalidExpression(diagnostics) }
        if parts.isEmpty { return .constant(.string("")) }
        if parts.count == 1, case .text(let text) = parts[0] { return .constant(.string(text)) }
        return .text(parts)
    }

    /// The same for a scalar that stands on one line from `place` on.
    package static func parse(
        _ text: String, place: SourcePlace?, declarations: Declarations
    ) throws(InvalidExpression) -> Template {
        try parse(text, places: PlaceMap(text: text, place: place), declarations: declarations)
    }

    /// Reads every scalar of a value, for values whose places nobody knows.
    package static func parse(
        _ value: Value, places: PlaceMap = .unknown, declarations: Declarations
    ) throws(InvalidExpression) -> Template {
        switch value {
        case .string(let text): return try parse(text, places: places, declarations: declarations)
        case .list(let items):
            var templates: [Template] = []
            for item in items { templates.append(try parse(item, places: places, declarations: declarations)) }
            return .list(templates)
        case .object(let object):
            var entries: [Entry] = []
            for (key, value) in object {
                entries.append(Entry(key: key, value: try parse(value, places: places, declarations: declarations)))
            }
            return .map(entries)
        default: return .constant(value)
        }
    }

    /// Whether a text holds an expression.
    package static func holdsExpression(_ text: String) -> Bool {
        guard let pieces = try? TemplateScanner.scan(text, .unknown) else { return true }
        return pieces.contains { if case .source = $0 { true } else { false } }
    }
}

extension Expression {
    /// Reads a condition: an expression, bare or as `${{ expression }}`.
    ///
    /// - Throws: also where its value can never be true or false.
    package static func condition(
        _ text: String, places: PlaceMap = .unknown, declarations: Declarations
    ) throws(InvalidExpression) -> Expression {
        var source = text
        var offset = 0
        let isWrapped = text.utf8.drop { $0 == 0x20 || $0 == 0x0A }.starts(with: "${{".utf8)
        if isWrapped {
            let pieces = try TemplateScanner.scan(text, places).filter { !$0.isBlank }
            guard pieces.count == 1, case .source(let inner, let start) = pieces[0] else {
                throw InvalidExpression([
                    Diagnostic(
                        message: "a condition is one expression", place: places.place(at: 0),
                        hint: "leave the ${{ }} out: conditions are expressions anyway")
                ])
            }
            (source, offset) = (inner, start)
        }
        let expression = try compile(source, places: places.from(offset), declarations: declarations)
        switch expression.shape {
        case .bool, .dyn, .nullable(.bool): return expression
        default:
            throw InvalidExpression([
                Diagnostic(
                    message: "a condition must be true or false, this is \(expression.shape.word)",
                    place: expression.place, hint: "compare it with something, as in x == \"y\" or size(x) > 0")
            ])
        }
    }

    package static func condition(
        _ text: String, place: SourcePlace?, declarations: Declarations
    ) throws(InvalidExpression) -> Expression {
        try condition(text, places: PlaceMap(text: text, place: place), declarations: declarations)
    }

    /// What is wrong with it inside a text.
    fileprivate var problemInText: Diagnostic? {
        switch shape {
        case .null, .list, .map, .object, .type:
            Diagnostic(
                message: "\(shape.word) cannot stand inside a text", place: place,
                hint: "take one of its members, or make a text of it with json.encode()")
        default: nil
        }
    }
}

/// Cuts a scalar into text and expressions.
struct TemplateScanner {
    enum Piece {
        case text(String)
        /// The expression without its braces, and where it begins in the scalar, in bytes.
        case source(String, offset: Int)

        var isBlank: Bool {
            if case .text(let text) = self { return text.utf8.allSatisfy { $0 == 0x20 || $0 == 0x0A } }
            return false
        }
    }

    static func scan(_ text: String, _ places: PlaceMap) throws(InvalidExpression) -> [Piece] {
        let bytes = Array(text.utf8)
        let opening = Array("${{".utf8)
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let rest = bytes[position...]
            if rest.starts(with: opening) {
                if !literal.isEmpty { pieces.append(.text(String(decoding: literal, as: UTF8.self))) }
                literal = []
                let inside = position + opening.count
                let closing = try closingBraces(bytes, from: inside, opening: position, places)
                pieces.append(source(bytes, inside..<closing))
                position = closing + 2
            } else if rest.first == UInt8(ascii: "$"), rest.dropFirst().starts(with: opening) {
                literal += opening
                position += 1 + opening.count
            } else {
                literal.append(bytes[position])
                position += 1
            }
        }
        if !literal.isEmpty { pieces.append(.text(String(decoding: literal, as: UTF8.self))) }
        return pieces
    }

    /// The expression without the blanks around it, which would only show in messages and ledgers.
    private static func source(_ bytes: [UInt8], _ range: Range<Int>) -> Piece {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        let start = range.first { !isBlank(bytes[$0]) } ?? range.lowerBound
        let end = range.last { !isBlank(bytes[$0]) }.map { $0 + 1 } ?? range.lowerBound
        return .source(String(decoding: bytes[start..<max(start, end)], as: UTF8.self), offset: start)
    }

    /// Where the `}}` stands that closes an expression: not one inside a string or a map of the expression.
    private static func closingBraces(
        _ bytes: [UInt8], from start: Int, opening: Int, _ places: PlaceMap
    ) throws(InvalidExpression) -> Int {
        var lexer = Lexer(bytes, from: start)
        var depth = 0
        var message = "this ${{ is not closed with }}"
        var offset = opening
        do throws(ExpressionError) {
            while true {
                let token = try lexer.next()
                switch token.kind {
                case .symbol(.leftBrace): depth += 1
                case .symbol(.rightBrace) where depth > 0: depth -= 1
                case .symbol(.rightBrace) where token.end < bytes.count && bytes[token.end] == UInt8(ascii: "}"):
                    return token.offset
                case .end:
                    throw ExpressionError(code: .syntax, message: message, offset: opening)
                default: break
                }
            }
        } catch {
            message = error.message
            offset = error.offset
        }
        throw InvalidExpression([
            Diagnostic(message: "in the expression: \(message)", place: places.place(at: offset))
        ])
    }
}
