import WaybillCore
import WaybillExpressions
import WaybillManifests

// After a failure: another attempt, a `catch`, and what can be undone.

extension RunEngine {
    /// Has the same visit tried again, if a rule wants it and attempts are left. The back-off is a wait like any other.
    ///
    /// - Returns: whether it is tried again. Where no budget is left for that, the outcome becomes the run's failure.
    mutating func tryAgain(_ id: InstanceID, _ outcome: inout Outcome) throws(EngineError) -> Bool {
        guard let failure = outcome.failure, let until = nextAttempt(of: id, after: outcome) else { return false }
        if let refusal = try checkBudgets(before: id, .asked) {
            outcome.failure = refusal
            outcome.isFinal = true
            outcome.endsRun = true
            return false
        }
        let current = state[id]
        let address = state.address(of: id)
        var data: Object = ["reason": .string(failure.kind.rawValue), "error": failure.value]
        if outcome.isRejected, !outcome.isUndone { data["rejected"] = true }
        if let code = outcome.report.exitCode { data["exitCode"] = .int(Int64(code)) }
        if outcome.report.activeMicroseconds > 0 {
            data["activeMicroseconds"] = .int(outcome.report.activeMicroseconds)
        }
        data["childUsage"] = outcome.report.extra["childUsage"]
        try emit(.taskRetry, step: address, visit: current.visit, attempt: current.attempt + 1, data)
        guard until > draft.moment.now else { return true }
        draft.isMilestone = true
        try emit(
            .taskWaiting, step: address, visit: current.visit, attempt: current.attempt,
            [
                "key": .string(WaitKey.of(address, visit: current.visit, suffix: "retry")),
                "reason": .string(WaitReason.retry.rawValue), "until": .string(until.description),
            ])
        return true
    }

    /// When a rule has the attempt that failed made again; nil if none does.
    func nextAttempt(of id: InstanceID, after outcome: Outcome) -> Timestamp? {
        let current = state[id]
        guard let failure = outcome.failure, let intent = current.intent, current.attempt > 0, !isHalted(id) else {
            return nil
        }
        // An attempt that was not allowed to begin is none that could be tried again.
        guard current.status != .pending else { return nil }
        let step = state.definition(of: id)
        let rule = RetrySettings(
            override: state.retryOverride.rule, step: step, workflow: definition.workflow.retry)
        guard current.attempt < rule.maxAttempts.value, !hasAnswer(failure, in: id.frame) else { return nil }
        guard intent["action"] != "emit", intent["action"] != "job" else { return nil }
        let scope = RunScope(self, id, visit: current.visit, result: outcome)
        guard rule.on.value.contains(where: { matches($0, failure, in: scope) }) else { return nil }
        let chance = chance(of: id, visit: current.visit, attempt: current.attempt)
        let backoff = rule.backoff(after: current.attempt, random: chance)
        var until = draft.moment.now + backoff
        if let asked = outcome.report.retryAt, asked > until { until = asked }
        if let deadline = jobDeadline(ofPoll: id), until >= deadline { return nil }
        return until
    }

    /// Whether a check or a poll failed by saying something: that is an answer, and asking again gives it again.
    private func hasAnswer(_ failure: Failure, in frame: Int) -> Bool {
        state.frames[frame]?.isServant == true && (failure.exitCode != nil || failure.status != nil)
    }

    private func matches(_ cause: RetryCause, _ failure: Failure, in scope: RunScope) -> Bool {
        switch cause {
        case .kind(let word): failure.kind.rawValue == word
        case .exitCodes(let codes): failure.exitCode.map(codes.contains) ?? false
        case .signals(let signals): failure.signal.map(signals.contains) ?? false
        case .statuses(let ranges):
            failure.status.map { status in ranges.contains { $0.range.contains(status) } } ?? false
        // A condition that cannot be evaluated is no reason to do something again.
        case .condition(let condition): (try? condition.condition(in: scope)) ?? false
        }
    }

    /// Passes over a failure that an entry of `catch` matches.
    func catchFailure(_ outcome: inout Outcome, of id: InstanceID, visit: Int) {
        let step = state.definition(of: id)
        guard let failure = outcome.failure, !outcome.isFinal, !step.catches.isEmpty else { return }
        let scope = RunScope(self, id, visit: visit, result: outcome)
        do throws(EvaluationFailure) {
            for (number, rule) in step.catches.enumerated() {
                let field = "catch[\(number)]"
                if let condition = rule.condition {
                    guard try examine(condition, as: "\(field).if", in: scope).get().holds else { continue }
                }
                switch rule.result {
                case .output(let template):
                    outcome.output = try evaluate(template, in: scope, "\(field).output")
                case .to(let target): outcome.caughtTo = Outcome.CaughtTransition(index: target)
                }
                outcome.status = .completed
                // A state that leads elsewhere has no output for an `update` to read.
                if outcome.caughtTo == nil {
                    let seen = RunScope(self, id, visit: visit, result: outcome)
                    outcome.updates = try evaluateUpdates(of: step, in: seen)
                }
                outcome.caught = failure
                outcome.failure = nil
                return
            }
        } catch {
            outcome.status = .failed
            outcome.output = nil
            outcome.caughtTo = nil
            outcome.failure = error.failure
        }
    }

    /// Whether `TASK_END` says that there is something to undo.
    func canBeUndone(_ outcome: Outcome, _ id: InstanceID, hasBegun: Bool) -> Bool {
        guard hasBegun, !outcome.isUndone, state.isUndoable(in: id.frame) else { return false }
        let step = state.definition(of: id)
        if case .call = step.action, step.compensation == nil { return outcome.report.extra["undo"] == true }
        guard let compensation = step.effectiveCompensation else { return false }
        if outcome.status == .completed, outcome.caught == nil { return true }
        // An earlier attempt of this visit may have left a result that was rejected.
        return outcome.isRejected || compensation.on == .started || state[id].intent?["rejected"] == true
    }
}
