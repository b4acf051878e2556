package import WaybillCore
import WaybillExpressions

/// The `retry` that a run is started with: what it says comes before what steps, workflows and capabilities say
/// (contract, section 3 "Retry resolution").
package struct RetryOverride: Sendable {
    /// Why it is no rule: a sentence for each mistake.
    package struct Problems: Error, Sendable, Hashable {
        package var messages: [String]
    }

    /// As it was given, which is what the ledger keeps.
    package let source: Object
    package let rule: RetryRule

    /// Says nothing.
    package init() {
        source = Object()
        rule = RetryRule()
    }

    /// Reads it as the `retry` of the workflow itself would be read: the same fields, values and names in conditions.
    package init(_ given: Value, for workflow: WorkflowDefinition) throws(Problems) {
        let (rule, problems) = Self.read(given, workflow)
        guard problems.isEmpty, let source = given.objectValue else { throw Problems(messages: problems) }
        self.source = source
        self.rule = rule
    }

    /// Takes what a ledger holds: it was checked before it was recorded.
    package init(recorded source: Object, for workflow: WorkflowDefinition) {
        self.source = source
        rule = source.isEmpty ? RetryRule() : Self.read(.object(source), workflow).rule
    }

    /// JSON is YAML, so the reader of manifests reads it.
    private static func read(_ given: Value, _ workflow: WorkflowDefinition) -> (rule: RetryRule, problems: [String]) {
        let bytes = JSON.compact(given)
        let report = Report(path: "retry", bytes: bytes)
        let stream = YAML.documents(bytes)
        report.add(stream.problems.map { $0.diagnostic(in: report.path) })
        var rule = RetryRule()
        if let node = stream.documents.first {
            ShapeChecker(report: report).check(node, .fields(Grammar.retry), subject: "`retry`")
            let scopes = WorkflowScopes(
                inputs: workflow.inputs, variables: workflow.variables, context: workflow.context)
            if let fields = Fields(node) {
                rule = RetryReader(report: report, expressions: ExpressionReader(report: report, outline: nil))
                    .rule(fields, in: scopes.workflow)
            }
        }
        let problems = report.diagnostics.filter { $0.level == .error }
        return (rule, problems.map { $0.message + ($0.hint.map { " (\($0))" } ?? "") })
    }
}
