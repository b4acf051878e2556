import WaybillCore
import WaybillManifests

// What became of a process.

extension RunEngine {
    /// The step whose attempt this is.
    ///
    /// - Throws: where that attempt is not the one that runs: its outcome was decided already.
    private func index(of reference: AttemptReference) throws(EngineError) -> Int {
        guard let index = definition.workflow.plan.index(of: reference.step),
            let attempt = state.attempt(at: index), attempt.reference == reference
        else {
            throw EngineError(
                .unexpectedStimulus,
                "attempt \(reference.visit).\(reference.attempt) of \(reference.step) is not running")
        }
        return index
    }

    mutating func end(_ reference: AttemptReference, _ result: AttemptResult) throws(EngineError) {
        let index = try index(of: reference)
        let step = definition.workflow.plan.steps[index]
        var report = AttemptReport()
        report.activeMicroseconds = max(0, result.endedAt.microseconds - result.startedAt.microseconds)
        report.artifacts = result.artifacts
        if case .exited(let code) = result.outcome { report.exitCode = code }
        if state.ending == .cancellation || state.ending == .finish, result.outcome == .stopped {
            return try settle(index, .cancelled(Failure(.cancelled, "ended because the run ends")))
        }
        if let failure = failure(of: result, step) { return try settle(index, .failed(failure, report)) }
        guard ValueLimits.size(of: .list(result.artifacts.map(\.value))) <= ValueLimits.artifactBytes else {
            report.artifacts = []
            let message = "artifacts: \(result.artifacts.count) files are too many to record; pack them into one"
            return try settle(index, .failed(Failure(.limit, message), report))
        }
        if let problem = result.artifactProblem {
            return try settle(index, .failed(Failure(.executor, problem), report))
        }
        switch OutputReader(step.output).read(result.output) {
        case .failure(let failure): try settle(index, .failed(failure.failure, report))
        case .success(let output): try settle(index, .completed(output: output, report))
        }
    }

    private func failure(of result: AttemptResult, _ step: StepDefinition) -> Failure? {
        guard case .run(let action) = step.action else { return nil }
        switch result.outcome {
        case .exited(let code):
            if action.successCodes.contains(code) { return nil }
            return Failure(.exit, "exited with code \(code)", exitCode: code)
        case .signalled(let signal):
            return Failure(.signal, "was ended by signal \(signal)", signal: signal)
        case .timedOut:
            return Failure(.timeout, "took longer than \(step.timeout?.text ?? "its timeout")")
        case .stopped: return Failure(.cancelled, "was stopped")
        case .notStarted(let reason): return Failure(.executor, reason)
        }
    }

    // MARK: - Unknown outcomes

    mutating func lose(_ reference: AttemptReference, reason: String) throws(EngineError) {
        let index = try index(of: reference)
        let step = definition.workflow.plan.steps[index]
        try emit(
            .taskUnknown, step: step.id, visit: reference.visit, attempt: reference.attempt,
            ["reason": .string(reason), "rule": .string(step.onUnknown.word)])
        // A run that ends anyway asks nobody: see `wind()`.
        guard state.ending == nil else { return }
        switch step.onUnknown {
        case .retry: try repeatAttempt(index, reason: "unknown")
        case .fail:
            let failure = Failure(.unknown, "the outcome of attempt \(reference.attempt) is unknown: \(reason)")
            try settle(index, .failed(failure, AttemptReport()))
        case .ask, .check:
            draft.isMilestone = true
            let key = state.steps[index].waitKey(address: step.id) + "-unknown"
            try emit(
                .taskWaiting, step: step.id, visit: reference.visit, attempt: reference.attempt,
                [
                    "key": .string(key), "reason": .string(WaitReason.user.rawValue),
                    "reply": .string(ReplyForm.unknown.rawValue),
                    "choices": .list(Reply.unknownChoices.map(Value.string)),
                    "prompt": .string(
                        "The outcome of \(step.id) is unknown (\(reason)). Was it done, did it fail, "
                            + "or shall it be tried again?"),
                ])
        }
    }

    mutating func settleUnknown(_ index: Int, _ answer: Value) throws(EngineError) {
        switch answer["result"]?.stringValue {
        case "done": try settle(index, .completed(output: answer["output"], AttemptReport()))
        case "retry": try repeatAttempt(index, reason: "answer")
        default: try settle(index, .failed(Failure(.unknown, "was answered to have failed"), AttemptReport()))
        }
    }

    /// Has the same visit tried again, as soon as anything may start: not while the run is paused.
    private mutating func repeatAttempt(_ index: Int, reason: String) throws(EngineError) {
        let step = state.steps[index]
        try emit(
            .taskRetry, step: definition.workflow.plan.steps[index].id, visit: step.visit, attempt: step.attempt + 1,
            ["reason": .string(reason)])
    }

    /// Starts a recorded intent again. What was recorded is run: nothing is evaluated anew.
    mutating func startAgain(_ index: Int, _ intent: Object) throws(EngineError) {
        let step = state.steps[index]
        var intent = intent
        intent["boot"] = .string(draft.moment.boot)
        try emit(
            .taskStart, step: definition.workflow.plan.steps[index].id, visit: step.visit, attempt: step.attempt + 1,
            intent)
        if let attempt = state.attempt(at: index) { draft.effects.append(.launch(attempt)) }
    }
}
