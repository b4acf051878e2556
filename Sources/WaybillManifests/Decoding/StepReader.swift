import WaybillCore
import WaybillExpressions

/// Makes definitions of steps and states.
struct StepReader {
    let report: Report
    let expressions: ExpressionReader
    let values: ValueReader
    let scopes: WorkflowScopes
    let outline: StepOutline
    let variables: [VariableDefinition]
    /// The folder of the workflow's file, which relative programs stand in.
    let folder: String
    let exists: (String) -> Bool

    /// Nil after reporting why.
    func step(at index: Int) -> StepDefinition? {
        let outlined = outline.steps[index]
        let fields = outlined.fields
        checkModifiers(fields, of: outlined)
        var before = scopes.before(index)
        var after = scopes.after(index, outlined.output)
        let condition = fields.node("if").flatMap { expressions.condition($0, in: before) }
        if let condition {
            before.facts = ConditionFacts(condition)
            after.facts = before.facts
        }
        let environment = expressions.arguments(fields.entries("env"), in: before)
        let verifications = fields.list("verify").compactMap { expressions.condition($0, in: after) }
        let updates = updates(fields, in: after)
        let next = next(fields, in: after)
        let output = output(fields)
        let action = ActionReader(step: self, fields: fields, before: before, after: after).action()
        guard let action else { return nil }

        var step = StepDefinition(id: outlined.id, place: report.place(outlined.mark), action: action)
        step.needs = outlined.needs
        step.condition = condition
        step.next = next
        step.updates = updates
        step.environment = environment
        step.timeout = timeout(fields)
        step.output = output
        step.artifacts = fields.texts("artifacts")
        step.verifications = verifications
        step.continueOnError = fields.flag("continueOnError") ?? false
        step.maxVisits = fields.integer("maxVisits") ?? step.maxVisits
        step.sideEffects = fields.word("sideEffects") ?? .effect
        step.onUnknown =
            switch fields.text("onUnknown") {
            case "retry": .retry
            case "fail": .fail
            case "ask": .ask
            default: step.sideEffects == .effect ? .ask : .retry
            }
        return step
    }

    /// Reports modifiers that mean nothing for the step's action.
    private func checkModifiers(_ fields: Fields, of step: StepOutline.Step) {
        guard let action = step.action, Grammar.step.field(action)?.isOffered == true else { return }
        for member in fields.members {
            guard let field = Grammar.step.field(member.key), !field.actions.isEmpty else { continue }
            if !field.actions.contains(action) {
                report.error(
                    "`\(member.key)` means nothing for `\(action)`", at: member.keyMark,
                    hint: "it belongs to \(Phrase.alternatives(field.actions))")
            }
        }
    }

    private func timeout(_ fields: Fields) -> Duration? {
        guard let ask = fields.fields("ask"), let inner = ask.member("timeout") else {
            return fields.duration("timeout")
        }
        if fields.node("timeout") != nil {
            report.error(
                "`timeout` stands in `ask` and beside it", at: inner.keyMark, hint: "keep the one in `ask`")
        }
        return ask.duration("timeout")
    }

    private func updates(_ fields: Fields, in scope: ExpressionScope) -> [NamedTemplate] {
        var appended: [YAMLMember] = []
        for member in fields.entries("update") {
            guard let variable = variables.first(where: { $0.name == member.key }) else {
                let names = variables.map(\.name)
                report.error(
                    "`update` names the variable `\(member.key)`, which `vars` does not declare", at: member.keyMark,
                    hint: Suggestion.hint(for: member.key, among: names) ?? "declare it in `vars`")
                continue
            }
            appended += variable.merge == .append ? [member] : []
        }
        let updates = expressions.named(fields.entries("update"), in: scope)
        for member in appended {
            guard let shape = updates.first(where: { $0.name == member.key })?.template.shape else { continue }
            switch shape {
            case .dyn, .list, .optional: break
            default:
                report.error(
                    "`\(member.key)` is appended to, so its update must be a list, got \(Phrase.article(shape.word))",
                    at: member.node.mark, hint: "put it in brackets: `${{ [output] }}`")
            }
        }
        return updates
    }

    private func next(_ fields: Fields, in scope: ExpressionScope) -> [Transition] {
        guard let node = fields.node("next") else { return [] }
        if let id = node.text {
            return [Transition(condition: nil, to: outline.indices[id], place: report.place(node.mark))]
        }
        return fields.list("next").compactMap { entry in
            guard let fields = Fields(entry), let to = fields.text("to") else { return nil }
            return Transition(
                condition: fields.node("if").flatMap { expressions.condition($0, in: scope) }, to: outline.indices[to],
                place: report.place(entry.mark))
        }
    }

    private func output(_ fields: Fields) -> OutputDefinition? {
        guard let node = fields.node("output") else { return nil }
        if let format = node.text.flatMap(OutputDefinition.Format.init) { return OutputDefinition(format: format) }
        guard let fields = Fields(node) else { return nil }
        let schema = values.schema(fields.node("schema"))
        guard let format = fields.word("format", OutputDefinition.Format.self) else { return nil }
        var output = OutputDefinition(
            source: fields.word("from") ?? .stdout, format: format, schema: schema?.schema, schemaValue: schema?.value)
        if let size = fields.scalar("maxSize").flatMap(ScalarRule.bytes) { output.maxSize = size }
        return output
    }
}
