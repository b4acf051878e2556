/// A set of code points, as a class such as `[a-z\d]` describes it.
struct ScalarSet: Sendable {
    private var ranges: [ClosedRange<UInt32>] = []
    private var properties: [(property: ScalarProperty, isNegated: Bool)] = []
    private var subsets: [ScalarSet] = []
    var isNegated = false
    var ignoresCase = false
    /// The answers for ASCII, once the set is complete.
    private var ascii: (low: UInt64, high: UInt64)?

    init() {}

    init(_ ranges: [ClosedRange<Unicode.Scalar>], isNegated: Bool = false) {
        self.ranges = ranges.map { $0.lowerBound.value...$0.upperBound.value }
        self.isNegated = isNegated
    }

    init(_ property: ScalarProperty, isNegated: Bool) {
        properties = [(property, isNegated)]
    }

    mutating func insert(_ range: ClosedRange<Unicode.Scalar>) {
        ranges.append(range.lowerBound.value...range.upperBound.value)
    }

    mutating func insert(_ set: ScalarSet) { subsets.append(set) }

    /// Answers for ASCII are found once.
    func finished() -> ScalarSet {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for value in UInt8(0)..<128 where slowContains(Unicode.Scalar(value)) {
            if value < 64 { low |= 1 << UInt64(value) } else { high |= 1 << UInt64(value - 64) }
        }
        var set = self
        set.ascii = (low, high)
        return set
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value < 128, let ascii else { return slowContains(scalar) }
        return (scalar.value < 64 ? ascii.low >> UInt64(scalar.value) : ascii.high >> UInt64(scalar.value - 64)) & 1
            == 1
    }

    private func slowContains(_ scalar: Unicode.Scalar) -> Bool {
        let isInside = ignoresCase ? scalar.caseVariants.contains(where: holds) : holds(scalar)
        return isInside != isNegated
    }

    private func holds(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar.value) }
            || properties.contains { $0.property.contains(scalar) != $0.isNegated }
            || subsets.contains { $0.contains(scalar) }
    }
}

extension ScalarSet {
    static let digits = ScalarSet(["0"..."9"])
    static let word = ScalarSet(["0"..."9", "A"..."Z", "_"..."_", "a"..."z"])
    static let perlSpace = ScalarSet(["\t"..."\n", "\u{0C}"..."\r", " "..." "])
    /// ECMA-262, "WhiteSpace" and "LineTerminator".
    static let ecmaSpace = ScalarSet([
        "\t"..."\r", " "..." ", "\u{A0}"..."\u{A0}", "\u{1680}"..."\u{1680}", "\u{2000}"..."\u{200A}",
        "\u{2028}"..."\u{2029}", "\u{202F}"..."\u{202F}", "\u{205F}"..."\u{205F}", "\u{3000}"..."\u{3000}",
        "\u{FEFF}"..."\u{FEFF}",
    ])
    static let everything = ScalarSet(["\u{0}"..."\u{10FFFF}"]).finished()
    static let allButNewline = ScalarSet(["\n"..."\n"], isNegated: true).finished()
    static let allButLineEnds = ScalarSet(
        ["\n"..."\n", "\r"..."\r", "\u{2028}"..."\u{2029}"], isNegated: true
    ).finished()

    var negated: ScalarSet {
        var outer = ScalarSet()
        outer.insert(self)
        outer.isNegated = true
        return outer
    }

    /// The classes POSIX names between `[:` and `:]`.
    static func posix(_ name: String) -> ScalarSet? {
        switch name {
        case "alnum": ScalarSet(["0"..."9", "A"..."Z", "a"..."z"])
        case "alpha": ScalarSet(["A"..."Z", "a"..."z"])
        case "ascii": ScalarSet(["\u{0}"..."\u{7F}"])
        case "blank": ScalarSet(["\t"..."\t", " "..." "])
        case "cntrl": ScalarSet(["\u{0}"..."\u{1F}", "\u{7F}"..."\u{7F}"])
        case "digit": digits
        case "graph": ScalarSet(["!"..."~"])
        case "lower": ScalarSet(["a"..."z"])
        case "print": ScalarSet([" "..."~"])
        case "punct": ScalarSet(["!"..."/", ":"..."@", "["..."`", "{"..."~"])
        case "space": ScalarSet(["\t"..."\r", " "..." "])
        case "upper": ScalarSet(["A"..."Z"])
        case "word": word
        case "xdigit": ScalarSet(["0"..."9", "A"..."F", "a"..."f"])
        default: nil
        }
    }
}

extension Unicode.Scalar {
    var isWordScalar: Bool { ScalarSet.word.contains(self) }

    /// The scalar itself and what it becomes in the other case, where that is one scalar.
    var caseVariants: [Unicode.Scalar] {
        let lower = properties.lowercaseMapping.onlyScalar ?? self
        let upper = properties.uppercaseMapping.onlyScalar ?? self
        return [
            self, lower, upper, upper.properties.lowercaseMapping.onlyScalar ?? upper,
            lower.properties.uppercaseMapping.onlyScalar ?? lower,
        ]
    }

    /// One scalar for all its cases.
    var caseFolded: Unicode.Scalar {
        let upper = properties.uppercaseMapping.onlyScalar ?? self
        return upper.properties.lowercaseMapping.onlyScalar ?? upper
    }
}

extension String {
    fileprivate var onlyScalar: Unicode.Scalar? {
        let scalars = unicodeScalars
        return scalars.count == 1 ? scalars.first : nil
    }
}
