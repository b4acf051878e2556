import WaybillCore
import WaybillExpressions

/// Makes definitions of the steps of one graph or machine.
struct StepReader {
    let context: ReadingContext
    let scopes: StepScopes
    let expressions: ExpressionReader

    init(_ context: ReadingContext, _ scopes: StepScopes) {
        self.context = context
        self.scopes = scopes
        expressions = ExpressionReader(report: context.report, outline: scopes.outline)
    }

    var report: Report { context.report }
    var outline: StepOutline { scopes.outline }

    /// What stands where a step stands: its fields, and the scopes of those.
    struct Subject {
        var id: String
        var mark: YAMLMark
        var fields: Fields
        var before: ExpressionScope
        var after: ExpressionScope
        /// The steps of a group, and what they see beside the names around.
        var inner: StepOutline?
        var innerNames: [String: TypeShape] = [:]
    }

    /// Nil after reporting why.
    func plan() -> Plan? {
        let steps = outline.steps.indices.map(step).compactMap { $0 }
        return steps.count == outline.steps.count ? Plan(shape: outline.shape, steps: steps) : nil
    }

    /// Nil after reporting why.
    func step(at index: Int) -> StepDefinition? {
        let outlined = outline.steps[index]
        let fields = outlined.fields
        ModifierCheck(report: report, outline: outline).check(outlined)
        var before = scopes.before(index)
        var after = scopes.after(index, outlined.output)
        let repetition = fields.node("while").flatMap { expressions.condition($0, in: before) }
        let condition = fields.node("if").flatMap { expressions.condition($0, in: before) }
        if let condition {
            before.facts.add(condition)
            after.facts = before.facts
        }
        let updates = updates(fields, in: after)
        let next = next(fields, in: after)
        let subject = Subject(
            id: outlined.id, mark: outlined.mark, fields: fields, before: before, after: after, inner: outlined.inner)
        let read = outlined.isLoop ? LoopReader(step: self).loop(subject, at: index) : body(subject)
        guard var step = read else { return nil }
        step.needs = outlined.needs
        step.condition = condition
        step.repetition = repetition
        step.next = next
        step.updates = updates
        step.continueOnError = fields.flag("continueOnError") ?? false
        step.maxVisits = fields.integer("maxVisits") ?? step.maxVisits
        step.isPivot = fields.flag("pivot") ?? false
        return step
    }

    /// The action with the modifiers that belong to each item of a loop; nil after reporting why.
    func body(_ subject: Subject) -> StepDefinition? {
        let fields = subject.fields
        let recovery = RecoveryReader(step: self, subject: subject)
        let environment = expressions.arguments(fields.entries("env"), in: subject.before.takingSensitive)
        let secrets = secrets(fields)
        let verifications = fields.list("verify").compactMap { expressions.condition($0, in: subject.after) }
        let output = output(fields)
        let retry = fields.fields("retry").map { recovery.retry($0, in: subject.before) }
        let catches = recovery.catches()
        let compensation = recovery.compensation()
        let usage = usage(fields, in: subject.after)
        let timeout = timeout(fields)
        let action = ActionReader(
            step: self, subject: subject, environment: environment, secrets: secrets, output: output
        )
        .action()
        let isRepeatable = action?.isRepeatableRequest == true
        let sideEffects = fields.word("sideEffects") ?? (isRepeatable ? SideEffects.idempotent : .effect)
        let onUnknown = recovery.unknownRule(sideEffects, output: output)
        guard let action else { return nil }

        var step = StepDefinition(id: subject.id, place: report.place(subject.mark), action: action)
        step.environment = environment
        step.secrets = secrets
        step.timeout = timeout
        step.limits = ProcessLimits(fields.fields("limits"))
        step.output = output
        step.artifacts = fields.texts("artifacts")
        step.verifications = verifications
        step.retry = retry
        step.catches = catches
        step.compensation = compensation
        step.usage = usage
        step.pool = fields.text("pool")
        step.sideEffects = sideEffects
        step.onUnknown = onUnknown
        return step
    }

    /// The variables and the secrets.
    func secrets(_ fields: Fields) -> [SecretBinding] {
        fields.entries("secrets").compactMap { member in
            if fields.entries("env").contains(where: { $0.key == member.key }) {
                report.error(
                    "`\(member.key)` stands in `env` and in `secrets`", at: member.keyMark, hint: "keep one of the two")
            }
            if let name = member.node.text { return SecretBinding(variable: member.key, name: name) }
            guard let binding = Fields(member.node), let name = binding.text("name") else { return nil }
            return SecretBinding(variable: member.key, name: name, isDescriptor: binding.text("as") == "descriptor")
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
            guard let variable = context.variables.first(where: { $0.name == member.key }) else {
                let names = context.variables.map(\.name)
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
        let schema = context.values.schema(fields.node("schema"))
        guard let format = fields.word("format", OutputDefinition.Format.self) else { return nil }
        var output = OutputDefinition(
            source: fields.word("from") ?? .stdout, format: format, schema: schema?.schema, schemaValue: schema?.value)
        if let size = fields.scalar("maxSize").flatMap(ScalarRule.bytes) { output.maxSize = size }
        output.isSensitive = fields.flag("sensitive") ?? false
        return output
    }

    private func usage(_ fields: Fields, in scope: ExpressionScope) -> UsageDefinition? {
        guard let usage = fields.fields("usage") else { return nil }
        return UsageDefinition(
            tokens: usage.node("tokens").flatMap { expressions.template($0, in: scope) },
            cost: usage.node("cost").flatMap { expressions.template($0, in: scope) })
    }
}

extension Action {
    /// A request that may be repeated where an attempt was lost (contract, section 6).
    fileprivate var isRepeatableRequest: Bool {
        if case .http(let request) = self { return ["GET", "HEAD"].contains(request.method) }
        return false
    }
}
