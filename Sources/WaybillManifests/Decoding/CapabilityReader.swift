import WaybillCore
import WaybillExpressions

/// Makes a definition of a `kind: Capability` whose shape was checked.
struct CapabilityReader {
    let report: Report
    let fields: Fields
    let exists: (String) -> Bool

    /// What its step is called: addresses and ledgers name the step that uses it.
    static let stepID = "capability"

    /// Nil where it is too broken to be used; everything that is wrong has been reported then.
    func read() -> CapabilityDefinition? {
        let values = ValueReader(report: report)
        let inputs = values.inputs(fields.entries("inputs"))
        let output = values.schema(fields.node("output"))
        let step = step(inputs, outputShape(output?.value))
        guard let name = fields.text("name"),
            let version = fields.text("version").flatMap({ try? SemanticVersion($0) }), var step, !report.hasErrors
        else { return nil }
        if let output {
            step.output = OutputDefinition(format: .json, schema: output.schema, schemaValue: output.value)
            if case .check(let plan) = step.onUnknown { step.onUnknown = .check(plan.giving(step.output)) }
        }
        let mark = fields.node("name")?.mark ?? fields.mark
        var capability = CapabilityDefinition(
            name: name, version: version, place: report.place(mark), sourcePath: report.path, step: step)
        capability.inputs = inputs
        capability.outputSchema = output?.value
        return capability
    }

    private func outputShape(_ schema: Value?) -> StepOutline.OutputShape {
        if let schema { return .shape(TypeShape(schema: schema)) }
        return fields.node("http") != nil ? .shape(OutputShapes.response) : .none
    }

    private func step(_ inputs: [InputDefinition], _ output: StepOutline.OutputShape) -> StepDefinition? {
        let context = ReadingContext(report: report, exists: exists, capability: { _ in nil })
        let outline = StepOutline(
            shape: .graph, steps: [], order: .graph(GraphOrder(needs: [], traits: [], order: [])))
        let scopes = StepScopes(
            outline,
            names: [
                "inputs": .object(of: inputs.map { ($0.name, TypeShape(schema: $0.schemaValue)) }),
                "run": WorkflowScopes.run,
            ])
        // A capability's `output` is a schema, unlike a step's.
        let members = fields.members.filter { Grammar.capabilityStepFields.contains($0.key) }
        guard let own = Fields(YAMLNode(content: .mapping(members), mark: fields.mark)) else { return nil }
        let subject = StepReader.Subject(
            id: Self.stepID, mark: fields.node("name")?.mark ?? fields.mark, fields: own,
            before: scopes.before(0), after: scopes.after(0, output))
        checkFields(own)
        let step = StepReader(context, scopes).body(subject)
        if let inner = step?.compensation?.step, !["run", "http"].contains(inner.action.name) {
            report.error(
                "a capability is undone by `run` or `http`, not by `\(inner.action.name)`", at: inner.place)
        }
        return step
    }

    /// Reports fields that mean nothing for its action.
    private func checkFields(_ own: Fields) {
        let action = own.node("run") != nil ? "run" : "http"
        for member in own.members {
            guard let field = Grammar.step.field(member.key), !field.actions.isEmpty else { continue }
            if !field.actions.contains(action) {
                report.error(
                    "`\(member.key)` means nothing for `\(action)`", at: member.keyMark,
                    hint: "it belongs to \(Phrase.alternatives(field.actions))")
            }
        }
    }
}

extension Plan {
    /// What a check prints is the output of the attempt it looks for.
    fileprivate func giving(_ output: OutputDefinition?) -> Plan {
        mapping { step in
            var step = step
            step.output = output
            return step
        }
    }
}
