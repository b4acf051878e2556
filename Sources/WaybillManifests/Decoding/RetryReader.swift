import WaybillCore
import WaybillExpressions

/// Makes a `retry` of a step, a workflow or a capability.
struct RetryReader {
    let report: Report
    let expressions: ExpressionReader

    /// Fields that are wrong read as absent.
    ///
    /// - Parameter scope: the place's own; `error` comes with it, and `attempt` is there anyway.
    func rule(_ retry: Fields, in scope: ExpressionScope) -> RetryRule {
        var rule = RetryRule()
        rule.maxAttempts = retry.integer("maxAttempts")
        rule.backoff = retry.word("backoff")
        rule.initial = retry.duration("initial")
        rule.max = retry.duration("max")
        if let initial = rule.initial, let max = rule.max, max < initial, let node = retry.node("max") {
            report.error(
                "`max` is shorter than `initial`", at: node.mark, hint: "the back-off grows from `initial` up to `max`")
        }
        rule.jitter = retry.word("jitter")
        if retry.node("on") != nil {
            let scope = scope.adding(["error": WorkflowScopes.error])
            rule.on = retry.list("on").compactMap { cause($0, in: scope) }
        }
        return rule
    }

    private func cause(_ node: YAMLNode, in scope: ExpressionScope) -> RetryCause? {
        if let kind = node.text { return .kind(kind) }
        guard let fields = Fields(node) else { return nil }
        if let node = fields.node("exit") {
            return .exitCodes(Self.scalars(node).compactMap(\.value.intValue).map { Int($0) })
        }
        if let node = fields.node("signal") { return .signals(Self.scalars(node).compactMap(SignalNumber.read)) }
        if let node = fields.node("status") { return .statuses(RemoteReader.statuses(node)) }
        return fields.node("if").flatMap { expressions.condition($0, in: scope) }.map { .condition($0) }
    }

    /// The scalars of a list, or the one that stands alone.
    private static func scalars(_ node: YAMLNode) -> [YAMLScalar] {
        if let scalar = node.scalar { return [scalar] }
        guard case .sequence(let nodes) = node.content else { return [] }
        return nodes.compactMap(\.scalar)
    }
}
