import WaybillCore

/// A regular expression of ECMA-262 (section 22.2.1) with the u flag, checked and rewritten in the syntax of RE2.
///
/// Both languages differ in small things: what `\s`, `\w`, `.` and `$` mean, `\u{1F600}`, `\cJ`, `[^]`, the names of
/// properties. What RE2 has not at all (looking around, back-references) is valid here, and cannot be matched.
package struct ECMAPattern {
    /// The pattern for an engine with the syntax of RE2, which searches.
    package private(set) var rewritten = ""
    /// What in the pattern takes more than linear time, nil if nothing does.
    package private(set) var obstacle: String?

    private var scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var groupCount = 0
    private var groupNames: Set<String> = []
    private var referencedNames: Set<String> = []
    private var largestReference = 0

    private static let deepest = 200
    private static let longest = 16_384

    /// - Throws: `PatternError` if it is no pattern of ECMA-262.
    package init(_ source: String) throws(PatternError) {
        scalars = Array(source.unicodeScalars)
        guard scalars.count <= Self.longest else {
            throw PatternError(message: "it is longer than \(Self.longest) characters")
        }
        try disjunction()
        guard position == scalars.count else { throw PatternError(message: "there is a ')' too many") }
        guard largestReference <= groupCount, referencedNames.isSubset(of: groupNames) else {
            throw PatternError(message: "it refers to a group that is not there")
        }
    }

    // MARK: Structure

    private mutating func disjunction() throws(PatternError) {
        depth += 1
        guard depth <= Self.deepest else { throw PatternError(message: "it nests more than \(Self.deepest) groups") }
        while let next = peek, next != ")" {
            if take("|") {
                rewritten += "|"
            } else {
                try term()
            }
        }
        depth -= 1
    }

    private mutating func term() throws(PatternError) {
        let start = rewritten.endIndex
        guard let next = advance() else { return }
        var mayRepeat = true
        switch next {
        case "^":
            rewritten += "\\A"
            mayRepeat = false
        case "$":
            rewritten += "\\z"
            mayRepeat = false
        case "(": mayRepeat = try group()
        case ".": rewritten += "[^\\n\\r\\x{2028}\\x{2029}]"
        case "[": try characterClass()
        case "\\": mayRepeat = try atomEscape()
        case "*", "+", "?", "{": throw PatternError(message: "there is nothing before '\(next)' to repeat")
        case "]", "}": throw PatternError(message: "'\(next)' must be escaped")
        default: rewritten += Self.literal(next)
        }
        guard let repetition = try quantifier() else { return }
        guard mayRepeat else { throw PatternError(message: "an assertion cannot be repeated") }
        // Whatever stands for one term repeats as one.
        rewritten = rewritten[..<start] + "(?:" + rewritten[start...] + ")" + repetition
    }

    /// Behind an opening parenthesis; whether the group may be repeated.
    private mutating func group() throws(PatternError) -> Bool {
        var isAssertion = false
        if take("?") {
            if take(":") {
                // A plain group.
            } else if take("=") || take("!") {
                isAssertion = true
            } else if take("<") {
                if take("=") || take("!") {
                    isAssertion = true
                } else {
                    let name = try groupName()
                    guard groupNames.insert(name).inserted else {
                        throw PatternError(message: "two groups are called '\(name)'")
                    }
                    groupCount += 1
                }
            } else {
                throw PatternError(message: "'(?' begins no group of ECMAScript")
            }
        } else {
            groupCount += 1
        }
        if isAssertion { obstacle = "looking ahead or behind" }
        rewritten += "(?:"
        try disjunction()
        guard take(")") else { throw PatternError(message: "a group does not end") }
        rewritten += ")"
        return !isAssertion
    }

    private mutating func groupName() throws(PatternError) -> String {
        var name = String.UnicodeScalarView()
        while let next = advance() {
            if next == ">", !name.isEmpty { return String(name) }
            let properties = next.properties
            let isPart =
                next == "$" || next == "_" || (name.isEmpty ? properties.isIDStart : properties.isIDContinue)
            guard isPart else { break }
            name.append(next)
        }
        throw PatternError(message: "the name of a group is not well-formed")
    }

    /// `*`, `+?`, `{2,5}` in the spelling both languages share; nil if there is none.
    private mutating func quantifier() throws(PatternError) -> String? {
        guard let next = peek else { return nil }
        var text: String
        switch next {
        case "*", "+", "?":
            position += 1
            text = String(next)
        case "{":
            position += 1
            guard let least = number() else { throw PatternError(message: "'{' must be escaped") }
            text = "{\(least)"
            if take(",") {
                text += ","
                if let most = number() {
                    guard least <= most else { throw PatternError(message: "a repetition has its bounds reversed") }
                    text += "\(most)"
                }
            }
            guard take("}") else { throw PatternError(message: "a repetition does not end") }
            text += "}"
        default: return nil
        }
        if take("?") { text += "?" }
        return text
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
    private mutating func atomEscape() throws(PatternError) -> Bool {
        guard let next = peek else { throw PatternError(message: "it ends in a backslash") }
        switch next {
        case "b", "B":
            position += 1
            rewritten += "\\\(next)"
            return false
        case "k":
            position += 1
            guard take("<") else { throw PatternError(message: "'\\k' needs the name of a group") }
            referencedNames.insert(try groupName())
            obstacle = "a back-reference"
        case "1"..."9":
            largestReference = max(largestReference, number() ?? 0)
            obstacle = "a back-reference"
        default:
            switch try classEscape() {
            case .one(let scalar): rewritten += Self.literal(scalar)
            case .many(let members): rewritten += "[\(members)]"
            }
        }
        return true
    }

    private enum ClassEscape {
        case one(Unicode.Scalar)
        /// In the syntax of what stands between brackets.
        case many(String)
    }

    private mutating func classEscape() throws(PatternError) -> ClassEscape {
        guard let next = advance() else { throw PatternError(message: "it ends in a backslash") }
        switch next {
        case "d": return .many("0-9")
        case "D": return .many("\\x{0}-/:-\\x{10FFFF}")
        case "w": return .many("0-9A-Z_a-z")
        case "W": return .many("\\x{0}-/:-@\\[-\\^`\\{-\\x{10FFFF}")
        case "s": return .many(Self.spaces)
        case "S": return .many(Self.otherThanSpaces)
        case "p", "P": return .many("\\\(next){\(try property())}")
        case "t": return .one("\t")
        case "n": return .one("\n")
        case "v": return .one("\u{B}")
        case "f": return .one("\u{C}")
        case "r": return .one("\r")
        case "0":
            if let digit = peek, digit.isASCII, UInt8(ascii: digit).isDigit { break }
            return .one("\0")
        case "c":
            guard let letter = advance(), letter.isASCII, UInt8(ascii: letter).isLetter else { break }
            return .one(Unicode.Scalar(UInt8(letter.value % 32)))
        case "x":
            guard let value = hexadecimal(digits: 2), let scalar = Unicode.Scalar(value) else { break }
            return .one(scalar)
        case "u": return .one(try unicodeEscape())
        default:
            if "^$\\.*+?()[]{}|/".unicodeScalars.contains(next) { return .one(next) }
        }
        throw PatternError(message: "'\\\(next)' is no escape of ECMAScript")
    }

    private mutating func unicodeEscape() throws(PatternError) -> Unicode.Scalar {
        if take("{") {
            var value: UInt32 = 0
            var count = 0
            while let next = peek, let digit = Character(next).hexDigitValue, next.isASCII {
                position += 1
                count += 1
                value = min(value << 4 | UInt32(digit), 0x110000)
            }
            guard count > 0, take("}"), let scalar = Unicode.Scalar(value) else {
                throw PatternError(message: "'\\u{' names no character")
            }
            return scalar
        }
        if let high = hexadecimal(digits: 4) {
            if let scalar = Unicode.Scalar(high) { return scalar }
            if high < 0xDC00, take("\\"), take("u"), let low = hexadecimal(digits: 4), (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            {
                return scalar
            }
        }
        throw PatternError(message: "'\\u' names no character")
    }

    private mutating func hexadecimal(digits: Int) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let next = advance(), next.isASCII, let digit = Character(next).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// `{Letter}`, `{gc=Lu}`, `{Script=Greek}`: the name RE2 has for it.
    private mutating func property() throws(PatternError) -> String {
        var text = ""
        guard take("{") else { throw PatternError(message: "'\\p' needs a property in braces") }
        while let next = advance(), next != "}" { text.unicodeScalars.append(next) }
        guard position > 0, scalars[position - 1] == "}", let name = ECMAProperties.name(text) else {
            throw PatternError(message: "'\(text)' is no property of Unicode")
        }
        return name
    }

    // MARK: Classes

    private mutating func characterClass() throws(PatternError) {
        let isNegated = take("^")
        var members = ""
        while let next = peek, next != "]" {
            let first = try classAtom()
            guard peek == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                members += Self.member(first)
                continue
            }
            position += 1
            let last = try classAtom()
            guard case .one(let low) = first, case .one(let high) = last else {
                throw PatternError(message: "a range in a class needs single characters at its ends")
            }
            guard low <= high else { throw PatternError(message: "a range in a class has its ends reversed") }
            members += "\(Self.literal(low))-\(Self.literal(high))"
        }
        guard take("]") else { throw PatternError(message: "a class does not end") }
        if members.isEmpty {
            // Nothing at all, and anything at all.
            rewritten += isNegated ? "[\\x{0}-\\x{10FFFF}]" : "[^\\x{0}-\\x{10FFFF}]"
        } else {
            rewritten += isNegated ? "[^\(members)]" : "[\(members)]"
        }
    }

    private mutating func classAtom() throws(PatternError) -> ClassEscape {
        guard let next = advance() else { throw PatternError(message: "a class does not end") }
        guard next == "\\" else { return .one(next) }
        if take("b") { return .one("\u{8}") }
        if take("-") { return .one("-") }
        return try classEscape()
    }

    private static func member(_ atom: ClassEscape) -> String {
        switch atom {
        case .one(let scalar): literal(scalar)
        case .many(let members): members
        }
    }

    /// A character that means itself, inside and outside of classes.
    private static func literal(_ scalar: Unicode.Scalar) -> String {
        if scalar.isASCII {
            return UInt8(ascii: scalar).isLetterOrDigit
                ? String(scalar) : "\\x{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
        return String(scalar)
    }

    // White space and line terminators of ECMA-262, sections 12.2 and 12.3.
    private static let spaces =
        "\\x{9}-\\x{D}\\x{20}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}\\x{FEFF}"
    private static let otherThanSpaces =
        "\\x{0}-\\x{8}\\x{E}-\\x{1F}\\x{21}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}\\x{200B}-\\x{2027}"
        + "\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{FEFE}\\x{FF00}-\\x{10FFFF}"

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
