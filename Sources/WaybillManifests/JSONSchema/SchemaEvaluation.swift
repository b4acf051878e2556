import WaybillCore

/// One value on its way through a schema.
struct SchemaEvaluation {
    /// More is told to nobody.
    private static let mostViolations = 100
    /// A schema that refers to itself, or a value, can nest applications only so deep.
    private static let deepest = 1_000
    /// References can multiply work beyond any use: so many applications are free, and so many more for each part of
    /// the value.
    private static let freeSteps = 500_000
    private static let stepsPerPart = 100

    enum PathStep {
        case member(String)
        case item(Int)
    }

    let schema: JSONSchema
    let echoesValues: Bool
    private(set) var violations: [SchemaViolation] = []
    /// Whether violations are wanted; if not, the first one ends the matter.
    private(set) var collects: Bool

    private var path: [PathStep] = []
    /// The resources entered on the way, outermost first.
    private(set) var scopes: [Int] = []
    private var depth = 0
    private var stepsLeft = 0
    /// A limit was reached: nothing that follows is trustworthy.
    private var isExhausted = false

    init(_ schema: JSONSchema, collects: Bool, echoesValues: Bool) {
        self.schema = schema
        self.collects = collects
        self.echoesValues = echoesValues
    }

    mutating func run(_ instance: Value) -> Bool {
        var evaluated = EvaluatedParts()
        stepsLeft = Self.freeSteps + Self.stepsPerPart * instance.partCount
        return apply(0, to: instance, &evaluated) && !isExhausted
    }

    // MARK: Applying schemas

    /// Applies a node to the value at the current place; what it evaluated is added if the value is valid.
    mutating func apply(_ number: Int, to instance: Value, _ evaluated: inout EvaluatedParts) -> Bool {
        guard enter(number) else { return false }
        let resource = schema.nodes[number].resource
        let opensScope = scopes.last != resource
        if opensScope { scopes.append(resource) }
        var own = EvaluatedParts()
        var isValid = true
        for keyword in schema.nodes[number].keywords {
            if !check(keyword, of: number, instance, &own) {
                isValid = false
                if !collects { break }
            }
            if isExhausted { break }
        }
        if isValid, schema.tracksEvaluated { evaluated.formUnion(own) }
        if opensScope { scopes.removeLast() }
        depth -= 1
        return isValid && !isExhausted
    }

    /// Applies a node to a part of the value.
    mutating func apply(_ number: Int, to part: Value, at step: PathStep) -> Bool {
        path.append(step)
        var evaluated = EvaluatedParts()
        let isValid = apply(number, to: part, &evaluated)
        path.removeLast()
        return isValid
    }

    /// Applies a node without telling anybody what is wrong.
    mutating func test(_ number: Int, _ instance: Value, _ evaluated: inout EvaluatedParts) -> Bool {
        let wasCollecting = collects
        collects = false
        let isValid = apply(number, to: instance, &evaluated)
        collects = wasCollecting
        return isValid
    }

    mutating func test(_ number: Int, _ part: Value, at step: PathStep) -> Bool {
        let wasCollecting = collects
        collects = false
        let isValid = apply(number, to: part, at: step)
        collects = wasCollecting
        return isValid
    }

    private mutating func enter(_ number: Int) -> Bool {
        guard !isExhausted else { return false }
        stepsLeft -= 1
        depth += 1
        if depth > Self.deepest || stepsLeft < 0 {
            depth -= 1
            isExhausted = true
            let reason =
                stepsLeft >= 0
                ? "the schema and the value nest too deep, or the schema refers to itself without end"
                : "checking this value against the schema takes too long"
            violations = [violation(reason, number, keyword: nil)]
            return false
        }
        return true
    }

    // MARK: What is wrong

    /// Notes a violation; always false, for use as the result of a check.
    mutating func fail(_ number: Int, _ keyword: String, _ reason: String) -> Bool {
        if collects, !isExhausted, violations.count < Self.mostViolations {
            violations.append(violation(reason, number, keyword: keyword))
        }
        return false
    }

    /// What a node finds wrong with a value, which is not noted.
    mutating func reasons(_ number: Int, _ instance: Value) -> [SchemaViolation] {
        guard !isExhausted else { return [] }
        let noted = violations
        violations = []
        var evaluated = EvaluatedParts()
        _ = apply(number, to: instance, &evaluated)
        let found = violations
        if !isExhausted { violations = noted }
        return found
    }

    private func violation(_ reason: String, _ number: Int, keyword: String?) -> SchemaViolation {
        var pointer = JSONPointer()
        var text = ""
        for step in path {
            switch step {
            case .item(let index):
                pointer.tokens.append(String(index))
                text += "[\(index)]"
            case .member(let name):
                pointer.tokens.append(name)
                text += Self.isPlain(name) ? (text.isEmpty ? name : "." + name) : "[\(Self.quoted(.string(name)))]"
            }
        }
        let location = schema.nodes[number].location + (keyword.map { "/" + $0 } ?? "")
        return SchemaViolation(instance: pointer, schema: location, reason: reason, path: text)
    }

    private static func isPlain(_ name: String) -> Bool {
        guard let first = name.utf8.first, first.isLetter || first == UInt8(ascii: "_") else { return false }
        return name.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    /// `, got "x"`, or nothing where values may not be quoted.
    func got(_ value: Value) -> String {
        echoesValues ? ", got \(Self.quoted(value))" : ""
    }

    /// A value as JSON, cut where it is long.
    static func quoted(_ value: Value) -> String {
        let text: String
        switch value {
        case .list: text = "an array"
        case .object: text = "an object"
        default: text = String(decoding: JSON.compact(value), as: UTF8.self)
        }
        return text.count > 60 ? text.prefix(57) + "..." : text
    }
}
