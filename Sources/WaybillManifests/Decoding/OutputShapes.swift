import WaybillCore
import WaybillExpressions

/// What a step's fields say about its output, before anything is evaluated.
struct OutputShapes {
    let capability: (CapabilityReference) -> CapabilityDefinition?
    /// The names of a workflow's outputs; nil where nobody knows them.
    let outputs: (String) -> [String]?

    /// The output of a step; of one with `forEach` the list of its items' outputs.
    func output(of step: Fields, inner: StepOutline?) -> StepOutline.OutputShape {
        let item = itemOutput(of: step, inner: inner)
        guard step.node("forEach") != nil else { return item }
        let collects = step.fields("forEach")?.text("onItemFailure") == "collect"
        return .shape(.list(collects ? .nullable(item.shape) : item.shape))
    }

    /// The output of one visit of the action, or of one item.
    func itemOutput(of step: Fields, inner: StepOutline?) -> StepOutline.OutputShape {
        let own = actionOutput(of: step, inner: inner)
        // A failure that is caught may leave anything behind.
        let catches = step.list("catch").compactMap { Fields($0)?.node("output") }
        return catches.isEmpty ? own : .shape(.dyn)
    }

    private func actionOutput(of step: Fields, inner: StepOutline?) -> StepOutline.OutputShape {
        if step.node("run") != nil { return ofProcess(step) }
        if step.node("http") != nil { return .shape(Self.response) }
        if let ask = step.fields("ask") { return .shape(ofAnswer(ask)) }
        if let wait = step.fields("wait") { return ofWait(wait, step) }
        if step.node("first") != nil { return .shape(.object(["first": .string, "value": .dyn])) }
        if step.node("emit") != nil { return .shape(.object(["id": .string, "seq": .int])) }
        if let call = step.fields("call") {
            if call.flag("detach") == true { return .shape(.object(["run": .string])) }
            let names = call.text("workflow").flatMap(outputs) ?? []
            return .shape(names.isEmpty ? .dyn : .object(of: names.map { ($0, .dyn) }))
        }
        if let inner { return .shape(ofGroup(inner)) }
        if let reference = step.text("uses").flatMap(Names.capability) {
            return .shape(capability(reference)?.outputSchema.map { TypeShape(schema: $0) } ?? .dyn)
        }
        if step.node("set") != nil || step.node("snapshot") != nil {
            let names = step.entries("set").map { ($0.key, TypeShape.dyn) }
            return .shape(
                names.isEmpty ? .dyn : .object(Dictionary(names, uniquingKeysWith: { first, _ in first })))
        }
        return .none
    }

    private func ofProcess(_ step: Fields) -> StepOutline.OutputShape {
        guard let node = step.node("output") else { return .none }
        let output = Fields(node)
        if let schema = output?.node("schema") { return .shape(TypeShape(schema: schema.value)) }
        switch node.text ?? output?.text("format") {
        case "lines": return .shape(.list(.string))
        case "text": return .shape(.string)
        default: return .shape(.dyn)
        }
    }

    private func ofAnswer(_ ask: Fields) -> TypeShape {
        if let schema = ask.node("schema") { return TypeShape(schema: schema.value) }
        if ask.node("choices") != nil { return .string }
        if ask.node("approval") != nil { return .object(["approve": .bool, "comment": .string]) }
        return .dyn
    }

    private func ofWait(_ wait: Fields, _ step: Fields) -> StepOutline.OutputShape {
        if wait.node("event") != nil { return .shape(Self.event) }
        guard let job = wait.fields("job") else { return .none }
        return job.fields("poll")?.node("http") != nil ? .shape(Self.response) : ofProcess(step)
    }

    private func ofGroup(_ inner: StepOutline) -> TypeShape {
        let members = inner.steps.filter { !$0.id.isEmpty }.map { ($0.id, $0.output.shape) }
        return .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
    }

    static let response = TypeShape.object([
        "status": .int, "headers": .map(key: .string, value: .string), "body": .dyn,
    ])

    /// A CloudEvents 1.0 event with the attributes that Waybill knows, and any extension.
    static let event = TypeShape.openObject([
        "id": .string, "source": .string, "type": .string, "subject": .string, "time": .string, "data": .dyn,
        "key": .string, "specversion": .string,
    ])
}
