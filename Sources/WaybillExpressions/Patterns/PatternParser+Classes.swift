extension PatternParser {
    /// What a backslash makes of the character after it.
    private enum Escape {
        case scalar(Unicode.Scalar)
        case set(ScalarSet)
    }

    // MARK: Escapes

    mutating func parseEscape(from start: Int) throws(PatternError) -> PatternNode {
        switch next {
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.noWordBoundary)
        case "A" where dialect == .re2: return assertion(.textStart)
        case "z" where dialect == .re2: return assertion(.textEnd)
        default: break
        }
        switch try escape(from: start) {
        case .scalar(let scalar): return literal(scalar)
        case .set(var set):
            set.ignoresCase = flags.ignoresCase
            return .set(set.finished())
        }
    }

    private mutating func assertion(_ assertion: PatternNode.Assertion) -> PatternNode {
        position += 1
        return .assertion(assertion)
    }

    private mutating func escape(from start: Int) throws(PatternError) -> Escape {
        guard let scalar = next else { throw failure("the pattern ends after a backslash", at: start) }
        position += 1
        switch scalar {
        case "d": return .set(.digits)
        case "D": return .set(ScalarSet.digits.negated)
        case "w": return .set(.word)
        case "W": return .set(ScalarSet.word.negated)
        case "s": return .set(space)
        case "S": return .set(space.negated)
        case "p", "P": return .set(try property(isNegated: scalar == "P", from: start))
        case "t": return .scalar("\t")
        case "n": return .scalar("\n")
        case "r": return .scalar("\r")
        case "f": return .scalar("\u{0C}")
        case "v": return .scalar("\u{0B}")
        case "a" where dialect == .re2: return .scalar("\u{07}")
        case "x": return .scalar(try hexadecimal(from: start))
        case "u" where dialect == .ecma262: return .scalar(try unicodeEscape(from: start))
        case "c" where dialect == .ecma262:
            guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else {
                throw failure("a letter follows \\c", at: start)
            }
            position += 1
            return .scalar(Unicode.Scalar(UInt8(letter.value & 31)))
        case "0"..."7" where dialect == .re2: return .scalar(try octal(scalar, from: start))
        case "0" where dialect == .ecma262: return .scalar("\u{0}")
        case "1"..."9", "k": throw failure("a back-reference cannot be matched in linear time", at: start)
        default:
            let isPunctuation = scalar.isASCII && !scalar.properties.isAlphabetic && !("0"..."9").contains(scalar)
            guard isPunctuation, scalar.value >= 0x20 else {
                throw failure("there is no escape \\\(scalar)", at: start)
            }
            return .scalar(scalar)
        }
    }

    private var space: ScalarSet { dialect == .re2 ? .perlSpace : .ecmaSpace }

    /// `\p{Greek}`, `\p{^Greek}`, `\pN`.
    private mutating func property(isNegated: Bool, from start: Int) throws(PatternError) -> ScalarSet {
        var isNegated = isNegated
        var name = ""
        if take("{" as Unicode.Scalar) {
            if dialect == .re2, take("^" as Unicode.Scalar) { isNegated.toggle() }
            while let scalar = next, scalar != "}" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
            guard take("}" as Unicode.Scalar) else { throw failure("this '{' is not closed", at: start) }
        } else if dialect == .re2, let scalar = next {
            name = String(scalar)
            position += 1
        }
        guard let property = ScalarProperty(named: name) else {
            throw failure("there is no character property '\(name)'", at: start)
        }
        return ScalarSet(property, isNegated: isNegated)
    }

    /// `\x7F`, `\x{10FFFF}`
    private mutating func hexadecimal(from start: Int) throws(PatternError) -> Unicode.Scalar {
        if dialect == .re2, next == "{" { return try braced(from: start) }
        return try scalar(try digits(2, from: start), from: start)
    }

    /// `\u00E9`, `\u{1F600}`, and pairs of surrogates
    private mutating func unicodeEscape(from start: Int) throws(PatternError) -> Unicode.Scalar {
        if next == "{" { return try braced(from: start) }
        let unit = try digits(4, from: start)
        if (0xD800..<0xDC00).contains(unit), take("\\u") {
            let low = try digits(4, from: start)
            guard (0xDC00..<0xE000).contains(low) else { throw failure("this is half a surrogate pair", at: start) }
            return try scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00), from: start)
        }
        return try scalar(unit, from: start)
    }

    private mutating func braced(from start: Int) throws(PatternError) -> Unicode.Scalar {
        position += 1
        var value: UInt32 = 0
        var count = 0
        while let digit = next?.hexValue {
            value = value << 4 | digit
            count += 1
            position += 1
            guard value <= 0x10FFFF else { break }
        }
        guard count > 0, take("}" as Unicode.Scalar) else { throw failure("this is no code point", at: start) }
        return try scalar(value, from: start)
    }

    private mutating func digits(_ count: Int, from start: Int) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = next?.hexValue else {
                throw failure("\(count) hexadecimal digits are expected", at: start)
            }
            value = value << 4 | digit
            position += 1
        }
        return value
    }

    /// `\0`, `\012`, `\123`: RE2 takes up to three digits, and no single one but 0.
    private mutating func octal(_ first: Unicode.Scalar, from start: Int) throws(PatternError) -> Unicode.Scalar {
        var value = first.value - 0x30
        var count = 1
        while count < 3, let scalar = next, ("0"..."7").contains(scalar) {
            value = value << 3 | (scalar.value - 0x30)
            count += 1
            position += 1
        }
        guard first == "0" || count > 1 else {
            throw failure("a back-reference cannot be matched in linear time", at: start)
        }
        return try scalar(value, from: start)
    }

    private func scalar(_ value: UInt32, from start: Int) throws(PatternError) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(value) else { throw failure("this is no code point", at: start) }
        return scalar
    }

    // MARK: Classes

    /// What follows a `[`, the `]` included.
    mutating func parseClass(from start: Int) throws(PatternError) -> ScalarSet {
        var set = ScalarSet()
        set.ignoresCase = flags.ignoresCase
        set.isNegated = take("^" as Unicode.Scalar)
        var isFirst = true
        while true {
            guard let scalar = next else { throw failure("this '[' is not closed", at: start) }
            // RE2 takes a ']' that comes first as itself; in ECMA-262 it closes an empty class.
            if scalar == "]", !isFirst || dialect == .ecma262 { break }
            isFirst = false
            try parseItem(into: &set, from: start)
        }
        position += 1
        return set.finished()
    }

    private mutating func parseItem(into set: inout ScalarSet, from start: Int) throws(PatternError) {
        if dialect == .re2, next == "[", peek(1) == ":" {
            set.insert(try posixClass())
            return
        }
        let itemStart = position
        let low: Unicode.Scalar
        switch try classAtom() {
        case .set(let subset):
            set.insert(subset)
            if next == "-", let after = peek(1), after != "]" {
                throw failure("a class such as \\d is no end of a range", at: itemStart)
            }
            return
        case .scalar(let scalar): low = scalar
        }
        guard next == "-", let after = peek(1), after != "]" else {
            set.insert(low...low)
            return
        }
        position += 1
        guard case .scalar(let high) = try classAtom() else {
            throw failure("a class such as \\d is no end of a range", at: itemStart)
        }
        guard low <= high else { throw failure("the ends of this range are the wrong way round", at: itemStart) }
        set.insert(low...high)
    }

    private mutating func classAtom() throws(PatternError) -> Escape {
        let start = position
        guard let scalar = next else { throw failure("this class is not closed", at: start) }
        position += 1
        guard scalar == "\\" else { return .scalar(scalar) }
        if dialect == .ecma262, take("b" as Unicode.Scalar) { return .scalar("\u{08}") }
        return try escape(from: start)
    }

    /// `[:alpha:]`, `[:^alpha:]`
    private mutating func posixClass() throws(PatternError) -> ScalarSet {
        let start = position
        position += 2
        let isNegated = take("^" as Unicode.Scalar)
        var name = ""
        while let scalar = next, scalar != ":", name.utf8.count < 16 {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(":]"), let set = ScalarSet.posix(name) else {
            throw failure("there is no class [:\(name):]", at: start)
        }
        return isNegated ? set.negated : set
    }
}

extension Unicode.Scalar {
    fileprivate var hexValue: UInt32? { isASCII ? UInt8(value).hexValue : nil }
}
