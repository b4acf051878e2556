/// Reads a pattern. The grammar is RE2's ("RE2 regular expression syntax"); the other dialect differs in escapes,
/// classes and what a dot leaves out.
struct PatternParser {
    static let longestPattern = 16 << 10
    static let deepestNesting = 100
    /// RE2's own bound for `{n,m}`.
    static let mostRepeats = 1_000

    struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotMatchesNewline = false
    }

    let scalars: [Unicode.Scalar]
    let dialect: RegularExpression.Dialect
    var position = 0
    private(set) var flags = Flags()
    private var nesting = 0

    init(_ source: String, dialect: RegularExpression.Dialect) throws(PatternError) {
        scalars = Array(source.unicodeScalars)
        self.dialect = dialect
        guard scalars.count <= Self.longestPattern else {
            throw PatternError(message: "a pattern has at most \(Self.longestPattern) characters", offset: 0)
        }
    }

    mutating func parse() throws(PatternError) -> PatternNode {
        let node = try parseAlternatives()
        guard position == scalars.count else { throw failure("')' closes nothing") }
        return node
    }

    // MARK: Characters

    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    func peek(_ distance: Int) -> Unicode.Scalar? {
        position + distance < scalars.count ? scalars[position + distance] : nil
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    /// Takes a word if it stands here.
    mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    func failure(_ message: String, at offset: Int? = nil) -> PatternError {
        PatternError(message: message, offset: offset ?? position)
    }

    // MARK: Structure

    private mutating func parseAlternatives() throws(PatternError) -> PatternNode {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.deepestNesting else { throw failure("the pattern is nested too deep") }
        let outer = flags
        var alternatives = [try parseSequence()]
        while take("|" as Unicode.Scalar) { alternatives.append(try parseSequence()) }
        flags = outer
        return alternatives.count == 1 ? alternatives[0] : .alternatives(alternatives)
    }

    private mutating func parseSequence() throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if dialect == .re2, take("\\Q") {
                nodes += parseQuotation()
                continue
            }
            let start = position
            guard let atom = try parseAtom() else { continue }
            nodes.append(try parseRepetition(of: atom, from: start))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    /// What stands between `\Q` and `\E`, taken as it is.
    private mutating func parseQuotation() -> [PatternNode] {
        var nodes: [PatternNode] = []
        while let scalar = next, !take("\\E") {
            nodes.append(literal(scalar))
            position += 1
        }
        return nodes
    }

    func literal(_ scalar: Unicode.Scalar) -> PatternNode { .scalar(scalar, ignoresCase: flags.ignoresCase) }

    /// nil for what matches nothing itself, such as `(?i)`.
    private mutating func parseAtom() throws(PatternError) -> PatternNode? {
        let start = position
        guard let scalar = next else { return nil }
        position += 1
        switch scalar {
        case "(": return try parseGroup(from: start)
        case "[": return .set(try parseClass(from: start))
        case ".":
            if flags.dotMatchesNewline { return .set(.everything) }
            return .set(dialect == .re2 ? .allButNewline : .allButLineEnds)
        case "^": return .assertion(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
        case "*", "+", "?": throw failure("'\(scalar)' repeats nothing", at: start)
        case "\\": return try parseEscape(from: start)
        case "{" where dialect == .ecma262, "}" where dialect == .ecma262, "]" where dialect == .ecma262:
            throw failure("'\(scalar)' stands alone; as a character it is written \\\(scalar)", at: start)
        default: return literal(scalar)
        }
    }

    // MARK: Repetition

    private mutating func parseRepetition(of atom: PatternNode, from start: Int) throws(PatternError) -> PatternNode {
        guard let (least, most) = try parseBounds() else { return atom }
        _ = take("?" as Unicode.Scalar)
        let next = position
        if try parseBounds() != nil { throw failure("two repetitions follow each other", at: next) }
        if dialect == .ecma262, case .assertion = atom { throw failure("an assertion is not repeated", at: start) }
        return .repetition(atom, least: least, most: most)
    }

    /// nil if no repetition stands here.
    private mutating func parseBounds() throws(PatternError) -> (least: Int, most: Int?)? {
        if take("*" as Unicode.Scalar) { return (0, nil) }
        if take("+" as Unicode.Scalar) { return (1, nil) }
        if take("?" as Unicode.Scalar) { return (0, 1) }
        let start = position
        guard take("{" as Unicode.Scalar) else { return nil }
        guard let least = parseNumber() else {
            // RE2 takes a brace that bounds nothing as itself.
            position = start
            return nil
        }
        var most: Int? = least
        if take("," as Unicode.Scalar) { most = parseNumber() }
        guard take("}" as Unicode.Scalar) else {
            position = start
            return nil
        }
        guard least <= Self.mostRepeats, most ?? 0 <= Self.mostRepeats else {
            throw failure("a repetition is bounded by \(Self.mostRepeats)", at: start)
        }
        if let most, most < least { throw failure("the bounds are the wrong way round", at: start) }
        return (least, most)
    }

    private mutating func parseNumber() -> Int? {
        var number: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            number = min((number ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
            position += 1
        }
        return number
    }

    // MARK: Groups

    private mutating func parseGroup(from start: Int) throws(PatternError) -> PatternNode? {
        var inner = flags
        if take("?" as Unicode.Scalar) {
            for sign in ["=", "!", "<=", "<!"] where scalars[position...].starts(with: sign.unicodeScalars) {
                throw failure("look-around cannot be matched in linear time", at: start)
            }
            if take("P<") || take("<" as Unicode.Scalar) {
                try parseGroupName(from: start)
            } else if !take(":" as Unicode.Scalar) {
                inner = try parseFlags(from: start)
                if take(")" as Unicode.Scalar) {
                    flags = inner
                    return nil
                }
                position += 1
            }
        }
        let outer = flags
        flags = inner
        let node = try parseAlternatives()
        flags = outer
        guard take(")" as Unicode.Scalar) else { throw failure("this '(' is not closed", at: start) }
        return node
    }

    private mutating func parseGroupName(from start: Int) throws(PatternError) {
        let first = position
        while let scalar = next, scalar != ">" {
            guard scalar.isWordScalar else { throw failure("a group's name holds letters, digits and '_'", at: start) }
            position += 1
        }
        guard position > first, take(">" as Unicode.Scalar) else {
            throw failure("a group's name is missing", at: start)
        }
    }

    /// `i`, `m`, `s`, `U`, and those after a minus off; stops before the `:` or `)`.
    private mutating func parseFlags(from start: Int) throws(PatternError) -> Flags {
        var result = flags
        var isOn = true
        while let scalar = next, scalar != ":", scalar != ")" {
            switch scalar {
            case "i": result.ignoresCase = isOn
            case "m": result.isMultiline = isOn
            case "s": result.dotMatchesNewline = isOn
            // Which of two matches counts is not asked.
            case "U" where dialect == .re2: break
            case "-" where isOn: isOn = false
            default: throw failure("there is no flag '\(scalar)'", at: start)
            }
            position += 1
        }
        guard next != nil else { throw failure("this '(' is not closed", at: start) }
        return result
    }
}
