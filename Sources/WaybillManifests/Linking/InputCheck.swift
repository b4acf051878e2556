import WaybillCore
import WaybillExpressions

/// Compares what a step gives with what its workflow or capability takes.
struct InputCheck {
    /// With its article: "the workflow `build`".
    let taker: String
    let inputs: [InputDefinition]

    /// - Parameters:
    ///   - given: the entries of `with`.
    ///   - place: where a missing one is reported.
    func check(_ given: [NamedTemplate], at place: SourcePlace) -> [Diagnostic] {
        var diagnostics = problems(given.map { ($0.name, $0.place) }, at: place, field: "with")
        for entry in given {
            guard let input = inputs.first(where: { $0.name.isIdenticalUTF8(to: entry.name) }),
                let value = entry.template.constant, let violation = input.schema.validate(value).first
            else { continue }
            diagnostics.append(
                Diagnostic(
                    message: "`\(entry.name)` does not fit the schema of \(taker): \(violation.message)",
                    place: entry.place))
        }
        return diagnostics
    }

    /// The same for values that stand in a manifest.
    func check(_ given: YAMLNode?, at mark: YAMLMark, _ report: Report) {
        let members = Fields(given)?.members ?? []
        report.add(
            problems(
                members.map { ($0.key, report.place($0.keyMark)) }, at: report.place(mark), field: "inputs"))
        for member in members {
            guard let input = inputs.first(where: { $0.name.isIdenticalUTF8(to: member.key) }) else { continue }
            ValueReader(report: report).check(
                member.node, value: member.node.value, fits: input.schema, subject: "`\(member.key)`")
        }
    }

    private func problems(
        _ given: [(name: String, place: SourcePlace)], at place: SourcePlace, field: String
    ) -> [Diagnostic] {
        let names = inputs.map(\.name)
        var diagnostics: [Diagnostic] = []
        var meant: Set<String> = []
        for entry in given where !names.contains(where: { $0.isIdenticalUTF8(to: entry.name) }) {
            let closest = Suggestion.closest(to: entry.name, among: names)
            if let closest { meant.insert(closest) }
            let few = names.isEmpty ? "it takes none" : "it takes \(Phrase.enumeration(names))"
            diagnostics.append(
                Diagnostic(
                    message: "\(taker) has no input `\(entry.name)`", place: entry.place,
                    hint: closest.map { "did you mean '\($0)'?" } ?? few))
        }
        for input in inputs where input.defaultValue == nil && !meant.contains(input.name) {
            if !given.contains(where: { $0.name.isIdenticalUTF8(to: input.name) }) {
                diagnostics.append(
                    Diagnostic(
                        message: "\(taker) needs the input `\(input.name)`", place: place,
                        hint: "add it to `\(field)`"))
            }
        }
        return diagnostics
    }
}
