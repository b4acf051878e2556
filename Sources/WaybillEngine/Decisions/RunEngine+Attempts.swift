import WaybillCore
import WaybillManifests

// What became of a process.

extension RunEngine {
    /// The step whose attempt this is.
    ///
    /// - Throws: where that attempt is not the one that runs: its outcome was decided already.
    func instance(of reference: AttemptReference) throws(EngineError) -> InstanceID {
        guard let id = state.instance(at: reference.step), let attempt = state.attempt(at: id),
            attempt.reference == reference
        else {
            throw EngineError(
                .unexpectedStimulus,
                "attempt \(reference.visit).\(reference.attempt) of \(reference.step) is not running")
        }
        return id
    }

    mutating func end(_ reference: AttemptReference, _ result: AttemptResult) throws(EngineError) {
        let id = try instance(of: reference)
        let step = state.definition(of: id).performed
        var report = AttemptReport()
        report.activeMicroseconds = max(0, result.endedAt.microseconds - result.startedAt.microseconds)
        report.artifacts = result.artifacts
        switch result.outcome {
        case .exited(let code): report.exitCode = code
        case .exceeded(_, _, let code): report.exitCode = code
        default: break
        }
        if state.endsAttempts, result.outcome == .stopped {
            return try settle(id, .cancelled(Failure(.cancelled, "ended because the run ends")))
        }
        if case .responded(let response) = result.outcome {
            return try end(id, step, with: response, report)
        }
        // A poll that says that the job goes on is no failure, and has no output.
        if case .exited(Self.goesOn) = result.outcome, state.frames[id.frame]?.kind == .auxiliary(Frame.poll) {
            return try settle(id, .completed(output: nil, report))
        }
        if let failure = failure(of: result, step, state[id].intent) {
            return try settle(id, .failed(failure, report))
        }
        if let problem = result.secretProblem {
            return try settle(id, .failed(Failure(.secret, problem), report))
        }
        guard ValueLimits.size(of: .list(result.artifacts.map(\.value))) <= ValueLimits.artifactBytes else {
            report.artifacts = []
            let message = "artifacts: \(result.artifacts.count) files are too many to record; pack them into one"
            return try settle(id, .failed(Failure(.limit, message), report))
        }
        if let problem = result.artifactProblem {
            return try settle(id, .failed(Failure(.executor, problem), report))
        }
        switch OutputReader(step.output).read(result.output) {
        case .failure(let failure): try settle(id, .failed(failure.failure, report))
        case .success(let output): try settle(id, .completed(output: output, report))
        }
    }

    private func failure(of result: AttemptResult, _ step: StepDefinition, _ intent: Object?) -> Failure? {
        switch result.outcome {
        case .exited(let code):
            if case .run(let action) = step.action, action.successCodes.contains(code) { return nil }
            return Failure(.exit, "exited with code \(code)", exitCode: code)
        case .signalled(let signal):
            return Failure(.signal, "was ended by signal \(signal)", signal: signal)
        case .exceeded(let kind, let signal, let exitCode):
            return Failure(
                .limit, Self.text(kind, ProcessLimits(record: intent?["limits"])), exitCode: exitCode, signal: signal)
        case .timedOut:
            return Failure(.timeout, "took longer than \(intent?["timeout"]?.stringValue ?? "its timeout")")
        case .stopped: return Failure(.cancelled, "was stopped")
        case .withoutSecret(let reason): return Failure(.secret, reason)
        case .notStarted(let reason), .unreachable(let reason): return Failure(.executor, reason)
        case .responded: return nil
        }
    }

    private static func text(_ kind: ProcessLimits.Kind, _ limits: ProcessLimits) -> String {
        switch kind {
        case .cpu:
            "used more processor time than `limits.cpu` allows" + (limits.cpu.map { " (\($0.text))" } ?? "")
        case .memory:
            "used more memory than `limits.memory` allows"
                + (limits.memoryBytes.map { " (\(ProcessLimits.size($0)))" } ?? "")
        }
    }

    // MARK: - Unknown outcomes

    mutating func lose(_ reference: AttemptReference, reason: String) throws(EngineError) {
        let id = try instance(of: reference)
        let step = state.definition(of: id)
        var rule = step.effectiveUnknownRule
        // A run that is held goes on later, so it asks; nothing new starts in it, so no check does.
        let isHeld = definition.workflow.failure == .hold && state.ending == .failure && state.stage == .main
        if isHeld, case .check = rule { rule = .ask }
        let isOver = isHalted(id) && !isHeld
        try emit(
            .taskUnknown, step: reference.step, visit: reference.visit, attempt: reference.attempt,
            ["reason": .string(reason), "rule": .string(isOver ? "end" : rule.word)])
        // What ends anyway asks nobody.
        guard !isOver else { return try settle(id, .cancelled(Self.unsettledOutcome)) }
        switch rule {
        case .retry: try repeatAttempt(id, reason: "unknown")
        case .fail:
            let failure = Failure(.unknown, "the outcome of attempt \(reference.attempt) is unknown: \(reason)")
            try settle(id, .failed(failure, AttemptReport()))
        case .ask: try askAboutOutcome(id, reason)
        // The entry opens the check.
        case .check: break
        }
    }

    /// Opens the wait in which somebody says what became of an attempt.
    mutating func askAboutOutcome(_ id: InstanceID, _ reason: String) throws(EngineError) {
        draft.isMilestone = true
        let step = state[id]
        let address = state.address(of: id)
        try emit(
            .taskWaiting, step: address, visit: step.visit, attempt: step.attempt,
            [
                "key": .string(WaitKey.of(address, visit: step.visit, suffix: "unknown")),
                "reason": .string(WaitReason.user.rawValue), "reply": .string(ReplyForm.unknown.rawValue),
                "choices": .list(Reply.unknownChoices.map(Value.string)),
                "prompt": .string(
                    "The outcome of \(address) is unknown (\(reason)). Was it done, did it fail, "
                        + "or shall it be tried again?"),
            ])
    }

    mutating func settleUnknown(_ id: InstanceID, _ answer: Value) throws(EngineError) {
        switch answer["result"]?.stringValue {
        case "done": try settle(id, .completed(output: answer["output"], AttemptReport()))
        case "retry": try repeatAttempt(id, reason: "answer")
        default: try settle(id, .failed(Failure(.unknown, "was answered to have failed"), AttemptReport()))
        }
    }

    /// Has the same visit tried again, as soon as anything may start: not while the run is paused.
    mutating func repeatAttempt(_ id: InstanceID, reason: String) throws(EngineError) {
        if let failure = try checkBudgets(before: id, .asked) { return try settle(id, .overBudget(failure)) }
        let step = state[id]
        try emit(
            .taskRetry, step: state.address(of: id), visit: step.visit, attempt: step.attempt + 1,
            ["reason": .string(reason)])
    }

    /// Starts a recorded intent: again after an attempt, or for the first time once it was approved. What was recorded is
    /// run: nothing is evaluated anew.
    mutating func startAgain(_ id: InstanceID, _ intent: Object) throws(EngineError) {
        // What waited for an approval is kept in a record of its own.
        if intent["start"] != nil { return try beginApproved(id, intent) }
        if let failure = try checkBudgets(before: id, .granted) { return try settle(id, .overBudget(failure)) }
        switch try consultPolicies(again: id, intent) {
        case .proceed: try begin(again: id, intent)
        case .denied(let failure): try settle(id, .failed(failure, AttemptReport()))
        case .waits: break
        }
    }

    /// Starts the next attempt of a visit.
    mutating func begin(again id: InstanceID, _ intent: Object) throws(EngineError) {
        let step = state[id]
        var intent = intent
        if intent["boot"] != nil { intent["boot"] = .string(draft.moment.boot) }
        if intent["action"] == "call" { return try callAgain(id, intent) }
        limitPoll(id, &intent)
        try emit(
            .taskStart, step: state.address(of: id), visit: step.visit, attempt: step.attempt + 1, intent)
        if state.groupFrame(of: id)?.isDone == true { return try goOn(id, state.definition(of: id)) }
        if let attempt = state.attempt(at: id) { draft.effects.append(.launch(attempt)) }
    }
}
