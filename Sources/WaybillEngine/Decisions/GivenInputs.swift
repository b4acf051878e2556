package import WaybillCore
import WaybillExpressions
package import WaybillManifests

/// Inputs as they are given to a run, a sub-run or a capability.
package enum GivenInputs {
    /// Why they do not fit: a sentence for each problem, beginning with the input's name.
    package struct Problems: Error, Sendable, Hashable {
        package var messages: [String]
    }

    /// Fills in defaults, and checks every input against its schema.
    package static func check(
        _ given: Object, against declared: [InputDefinition], of owner: String
    ) throws(Problems) -> Object {
        var problems: [String] = []
        var inputs = Object()
        for input in declared {
            guard let value = given[input.name] ?? input.defaultValue else {
                problems.append("\(input.name): is required")
                continue
            }
            if ValueLimits.isTooDeep(value) {
                problems.append("\(input.name): is nested deeper than \(ValueLimits.depth) levels")
                continue
            }
            for violation in input.schema.validate(value) { problems.append("\(input.name): \(violation.message)") }
            // A schema's `number` gives a double, so that what was checked as one computes as one.
            inputs[input.name] = value.fitted(to: TypeShape(schema: input.schemaValue))
        }
        let names = declared.map(\.name)
        for name in given.keys where !names.contains(name) {
            let hint = Suggestion.hint(for: name, among: names).map { "; \($0)" } ?? ""
            problems.append("\(name): is no input of \(owner)\(hint)")
        }
        guard problems.isEmpty else { throw Problems(messages: problems) }
        return inputs
    }
}
