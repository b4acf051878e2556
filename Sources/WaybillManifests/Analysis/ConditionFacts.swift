import WaybillExpressions

/// What a step's `if` tells about other steps, for the step's other fields.
struct ConditionFacts {
    /// Members that are there.
    var known: [[String]] = []
    /// Conditions that hold.
    var sources: [String] = []

    init() {}

    /// Takes a condition that holds into account.
    mutating func add(_ condition: Expression) {
        known += condition.impliedMembers
        sources.append(condition.source)
    }

    /// The parts of the conditions joined by `&&`, each as text without blanks.
    var conjuncts: Set<String> {
        sources.reduce(into: []) { $0.formUnion(ConditionText.conjuncts($1)) }
    }
}

/// Compares conditions as texts.
enum ConditionText {
    /// The parts joined by `&&` outside brackets; the whole where `||` or `?` stands beside them.
    static func conjuncts(_ source: String) -> Set<String> {
        var whole = ""
        var parts = [""]
        var hasAlternatives = false
        var depth = 0
        var quote: Character?
        var isEscaped = false
        for character in source {
            if let open = quote {
                if character == open, !isEscaped { quote = nil }
                isEscaped = character == "\\" && !isEscaped
            } else {
                switch character {
                case "\"", "'": quote = character
                case "(", "[", "{": depth += 1
                case ")", "]", "}": depth -= 1
                case _ where character.isWhitespace: continue
                // `.?` asks for an optional member; any other question mark chooses.
                case "?" where depth == 0 && whole.last != ".": hasAlternatives = true
                case "|" where depth == 0: hasAlternatives = true
                default: break
                }
            }
            whole.append(character)
            parts[parts.count - 1].append(character)
            if depth == 0, quote == nil, parts[parts.count - 1].hasSuffix("&&") {
                parts[parts.count - 1].removeLast(2)
                parts.append("")
            }
        }
        return hasAlternatives ? [whole] : Set(parts)
    }

    /// A condition without the `${{ }}` that may stand around it.
    static func bare(_ text: String) -> String {
        let trimmed = text.drop(while: \.isWhitespace)
        guard trimmed.hasPrefix("${{"), let end = trimmed.ranges(of: "}}").last else { return text }
        return String(trimmed[trimmed.index(trimmed.startIndex, offsetBy: 3)..<end.lowerBound])
    }
}
