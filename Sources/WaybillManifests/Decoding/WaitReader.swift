import WaybillCore
import WaybillExpressions

/// Makes waits for the clock, events and jobs.
struct WaitReader {
    let step: StepReader
    let scope: ExpressionScope
    /// Of the step.
    let place: SourcePlace
    let environment: [NamedTemplate]
    let secrets: [SecretBinding]
    let output: OutputDefinition?

    private var report: Report { step.report }
    private var expressions: ExpressionReader { step.expressions }

    /// Nil after reporting why.
    func wait(_ wait: Fields) -> WaitAction? {
        if let node = wait.node("for") { return expressions.text(node, in: scope).map { .duration($0) } }
        if let node = wait.node("until") { return until(node) }
        if let event = wait.fields("event") { return self.event(event).map { .event($0) } }
        return wait.fields("job").flatMap(job).map { .job($0) }
    }

    /// Nil after reporting why.
    func first(_ branches: [YAMLMember]) -> [FirstBranch]? {
        let read = branches.compactMap { member -> FirstBranch? in
            guard let fields = Fields(member.node) else { return nil }
            if let ask = fields.fields("ask") {
                let action = AskReader(step: step, scope: scope).action(ask, hasTimeout: false)
                return action.map {
                    FirstBranch(name: member.key, kind: .ask($0), timeout: ask.duration("timeout"))
                }
            }
            return wait(fields).map { FirstBranch(name: member.key, kind: .wait($0)) }
        }
        return read.count == branches.count ? read : nil
    }

    private func until(_ node: YAMLNode) -> WaitAction? {
        guard let fields = Fields(node) else { return expressions.text(node, in: scope).map { .until($0) } }
        guard let next = fields.node("next"), let text = next.text else { return nil }
        do throws(CronSchedule.Problem) {
            let schedule = try CronSchedule(text)
            return .next(CronWait(schedule: schedule, zone: fields.text("timezone") ?? "UTC"))
        } catch {
            report.error("`next` is no cron expression: \(error.message)", at: next.mark)
            return nil
        }
    }

    private func event(_ event: Fields) -> EventWait? {
        let key = event.node("key").flatMap { expressions.text($0, in: scope) }
        let seeing = scope.adding(["event": OutputShapes.event])
        let match = event.node("match").flatMap { expressions.condition($0, in: seeing) }
        if let node = event.node("type"), node.text?.isEmpty == true { report.error("`type` is empty", at: node.mark) }
        return event.text("type").map {
            EventWait(type: $0, key: key, match: match, since: event.word("since") ?? .run)
        }
    }

    private func job(_ job: Fields) -> JobWait? {
        let handle = job.node("handle").flatMap { expressions.text($0, in: scope) }
        let every = job.node("every").flatMap { expressions.text($0, in: scope) }
        guard let poll = job.fields("poll") else { return nil }
        let action: Action?
        if let node = poll.node("run") {
            action = RunReader(step: step, scope: scope).action(node).map { .run($0) }
        } else {
            action = RemoteReader(step: step, scope: scope).action(poll)
        }
        guard let handle, let every, let action else { return nil }
        var definition = StepDefinition(id: "poll", place: place, action: action)
        definition.environment = environment
        definition.secrets = secrets
        definition.timeout =
            poll.duration("timeout") ?? (poll.node("http") == nil ? JobWait.pollTimeout : HTTPAction.defaultTimeout)
        definition.limits = ProcessLimits(poll.fields("limits"))
        definition.output = output
        // A poll changes nothing, so one whose outcome is unknown is made again.
        definition.sideEffects = .pure
        definition.onUnknown = .retry
        return JobWait(handle: handle, poll: definition, every: every)
    }
}
