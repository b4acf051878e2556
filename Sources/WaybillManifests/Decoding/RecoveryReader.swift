import WaybillCore
import WaybillExpressions

/// Makes what is said of a step's failures: retries, ways out, what undoes it, what to do about unknown outcomes.
struct RecoveryReader {
    let step: StepReader
    let subject: StepReader.Subject

    private var report: Report { step.report }
    private var expressions: ExpressionReader { step.expressions }
    private var fields: Fields { subject.fields }

    // MARK: - Retries

    /// Fields that are wrong read as absent.
    func retry(_ retry: Fields, in scope: ExpressionScope) -> RetryRule {
        RetryReader(report: report, expressions: expressions).rule(retry, in: scope)
    }

    // MARK: - Catches

    func catches() -> [CatchRule] {
        fields.list("catch").compactMap { node in
            guard let entry = Fields(node) else { return nil }
            let scope = subject.before.adding(["error": WorkflowScopes.error])
            let condition = entry.node("if").flatMap { expressions.condition($0, in: scope) }
            if let node = entry.node("output") {
                return expressions.template(node, in: scope).map {
                    CatchRule(condition: condition, result: .output($0))
                }
            }
            return entry.text("to").map { CatchRule(condition: condition, result: .to(step.outline.indices[$0])) }
        }
    }

    // MARK: - Compensation

    func compensation() -> CompensationDefinition? {
        guard let compensate = fields.fields("compensate") else { return nil }
        let on = compensate.word("on", CompensationDefinition.Trigger.self) ?? .completed
        var scope = subject.after
        // What undoes a step that may have failed sees null where there is no output.
        if on == .started, let output = scope.declarations.variables["output"] {
            scope = scope.adding(["output": .nullable(output)])
        }
        let mark = fields.member("compensate")?.node.mark ?? subject.mark
        let undo = StepReader.Subject(id: "compensate", mark: mark, fields: compensate, before: scope, after: scope)
        return step.body(undo).map { CompensationDefinition(step: $0, on: on) }
    }

    // MARK: - Unknown outcomes

    func unknownRule(_ sideEffects: SideEffects, output: OutputDefinition?) -> UnknownRule {
        guard let node = fields.node("onUnknown") else { return sideEffects == .effect ? .ask : .retry }
        switch node.text {
        case "retry": return .retry
        case "fail": return .fail
        case "ask": return .ask
        default: break
        }
        guard let check = Fields(node)?.fields("check"), let run = check.node("run") else { return .ask }
        let environment = expressions.arguments(check.entries("env"), in: subject.before.takingSensitive)
        guard let action = RunReader(step: step, scope: subject.before).action(run) else { return .ask }
        var definition = StepDefinition(id: "check", place: report.place(check.mark), action: .run(action))
        definition.environment = environment
        definition.secrets = step.secrets(check)
        definition.timeout = check.duration("timeout")
        definition.limits = ProcessLimits(check.fields("limits"))
        definition.output = output
        // To look is harmless, and may be done again.
        definition.sideEffects = .pure
        definition.onUnknown = .retry
        return .check(Plan(shape: .graph, steps: [definition]))
    }
}
