import WaybillCore
import WaybillExpressions

/// Makes the action of one step.
struct ActionReader {
    let step: StepReader
    let subject: StepReader.Subject
    /// Of the step, for what is made of it: a job's poll.
    let environment: [NamedTemplate]
    let secrets: [SecretBinding]
    let output: OutputDefinition?

    private var report: Report { step.report }
    private var expressions: ExpressionReader { step.expressions }
    private var fields: Fields { subject.fields }
    private var before: ExpressionScope { subject.before }

    /// Nil after reporting why.
    func action() -> Action? {
        if let node = fields.node("run") { return RunReader(step: step, scope: before).action(node).map { .run($0) } }
        if let ask = fields.fields("ask") {
            let reader = AskReader(step: step, scope: before)
            return reader.action(ask, hasTimeout: fields.node("timeout") != nil).map { .ask($0) }
        }
        if let wait = fields.fields("wait") { return waits.wait(wait).map { .wait($0) } }
        if fields.node("first") != nil { return waits.first(fields.entries("first")).map { .first($0) } }
        if let action = remote.action(fields) { return action }
        if fields.node("steps") != nil { return group() }
        return smallAction()
    }

    private var waits: WaitReader {
        WaitReader(
            step: step, scope: before, place: report.place(subject.mark), environment: environment, secrets: secrets,
            output: output)
    }

    private var remote: RemoteReader { RemoteReader(step: step, scope: before) }

    private func group() -> Action? {
        guard let inner = subject.inner else { return nil }
        let scopes = step.scopes.nested(inner, adding: subject.innerNames, facts: before.facts)
        return StepReader(step.context, scopes).plan().map { .steps($0) }
    }

    private func smallAction() -> Action? {
        if let node = fields.node("set") { return map(node, in: before, field: "set").map { .set($0) } }
        if let snapshot = fields.fields("snapshot") { return self.snapshot(snapshot).map { .snapshot($0) } }
        if let fail = fields.fields("fail") {
            return fail.node("message").flatMap { expressions.text($0, in: before) }.map { .fail(message: $0) }
        }
        guard let finish = fields.fields("finish") else { return nil }
        guard let outputs = finish.node("outputs") else { return .finish(outputs: nil) }
        return map(outputs, in: subject.after, field: "outputs").map { .finish(outputs: $0) }
    }

    /// A map, or one `${{ }}` that gives a map.
    private func map(_ node: YAMLNode, in scope: ExpressionScope, field: String) -> Template? {
        guard let template = expressions.template(node, in: scope) else { return nil }
        switch template {
        case .expression, .map, .constant(.object): return template
        default:
            report.error(
                "`\(field)` expects a map, got a text", at: node.mark,
                hint: "write `name: value` entries, or one `${{ }}`")
            return nil
        }
    }

    private func snapshot(_ snapshot: Fields) -> SnapshotAction? {
        let description = snapshot.node("description").flatMap { expressions.text($0, in: before) }
        let tags = snapshot.node("tags").flatMap { expressions.template($0, in: before) }
        let name = snapshot.node("name").flatMap { expressions.text($0, in: before) }
        return name.map { SnapshotAction(name: $0, description: description, tags: tags) }
    }
}
