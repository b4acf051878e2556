import WaybillCore
import WaybillExpressions

extension SchemaEvaluation {
    /// Whether the value satisfies one keyword. Keywords for other types than the value's say nothing.
    mutating func check(
        _ keyword: Keyword, of number: Int, _ instance: Value, _ evaluated: inout EvaluatedParts
    ) -> Bool {
        switch keyword {
        case .never:
            return collects && fail(number, "", "is not allowed")
        case .types(let types):
            if !types.isDisjoint(with: instance.schemaTypes) { return true }
            return collects && fail(number, "type", "expected \(types.text), got \(instance.schemaTypeName)")
        case .oneOfValues(let values, let written, let name):
            return checkValues(values, written, name, number, instance)
        case .multipleOf, .maximum, .exclusiveMaximum, .minimum, .exclusiveMinimum:
            return checkNumber(keyword, number, instance)
        case .lengths, .pattern, .format:
            guard case .string(let text) = instance else { return true }
            return checkText(keyword, number, text)
        case .itemCounts, .uniqueItems, .items, .contains, .unevaluatedItems:
            guard case .list(let items) = instance else { return true }
            return checkItems(keyword, number, items, &evaluated)
        case .memberCounts, .required, .dependentRequired, .members, .memberNames, .dependentSchemas,
            .unevaluatedMembers:
            guard case .object(let object) = instance else { return true }
            return checkObject(keyword, number, object, &evaluated)
        default:
            return checkCombination(keyword, number, instance, &evaluated)
        }
    }

    private mutating func checkValues(
        _ values: Set<Value>, _ written: [Value], _ name: String, _ number: Int, _ instance: Value
    ) -> Bool {
        if values.contains(instance.withWholeNumbersAsInts) { return true }
        let shown = written.prefix(8).map(Self.quoted).joined(separator: ", ")
        let more = written.count > 8 ? ", ... (\(written.count) in all)" : ""
        let wanted = written.count == 1 ? "expected \(shown)" : "expected one of \(shown)\(more)"
        return collects && fail(number, name, wanted + got(instance))
    }

    private mutating func checkNumber(_ keyword: Keyword, _ number: Int, _ instance: Value) -> Bool {
        guard let value = DecimalNumber(instance) else { return true }
        switch keyword {
        case .multipleOf(let divisor, let written):
            if value.isMultiple(of: divisor) { return true }
            return collects
                && fail(number, "multipleOf", "must be a multiple of \(Self.quoted(written))" + got(instance))
        case .maximum(let bound):
            if !isLess(bound, instance) { return true }
            return collects && fail(number, "maximum", "must be at most \(Self.quoted(bound))" + got(instance))
        case .exclusiveMaximum(let bound):
            if isLess(instance, bound) { return true }
            return collects
                && fail(number, "exclusiveMaximum", "must be less than \(Self.quoted(bound))" + got(instance))
        case .minimum(let bound):
            if !isLess(instance, bound) { return true }
            return collects && fail(number, "minimum", "must be at least \(Self.quoted(bound))" + got(instance))
        case .exclusiveMinimum(let bound):
            if isLess(bound, instance) { return true }
            return collects
                && fail(number, "exclusiveMinimum", "must be more than \(Self.quoted(bound))" + got(instance))
        default: return true
        }
    }

    private mutating func checkText(_ keyword: Keyword, _ number: Int, _ text: String) -> Bool {
        switch keyword {
        case .lengths(let minimum, let maximum):
            let count = text.unicodeScalars.count
            if let minimum, count < minimum {
                return collects && fail(number, "minLength", "must have at least \(minimum.characters), has \(count)")
            }
            if let maximum, count > maximum {
                return collects && fail(number, "maxLength", "must have at most \(maximum.characters), has \(count)")
            }
            return true
        case .pattern(let pattern):
            if pattern.matches(text) { return true }
            return collects
                && fail(number, "pattern", "does not match the pattern '\(pattern.source)'" + got(.string(text)))
        case .format(let format):
            if format.accepts(text) { return true }
            return collects && fail(number, "format", "is no \(format.rawValue)" + got(.string(text)))
        default: return true
        }
    }
}

extension Int {
    fileprivate var characters: String { self == 1 ? "1 character" : "\(self) characters" }
}
