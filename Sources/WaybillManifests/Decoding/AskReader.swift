import WaybillCore
import WaybillExpressions

/// Makes a question.
struct AskReader {
    let step: StepReader
    let scope: ExpressionScope

    private var report: Report { step.report }
    private var expressions: ExpressionReader { step.expressions }

    /// Nil after reporting why.
    ///
    /// - Parameter hasTimeout: whether a `timeout` stands beside the question.
    func action(_ ask: Fields, hasTimeout: Bool) -> AskAction? {
        let prompt = ask.node("prompt").flatMap { expressions.text($0, in: scope) }
        let attachments = ask.list("attach").compactMap { expressions.text($0, in: scope) }
        let reply = reply(ask)
        let defaultAnswer = ask.node("default").flatMap { expressions.template($0, in: scope) }
        if let node = ask.node("default"), case .constant(let value)? = defaultAnswer, let reply {
            check(value, at: node, fits: reply)
            if ask.node("timeout") == nil, !hasTimeout {
                report.error(
                    "`default` is never taken without a `timeout`", at: node.mark, hint: "add `timeout`, such as 48h")
            }
        }
        var isApproval = false
        if case .approval? = reply { isApproval = true }
        let from = AnswererReader(report: report).rule(in: ask, outline: step.outline, isApproval: isApproval)
        guard let prompt, let reply else { return nil }
        return AskAction(
            prompt: prompt, reply: reply, attachments: attachments, defaultAnswer: defaultAnswer, from: from)
    }

    private func reply(_ ask: Fields) -> AskAction.Reply? {
        if let node = ask.node("schema") {
            return step.context.values.schema(node).map { .schema($0.schema, $0.value) }
        }
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
            step.context.values.check(node, value: value, fits: schema, subject: "`default`")
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
