import WaybillCore

/// The grammar of regular expressions in ECMA-262 (section 22.2.1) with the u flag: the format `regex`.
///
/// It only checks. What cannot be matched in linear time (looking around, back-references) is well-formed all the
/// same; the keyword `pattern` is more demanding, since it has to match.
struct ECMAGrammar {
    /// What is wrong with a pattern.
    private struct Fault: Error {}

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var groupCount = 0
    private var groupNames: Set<String> = []
    private var referencedNames: Set<String> = []
    private var largestReference = 0

    private static let deepest = 200

    private init(_ source: String) {
        scalars = Array(source.unicodeScalars)
    }

    static func accepts(_ source: String) -> Bool {
        var grammar = ECMAGrammar(source)
        do throws(Fault) {
            try grammar.disjunction()
        } catch {
            return false
        }
        return grammar.position == grammar.scalars.count && grammar.largestReference <= grammar.groupCount
            && grammar.referencedNames.isSubset(of: grammar.groupNames)
    }

    // MARK: Structure

    private mutating func disjunction() throws(Fault) {
        depth += 1
        guard depth <= Self.deepest else { throw Fault() }
        while let next = peek, next != ")" {
            if !take("|") { try term() }
        }
        depth -= 1
    }

    private mutating func term() throws(Fault) {
        guard let next = advance() else { return }
        var mayRepeat = true
        switch next {
        case "^", "$": mayRepeat = false
        case "(": mayRepeat = try group()
        case "[": try characterClass()
        case "\\": mayRepeat = try atomEscape()
        case "*", "+", "?", "{", "}", "]": throw Fault()
        default: break
        }
        if try quantifier(), !mayRepeat { throw Fault() }
    }

    /// Behind an opening parenthesis; whether the group may be repeated.
    private mutating func group() throws(Fault) -> Bool {
        var isAssertion = false
        if take("?") {
            if take("=") || take("!") {
                isAssertion = true
            } else if take("<") {
                isAssertion = take("=") || take("!")
                if !isAssertion {
                    guard groupNames.insert(try groupName()).inserted else { throw Fault() }
                    groupCount += 1
                }
            } else if !take(":") {
                throw Fault()
            }
        } else {
            groupCount += 1
        }
        try disjunction()
        guard take(")") else { throw Fault() }
        return !isAssertion
    }

    private mutating func groupName() throws(Fault) -> String {
        var name = String.UnicodeScalarView()
        while let next = advance() {
            if next == ">", !name.isEmpty { return String(name) }
            let properties = next.properties
            let isPart = next == "$" || next == "_" || (name.isEmpty ? properties.isIDStart : properties.isIDContinue)
            guard isPart else { break }
            name.append(next)
        }
        throw Fault()
    }

    /// `*`, `+?`, `{2,5}`; whether there is one.
    private mutating func quantifier() throws(Fault) -> Bool {
        if take("{") {
            guard let least = number() else { throw Fault() }
            if take(","), let most = number(), most < least { throw Fault() }
            guard take("}") else { throw Fault() }
        } else if !take("*"), !take("+"), !take("?") {
            return false
        }
        _ = take("?")
        return true
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let next = peek, next.isASCII, UInt8(ascii: next).isDigit {
            position += 1
            value = min((value ?? 0) * 10 + Int(next.value - 48), 1_000_000_000)
        }
        return value
    }

    // MARK: Escapes

    /// Behind a backslash outside a class; whether it may be repeated.
    private mutating func atomEscape() throws(Fault) -> Bool {
        guard let next = peek else { throw Fault() }
        switch next {
        case "b", "B":
            position += 1
            return false
        case "k":
            position += 1
            guard take("<") else { throw Fault() }
            referencedNames.insert(try groupName())
        case "1"..."9": largestReference = max(largestReference, number() ?? 0)
        default: _ = try classEscape()
        }
        return true
    }

    /// The character that an escape means; nil if it means many.
    private mutating func classEscape() throws(Fault) -> Unicode.Scalar? {
        guard let next = advance() else { throw Fault() }
        switch next {
        case "d", "D", "w", "W", "s", "S": return nil
        case "p", "P":
            try property()
            return nil
        case "t": return "\t"
        case "n": return "\n"
        case "v": return "\u{B}"
        case "f": return "\u{C}"
        case "r": return "\r"
        case "0":
            if let digit = peek, digit.isASCII, UInt8(ascii: digit).isDigit { throw Fault() }
            return "\0"
        case "c":
            guard let letter = advance(), letter.isASCII, UInt8(ascii: letter).isLetter else { throw Fault() }
            return Unicode.Scalar(UInt8(letter.value % 32))
        case "x":
            guard let value = hexadecimal(digits: 2), let scalar = Unicode.Scalar(value) else { throw Fault() }
            return scalar
        case "u": return try unicodeEscape()
        case _ where "^$\\.*+?()[]{}|/".unicodeScalars.contains(next): return next
        default: throw Fault()
        }
    }

    /// Half of a surrogate pair is well-formed; it stands here as a character that no text holds either.
    private mutating func unicodeEscape() throws(Fault) -> Unicode.Scalar {
        if take("{") {
            var value: UInt32 = 0
            let start = position
            while let next = peek, next.isASCII, let digit = Character(next).hexDigitValue {
                position += 1
                value = min(value << 4 | UInt32(digit), 0x110000)
            }
            guard position > start, take("}"), value <= 0x10FFFF else { throw Fault() }
            return Unicode.Scalar(value) ?? "\u{FFFF}"
        }
        guard let high = hexadecimal(digits: 4) else { throw Fault() }
        let isPair = (0xD800..<0xDC00).contains(high) && peek == "\\"
        if isPair, position + 1 < scalars.count, scalars[position + 1] == "u" {
            let before = position
            position += 2
            if let low = hexadecimal(digits: 4), (0xDC00..<0xE000).contains(low) {
                return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFF}"
            }
            position = before
        }
        return Unicode.Scalar(high) ?? "\u{FFFF}"
    }

    private mutating func hexadecimal(digits: Int) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let next = advance(), next.isASCII, let digit = Character(next).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// `{Letter}`, `{gc=Lu}`, `{Script=Greek}`
    private mutating func property() throws(Fault) {
        guard take("{") else { throw Fault() }
        var name = ""
        while let next = advance() {
            if next == "}" {
                guard ECMAProperties.contains(name) else { throw Fault() }
                return
            }
            name.unicodeScalars.append(next)
        }
        throw Fault()
    }

    // MARK: Classes

    private mutating func characterClass() throws(Fault) {
        _ = take("^")
        while let next = peek, next != "]" {
            let first = try classAtom()
            guard peek == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else { continue }
            position += 1
            guard let low = first, let high = try classAtom(), low <= high else { throw Fault() }
        }
        guard take("]") else { throw Fault() }
    }

    private mutating func classAtom() throws(Fault) -> Unicode.Scalar? {
        guard let next = advance() else { throw Fault() }
        guard next == "\\" else { return next }
        if take("b") { return "\u{8}" }
        if take("-") { return "-" }
        return try classEscape()
    }

    // MARK: Small steps

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func advance() -> Unicode.Scalar? {
        guard position < scalars.count else { return nil }
        position += 1
        return scalars[position - 1]
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }
}
