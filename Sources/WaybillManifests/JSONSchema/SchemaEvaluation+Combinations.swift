import WaybillCore

extension SchemaEvaluation {
    mutating func checkCombination(
        _ keyword: Keyword, _ number: Int, _ instance: Value, _ evaluated: inout EvaluatedParts
    ) -> Bool {
        switch keyword {
        case .allOf(let schemas):
            var isValid = true
            for schema in schemas where !apply(schema, to: instance, &evaluated) {
                isValid = false
                if !collects { return false }
            }
            return isValid
        case .anyOf(let schemas):
            return checkAny(number, schemas, instance, &evaluated)
        case .oneOf(let schemas):
            return checkOne(number, schemas, instance, &evaluated)
        case .not(let schema):
            var ignored = EvaluatedParts()
            if !test(schema, instance, &ignored) { return true }
            return collects && fail(number, "not", "is what the schema excludes" + got(instance))
        case .condition(let condition, let then, let otherwise):
            let branch = test(condition, instance, &evaluated) ? then : otherwise
            guard let branch else { return true }
            return apply(branch, to: instance, &evaluated)
        case .reference(let schema):
            return apply(schema, to: instance, &evaluated)
        case .dynamicReference(let first, let anchor):
            // The outermost resource that has the anchor decides.
            let outermost = scopes.first { schema.scopes[$0].dynamicAnchors[anchor] != nil }
            let target = outermost.flatMap { schema.scopes[$0].dynamicAnchors[anchor] }
            return apply(target ?? first, to: instance, &evaluated)
        default: return true
        }
    }

    private mutating func checkAny(
        _ number: Int, _ schemas: [Int], _ instance: Value, _ evaluated: inout EvaluatedParts
    ) -> Bool {
        var isValid = false
        for schema in schemas where test(schema, instance, &evaluated) {
            isValid = true
            // The others still count for what they evaluate.
            if !self.schema.tracksEvaluated { return true }
        }
        if isValid { return true }
        return collects && fail(number, "anyOf", alternatives(schemas, instance))
    }

    private mutating func checkOne(
        _ number: Int, _ schemas: [Int], _ instance: Value, _ evaluated: inout EvaluatedParts
    ) -> Bool {
        var found: [Int] = []
        for (index, schema) in schemas.enumerated() where test(schema, instance, &evaluated) {
            found.append(index)
            if found.count == 2 { break }
        }
        switch found.count {
        case 1: return true
        case 0: return collects && fail(number, "oneOf", alternatives(schemas, instance))
        default:
            return collects
                && fail(
                    number, "oneOf", "fits alternatives \(found[0] + 1) and \(found[1] + 1), and may fit only one")
        }
    }

    /// Why none of the alternatives fits: one reason each, for the first three.
    private mutating func alternatives(_ schemas: [Int], _ instance: Value) -> String {
        var found: [String] = []
        for schema in schemas.prefix(3) {
            if let reason = reasons(schema, instance).first { found.append(reason.message) }
        }
        if schemas.count == 1 { return found.first ?? "does not fit" }
        let more = schemas.count > 3 ? "; ..." : ""
        return "fits none of \(schemas.count) alternatives (\(found.joined(separator: "; "))\(more))"
    }
}
