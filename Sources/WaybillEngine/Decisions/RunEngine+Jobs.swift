import WaybillCore
import WaybillExpressions
import WaybillManifests

// Steps that serve another one: the check of an unknown outcome, the poll of a job elsewhere. Each is the only step of
// a frame of its own, `<address>-check` or `<address>-poll`, which is kept until the step it serves has read the result.

extension RunEngine {
    /// What the poll of a job is told.
    static let handleVariable = "WAYBILL_JOB_HANDLE"
    /// The exit code of a poll that says that the job goes on: EX_TEMPFAIL of sysexits.h.
    static let goesOn = 75
    /// The status of a response that says so: 202 Accepted.
    private static let accepted: Int64 = 202
    private static let done: Int64 = 200

    // MARK: - Jobs

    func resolve(_ job: JobWait, timeout: Duration?, in scope: RunScope) throws(EvaluationFailure) -> Object {
        let handle = try evaluateText(job.handle, in: scope, "wait.job.handle")
        let every = try evaluateDuration(job.every, in: scope, "wait.job.every")
        var details: Object = ["action": "job", "handle": .string(handle), "every": .string(every.text)]
        // Absolute from the first, so that neither polls nor restarts make the wait longer.
        if let timeout { details["deadline"] = .string((draft.moment.now + timeout).description) }
        return jobWait(details, every)
    }

    /// A wait for the next poll, or for the end of the time that the job may take.
    private func jobWait(_ details: Object, _ every: Duration) -> Object {
        var until = draft.moment.now + every
        if let deadline = details.jobDeadline { until = min(until, deadline) }
        return [
            "reason": .string(WaitReason.job.rawValue), "until": .string(until.description),
            "details": .object(details),
        ]
    }

    /// When the job must be done that a poll asks about; nil for other steps, and where there is no limit.
    func jobDeadline(ofPoll id: InstanceID) -> Timestamp? {
        guard let frame = state.frames[id.frame], frame.kind == .auxiliary(Frame.poll), let parent = frame.parent
        else { return nil }
        return state[parent].intent?.jobDeadline
    }

    /// Has a poll take no longer than the job may.
    func limitPoll(_ id: InstanceID, _ intent: inout Object) {
        guard let deadline = jobDeadline(ofPoll: id) else { return }
        // Whoever asks at the last moment gets a moment for the answer.
        let left = max(deadline - draft.moment.now, .seconds(1))
        let own = intent["timeout"]?.stringValue.flatMap(Duration.init(text:))
        intent["timeout"] = .string(min(own ?? left, left).text)
    }

    private func jobTimeout(_ deadline: Timestamp) -> Failure {
        Failure(.timeout, "the job was not done by \(deadline)")
    }

    /// Asks about a job whose time has come: the entry opens the poll. A job whose time is up is not waited for.
    mutating func poll(_ wait: WaitState, _ id: InstanceID) throws(EngineError) {
        if let deadline = wait.details?.jobDeadline, deadline <= draft.moment.now {
            try emit(
                .taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id),
                ["key": .string(wait.key), "by": "deadline"])
            return try settle(id, .failed(jobTimeout(deadline), AttemptReport()))
        }
        try emit(
            .taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id),
            ["key": .string(wait.key), "by": "clock"])
    }

    /// Goes on with a wait for a job whose poll has ended.
    mutating func goOn(withJob id: InstanceID) throws(EngineError) {
        guard let poll = state.servant(Frame.poll, of: id) else { return }
        let result = poll.steps[0]
        switch result.status {
        case .failed:
            // A poll that the end of the wait cut short says nothing of the job.
            if result.error?.kind == .timeout, let deadline = state[id].intent?.jobDeadline,
                deadline <= draft.moment.now
            {
                return try settle(id, .failed(jobTimeout(deadline), AttemptReport()))
            }
            let failure = result.error ?? Failure(.failed, "the job failed")
            return try settle(id, .failed(named(failure, poll), AttemptReport()))
        case .completed where !goesOn(result):
            if let failure = refusal(result) { return try settle(id, .failed(named(failure, poll), AttemptReport())) }
            return try settle(id, .completed(output: result.output.flatMap(value(of:)), AttemptReport()))
        case .completed where !isHalted(id) || state.keepsWhatBegan: break
        default: return try settle(id, .cancelled(Failure(.cancelled, Self.haltMessage)))
        }
        guard let details = state[id].intent, let every = details["every"]?.stringValue.flatMap(Duration.init(text:))
        else { throw EngineError(.unexpectedStimulus, "\(state.address(of: id)) waits for no job") }
        let step = state[id]
        let address = state.address(of: id)
        draft.isMilestone = true
        var data = jobWait(details, every)
        data["key"] = .string(WaitKey.of(address, visit: step.visit))
        try emit(.taskWaiting, step: address, visit: step.visit, attempt: step.attempt, data)
    }

    /// The status of the response that a poll by HTTP got.
    private func status(of result: StepState) -> Int64? {
        guard result.exitCode == nil else { return nil }
        return result.output.flatMap(value(of:))?["status"]?.intValue
    }

    private func goesOn(_ result: StepState) -> Bool {
        result.exitCode == Self.goesOn || status(of: result) == Self.accepted
    }

    /// A response that is neither of the two that a poll knows.
    private func refusal(_ result: StepState) -> Failure? {
        guard let status = status(of: result), status != Self.done else { return nil }
        return Failure(.exit, "the poll was answered with HTTP status \(status)", status: Int(status))
    }

    private func named(_ failure: Failure, _ frame: Frame) -> Failure {
        var failure = failure
        failure.step = frame.address(of: 0)
        return failure
    }

    /// What only a step that serves another one is told.
    func serve(_ id: InstanceID, in resolved: inout ResolvedAction) {
        guard id.frame != Frame.root, let frame = state.frames[id.frame], let parent = frame.parent, frame.isServant
        else { return }
        if let handle = state[parent].intent?["handle"], frame.kind == .auxiliary(Frame.poll) {
            var environment = resolved.intent["env"]?.objectValue ?? Object()
            environment[Self.handleVariable] = handle
            resolved.intent["env"] = .object(environment)
            limitPoll(id, &resolved.intent)
        }
        // A check looks for what the attempt it is about left under the key of that attempt.
        let visit = state[parent].visit
        let key = IdempotencyKey.make(run: state.id, address: state.address(of: parent), visit: visit)
        resolved.intent["idempotencyKey"] = .string(key)
    }

    // MARK: - Unknown outcomes

    /// Goes on with a step of unknown outcome whose check has ended.
    mutating func endCheck(_ id: InstanceID) throws(EngineError) {
        guard let check = state.servant(Frame.check, of: id) else { return }
        let result = check.steps[0]
        switch (result.status, result.exitCode) {
        case (.completed, _):
            try settle(id, .completed(output: result.output.flatMap(value(of:)), AttemptReport()))
        case _ where isHalted(id) && !state.keepsWhatBegan: try settle(id, .cancelled(Self.unsettledOutcome))
        case (.failed, 1?): try repeatAttempt(id, reason: "check")
        default:
            try askAboutOutcome(id, "the check could not tell: \(result.error?.message ?? "it did not end")")
        }
    }

    // MARK: - Cron

    func nextTime(of cron: CronWait) throws(EvaluationFailure) -> Timestamp {
        guard let zone = definition.zones.file(zone: cron.zone) else {
            let why = definition.zones.lack ?? "there is no time zone '\(cron.zone)'"
            throw EvaluationFailure(Failure(.expression, "wait.until.timezone: \(why)"))
        }
        guard let time = cron.schedule.next(after: draft.moment.now, in: zone) else {
            let message = "wait.until.next: '\(cron.schedule.source)' never comes in the zone \(cron.zone)"
            throw EvaluationFailure(Failure(.expression, message))
        }
        return time
    }
}

extension Object {
    /// Of what is recorded of a wait for a job.
    fileprivate var jobDeadline: Timestamp? { self["deadline"]?.stringValue.flatMap(Timestamp.init(rfc3339:)) }
}
