import WaybillCore
import WaybillEngine
import WaybillExpressions
import WaybillManifests

/// What one step of a workflow will do, in sentences, each with where it comes from.
struct StepExplanation {
    /// A subject (`retry`, `policy`) and what is to be said of it.
    typealias Line = (subject: String, text: String)

    let address: String
    let lines: [Line]

    /// - Parameter workflow: the one that the step, at this address, belongs to.
    init(_ visit: StepVisit, of workflow: WorkflowDefinition, in catalog: Catalog) {
        address = visit.path
        let step = visit.step
        var lines: [Line] = [("does", "\(Self.sentence(step)) (\(step.place))")]
        lines += Self.start(step, visit)
        if let timeout = step.timeout ?? step.performed.timeout {
            lines.append(("timeout", "\(timeout.text)\(step.timeout == nil ? ", from its capability" : "")"))
        }
        let limits = step.limits.completed(by: step.performed.limits)
        if !limits.isEmpty { lines.append(("limits", "\(limits.text)\(Self.source(of: step))")) }
        // What asks for a job asks again at the wait's own pace.
        if visit.role != .poll { lines += Self.retry(step, workflow) }
        lines += Self.failure(step, workflow)
        lines += Self.undoing(step, workflow)
        lines += Self.places(step, workflow, catalog)
        lines += Self.policies(visit, workflow, catalog)
        self.lines = lines
    }

    var value: Value {
        [
            "step": .string(address),
            "lines": .list(lines.map { ["subject": .string($0.subject), "text": .string($0.text)] }),
        ]
    }

    // MARK: - What and when

    private static func sentence(_ step: StepDefinition) -> String {
        switch step.action {
        case .run: "runs a process"
        case .http(let http): "sends a \(http.method) request"
        case .ask: "asks a question, and waits for the answer as a file"
        case .wait(.event(let event)): "waits for an event of type \(event.type)"
        case .wait(.job): "waits for a job elsewhere, and asks about it now and then"
        case .wait(.next(let cron)): "waits for the next time of '\(cron.schedule.source)' in \(cron.zone)"
        case .wait: "waits for the clock"
        case .first(let branches): "waits for the first of \(branches.map(\.name).joined(separator: ", "))"
        case .emit: "sends an event through the tree's journal"
        case .call(let call):
            "starts a run of \(call.workflow)\(call.detach ? ", and does not wait for it" : ", and waits for its end")"
        case .steps(let plan): "is a group of \(Text.count(plan.steps.count, "step"))"
        case .uses(let use):
            "uses the capability \(use.capability.map { "\($0.title) (\($0.place))" } ?? use.reference.name), which "
                + (use.capability.map { sentence($0.step) } ?? "is missing")
        case .forEach(let loop): "does the same for each item, \(loop.maxParallel) at once"
        case .set: "computes values"
        case .snapshot: "makes a named bookmark of the run"
        case .fail: "fails the run"
        case .finish: "completes the run early"
        }
    }

    /// Where limits come from that are not the step's alone.
    private static func source(of step: StepDefinition) -> String {
        guard case .uses(let use) = step.action, let capability = use.capability, !capability.step.limits.isEmpty else {
            return ""
        }
        return step.limits.isEmpty ? ", from its capability" : ", completed by its capability"
    }

    private static func start(_ step: StepDefinition, _ visit: StepVisit) -> [Line] {
        var lines: [Line] = []
        if let condition = step.condition { lines.append(("if", "is skipped unless \(condition.source)")) }
        if let condition = step.repetition {
            lines.append(("while", "is visited while \(condition.source), \(step.maxVisits) times at most"))
        }
        if !step.next.isEmpty { lines.append(("visits", "\(step.maxVisits) at most")) }
        if visit.role == .compensation { lines.append(("when", "what it undoes was done, and the run undoes it")) }
        return lines
    }

    // MARK: - Retry

    private static func retry(_ step: StepDefinition, _ workflow: WorkflowDefinition) -> [Line] {
        switch step.action {
        case .run, .http, .uses, .call: break
        case .steps where step.retry != nil: break
        default: return []
        }
        let retry = RetrySettings(step: step, workflow: workflow.retry)
        guard retry.maxAttempts.value > 1 else {
            return [("retry", "none: one attempt (\(source(retry.maxAttempts))); \(override)")]
        }
        let causes = retry.on.value.map(word).joined(separator: ", ")
        let parts = [
            "\(retry.maxAttempts.value) attempts (\(source(retry.maxAttempts)))",
            "\(retry.kind.value.rawValue) back-off (\(source(retry.kind)))",
            "from \(retry.initial.value.text) (\(source(retry.initial)))",
            "to \(retry.max.value.text) (\(source(retry.max)))",
            "jitter \(retry.jitter.value.rawValue) (\(source(retry.jitter)))",
            "on \(causes) (\(source(retry.on)))", override,
        ]
        return [("retry", parts.joined(separator: "; "))]
    }

    private static let override = "`waybill run --retry` would come first"

    private static func source<Value>(_ setting: RetrySettings.Setting<Value>) -> String {
        switch setting.source {
        case .run: "the run"
        case .step: "the step"
        case .workflow: "the workflow"
        case .capability: "the capability"
        case .builtIn: "built in"
        }
    }

    private static func word(_ cause: RetryCause) -> String {
        switch cause {
        case .kind(let word): word
        case .exitCodes(let codes): "exit codes \(codes.map(String.init).joined(separator: " "))"
        case .signals(let numbers): "signals \(numbers.map(String.init).joined(separator: " "))"
        case .statuses(let ranges):
            "statuses "
                + ranges.map {
                    $0.range.count == 1 ? "\($0.range.lowerBound)" : "\($0.range.lowerBound)-\($0.range.upperBound)"
                }.joined(separator: " ")
        case .condition(let condition): "if \(condition.source)"
        }
    }

    // MARK: - Failing and undoing

    private static func failure(_ step: StepDefinition, _ workflow: WorkflowDefinition) -> [Line] {
        var lines: [Line] = []
        if !step.catches.isEmpty {
            lines.append(("catch", "\(Text.count(step.catches.count, "entry", "entries")) may pass over a failure"))
        }
        if step.continueOnError {
            lines.append(("failure", "the run goes on (continueOnError)"))
        } else {
            lines.append(
                ("failure", "fails what it is in; then the workflow's `failure: \(workflow.failure.rawValue)`"))
        }
        switch step.action {
        case .run, .http, .uses:
            let effects = step.performed.sideEffects.rawValue
            lines.append(
                ("unknown outcome", "\(step.effectiveUnknownRule.word) (side effects: \(effects))"))
        default: break
        }
        return lines
    }

    private static func undoing(_ step: StepDefinition, _ workflow: WorkflowDefinition) -> [Line] {
        var lines: [Line] = []
        if let compensation = step.effectiveCompensation {
            let source = step.compensation == nil ? "its capability" : "the step"
            let trigger = compensation.on == .started ? "also after an attempt that failed" : "once it was done"
            lines.append(("compensation", "\(sentence(compensation.step)), \(trigger) (\(source))"))
        }
        if step.isPivot { lines.append(("pivot", "once it completed, nothing before it is undone")) }
        return lines
    }

    // MARK: - Places and policies

    private static func places(
        _ step: StepDefinition, _ workflow: WorkflowDefinition, _ catalog: Catalog
    ) -> [Line] {
        var lines: [Line] = []
        if let pool = step.pool ?? step.performed.pool {
            let size = catalog.settings.pools[pool].map { ", which has \(Text.count($0, "place"))" } ?? ""
            lines.append(("pool", "\(pool)\(size)"))
        }
        let secrets = step.neededSecrets
        if !secrets.isEmpty { lines.append(("secrets", secrets.joined(separator: ", "))) }
        if let concurrency = workflow.concurrency {
            lines.append(
                (
                    "group",
                    "\(concurrency.limit) run at once in the workflow's group; then \(concurrency.onLimit.rawValue)"
                ))
        }
        return lines
    }

    private static func policies(
        _ visit: StepVisit, _ workflow: WorkflowDefinition, _ catalog: Catalog
    ) -> [Line] {
        catalog.policies.compactMap { policy in
            guard let coverage = policy.coverage(of: workflow) else { return nil }
            // Budgets and what is asked at a run's start concern each of its steps.
            let ids = coverage.steps.contains(visit.path) ? coverage.rules : coverage.runRules
            guard !ids.isEmpty else { return nil }
            let rules = ids.joined(separator: ", ")
            return ("policy", "\(policy.name) (\(policy.mode.rawValue)): \(rules) (\(policy.place))")
        }
    }
}
