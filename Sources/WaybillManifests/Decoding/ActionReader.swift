import WaybillCore
import WaybillExpressions

/// Makes the action of one step.
struct ActionReader {
    let step: StepReader
    let fields: Fields
    let before: ExpressionScope
    let after: ExpressionScope

    private var report: Report { step.report }
    private var expressions: ExpressionReader { step.expressions }

    /// Nil after reporting why.
    func action() -> Action? {
        if let node = fields.node("run") { return RunReader(step: step, scope: before).action(node).map { .run($0) } }
        if let ask = fields.fields("ask") { return self.ask(ask).map { .ask($0) } }
        if let wait = fields.fields("wait") { return self.wait(wait).map { .wait($0) } }
        if let node = fields.node("set") { return map(node, in: before, field: "set").map { .set($0) } }
        if let snapshot = fields.fields("snapshot") { return self.snapshot(snapshot).map { .snapshot($0) } }
        if let fail = fields.fields("fail") {
            return fail.node("message").flatMap { expressions.text($0, in: before) }.map { .fail(message: $0) }
        }
        guard let finish = fields.fields("finish") else { return nil }
        guard let outputs = finish.node("outputs") else { return .finish(outputs: nil) }
        return map(outputs, in: after, field: "outputs").map { .finish(outputs: $0) }
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

    private func wait(_ wait: Fields) -> WaitAction? {
        if let node = wait.node("for") { return expressions.text(node, in: before).map { .duration($0) } }
        guard let node = wait.node("until"), node.scalar != nil else { return nil }
        return expressions.text(node, in: before).map { .until($0) }
    }

    private func snapshot(_ snapshot: Fields) -> SnapshotAction? {
        let description = snapshot.node("description").flatMap { expressions.text($0, in: before) }
        let tags = snapshot.node("tags").flatMap { expressions.template($0, in: before) }
        let name = snapshot.node("name").flatMap { expressions.text($0, in: before) }
        return name.map { SnapshotAction(name: $0, description: description, tags: tags) }
    }

    private func ask(_ ask: Fields) -> AskAction? {
        let prompt = ask.node("prompt").flatMap { expressions.text($0, in: before) }
        let attachments = ask.list("attach").compactMap { expressions.text($0, in: before) }
        let reply = reply(ask)
        let defaultAnswer = ask.node("default").flatMap { expressions.template($0, in: before) }
        if let node = ask.node("default"), case .constant(let value)? = defaultAnswer, let reply {
            check(value, at: node, fits: reply)
            if ask.node("timeout") == nil, fields.node("timeout") == nil {
                report.error(
                    "`default` is never taken without a `timeout`", at: node.mark, hint: "add `timeout`, such as 48h")
            }
        }
        guard let prompt, let reply else { return nil }
        return AskAction(prompt: prompt, reply: reply, attachments: attachments, defaultAnswer: defaultAnswer)
    }

    private func reply(_ ask: Fields) -> AskAction.Reply? {
        if let node = ask.node("schema") { return step.values.schema(node).map { .schema($0.schema, $0.value) } }
        if ask.node("approval") != nil { return .approval }
        guard ask.node("choices") != nil else { return .any }
        var choices: [String] = []
        for node in ask.list("choices") {
            guard let text = node.text else { continue }
            if choices.contains(where: { $0.isIdenticalUTF8(to: text) }) {
                report.error("the choice `\(text)` is listed twice", at: node.mark, hint: "remove one of the two")
            }
            choices.append(text)
        }
        return .choices(choices)
    }

    /// Reports a default that would be refused as an answer.
    private func check(_ value: Value, at node: YAMLNode, fits reply: AskAction.Reply) {
        switch reply {
        case .any: break
        case .schema(let schema, _):
            step.values.check(node, value: value, fits: schema, subject: "`default`")
        case .choices(let choices):
            if let text = value.stringValue, choices.contains(text) { return }
            report.error(
                "`default` expects \(Phrase.alternatives(choices)), got \(value.stringValue.map(Phrase.quoted) ?? Phrase.article(value.kindName))",
                at: node.mark, hint: value.stringValue.flatMap { Suggestion.hint(for: $0, among: choices) })
        case .approval:
            let object = value.objectValue
            let isComplete = object?["approve"]?.boolValue != nil
            if isComplete, object?.keys.allSatisfy({ ["approve", "comment"].contains($0) }) == true { return }
            report.error(
                "`default` expects `{approve: true}` or `{approve: false}`", at: node.mark,
                hint: value.boolValue.map { "write `default: {approve: \($0)}`" })
        }
    }
}
