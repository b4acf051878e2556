import WaybillCore
import WaybillExpressions

extension SchemaEvaluation {
    mutating func checkObject(
        _ keyword: Keyword, _ number: Int, _ object: Object, _ evaluated: inout EvaluatedParts
    ) -> Bool {
        switch keyword {
        case .memberCounts(let minimum, let maximum):
            if let minimum, object.count < minimum {
                return collects
                    && fail(number, "minProperties", "must have at least \(minimum.members), has \(object.count)")
            }
            if let maximum, object.count > maximum {
                return collects
                    && fail(number, "maxProperties", "must have at most \(maximum.members), has \(object.count)")
            }
            return true
        case .required(let names):
            var isValid = true
            for name in names where object[name] == nil {
                isValid = collects && fail(number, "required", "the member '\(name)' is missing")
            }
            return isValid
        case .dependentRequired(let dependents):
            var isValid = true
            for (member, others) in dependents where object[member] != nil {
                for other in others where object[other] == nil {
                    isValid =
                        collects
                        && fail(number, "dependentRequired", "'\(member)' needs the member '\(other)' beside it")
                }
            }
            return isValid
        case .members(let members):
            return checkMembers(number, object, members, &evaluated)
        case .memberNames(let schema):
            return checkNames(number, object, schema)
        case .dependentSchemas(let schemas, _):
            var isValid = true
            for (member, schema) in schemas where object[member] != nil {
                if !apply(schema, to: .object(object), &evaluated) {
                    isValid = false
                    if !collects { return false }
                }
            }
            return isValid
        case .unevaluatedMembers(let schema):
            return checkUnevaluated(number, object, schema, &evaluated)
        default: return true
        }
    }

    private mutating func checkMembers(
        _ number: Int, _ object: Object, _ members: MemberKeywords, _ evaluated: inout EvaluatedParts
    ) -> Bool {
        var isValid = true
        var matched = EvaluatedParts()
        // Both lists are sorted the same way, so that one walk finds the named members.
        var next = 0
        for index in object.indices {
            let (name, value) = object[index]
            while next < members.named.count, members.named[next].name.precedesInCodePoints(name) { next += 1 }
            if next < members.named.count, members.named[next].name.isIdenticalUTF8(to: name) {
                matched.insert(index)
                if !apply(members.named[next].schema, to: value, at: .member(name)) { isValid = false }
            }
            for (pattern, schema) in members.patterns where pattern.matches(name) {
                matched.insert(index)
                if !apply(schema, to: value, at: .member(name)) { isValid = false }
            }
            if let schema = members.additional, !matched.contains(index) {
                matched.insert(index)
                if members.refusesOthers {
                    isValid = collects && fail(number, "additionalProperties", refusal(name, members))
                } else if !apply(schema, to: value, at: .member(name)) {
                    isValid = false
                }
            }
            if !isValid && !collects { return false }
        }
        if schema.tracksEvaluated { evaluated.formUnion(matched) }
        return isValid
    }

    private func refusal(_ name: String, _ members: MemberKeywords) -> String {
        let hint = Suggestion.hint(for: name, among: members.named.map(\.name)).map { "; \($0)" } ?? ""
        return "the member '\(name)' is not allowed\(hint)"
    }

    private mutating func checkNames(_ number: Int, _ object: Object, _ schema: Int) -> Bool {
        var isValid = true
        for (name, _) in object {
            var evaluated = EvaluatedParts()
            if !test(schema, .string(name), &evaluated) {
                isValid = false
                guard collects else { return false }
                let why = reasons(schema, .string(name)).first.map { ": \($0.reason)" } ?? ""
                _ = collects && fail(number, "propertyNames", "the name '\(name)' is not allowed\(why)")
            }
        }
        return isValid
    }

    private mutating func checkUnevaluated(
        _ number: Int, _ object: Object, _ schema: Int, _ evaluated: inout EvaluatedParts
    ) -> Bool {
        var isValid = true
        for index in object.indices where !evaluated.contains(index) {
            if !apply(schema, to: object[index].value, at: .member(object[index].key)) {
                isValid = false
                if !collects { return false }
            }
            evaluated.insert(index)
        }
        return isValid
    }
}

extension Int {
    fileprivate var members: String { self == 1 ? "1 member" : "\(self) members" }
}
