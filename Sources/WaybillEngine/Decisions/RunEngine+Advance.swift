import WaybillCore
import WaybillExpressions
import WaybillManifests

// Going on: what can be decided now is decided, until the run waits, works or ends.

extension RunEngine {
    mutating func begin(_ start: RunStart) throws(EngineError) {
        guard state.phase == .pending else {
            throw EngineError(.unexpectedStimulus, "the run \(state.id) was started already")
        }
        var data: Object = [
            "run": .string(start.id), "workflow": .string(definition.workflow.name),
            "context": .object(definition.workflow.context), "trigger": .object(start.trigger),
            "labels": .object(Object(definition.workflow.labels.map { ($0, $1) } + start.labels.map { ($0, $1) })),
            "durability": .string(definition.workflow.durability.rawValue),
            "startDigest": .string(RunStart.digest(workflow: definition.workflow.name, inputs: start.inputs).hex),
        ]
        if let commit = start.commit { data["commit"] = .string(commit) }
        if start.journalSeq > 0 { data["journal"] = .int(Int64(start.journalSeq)) }
        if !start.retry.isEmpty { data["retry"] = .object(start.retry) }
        data["parent"] = start.parent.map(Value.object)
        if !start.grant.isEmpty { data["grant"] = .object(start.grant) }
        data["group"] = start.group.map(Value.string)
        if let starter = start.starter { data["starter"] = .object(starter.record) }
        let control = [definition.settings.control, definition.workflow.control].compactMap { $0?.value }
        if !control.isEmpty { data["control"] = .list(control) }
        write(.object(start.inputs), as: "inputs", into: &data)
        if let goal = definition.workflow.goal { data["goal"] = describe(goal, start) }
        try emit(.runStart, actor: start.actor, by: start.by, data)
        let approvals = try recordAdmission(of: start)
        for diagnostic in start.diagnostics { try emit(.diagnostic, diagnostic.value.objectValue ?? Object()) }
        try askForAdmission(approvals)
    }

    /// The run's turn in its concurrency group has come. Being told twice changes nothing.
    mutating func admit() throws(EngineError) {
        guard state.isQueued, !state.phase.isEnded, let group = state.group else { return }
        try emit(.runAdmitted, ["group": .string(group)])
    }

    private func describe(_ goal: GoalDefinition, _ start: RunStart) -> Value {
        var preview = state
        preview.id = start.id
        preview.inputs = .inline(.object(start.inputs))
        preview.context = definition.workflow.context
        preview.trigger = .object(start.trigger)
        preview.startedBy = start.by
        preview.startedAt = draft.moment.now
        // A summary is for people: one that cannot be evaluated is left out, and stops nothing.
        let summary = (try? goal.summary.value(in: RunScope(starting: preview, zones: definition.zones))) ?? .null
        return [
            "summary": summary.stringValue.map { .string(ValueLimits.shortened($0)) } ?? summary,
            "acceptance": .list(goal.acceptance.map { .string($0.source) }),
        ]
    }

    /// Decides until nothing is left to decide, or the decision is as large as it may get.
    mutating func advance() throws(EngineError) {
        while state.phase == .running {
            if state.isPauseRequested, state.ending == nil {
                try pauseIfQuiet()
                guard state.ending == .rollback else { break }
            }
            if !state.mayBegin, state.ending == nil { break }
            if state.ending != nil, state.stage == .main || state.isAborted {
                if try !wind() { break }
            } else if let id = state.abandoned.first {
                try abandon(id)
                continue
            }
            guard draft.steps < limits.stepsPerDecision else {
                draft.hasMore = true
                break
            }
            if let id = state.ready.first {
                draft.steps += 1
                try decide(id)
            } else if try !moveOn() {
                break
            }
        }
        if !state.phase.isEnded { try checkpointIfDue() }
    }

    private mutating func pauseIfQuiet() throws(EngineError) {
        guard state.outstanding.isEmpty else { return }
        // What has not begun has nothing to be undone, and goes on waiting.
        if definition.workflow.onPause == .rollback, state.stage == .main, state.mayBegin {
            return try emit(.branchTaken, ["to": .string(RunStage.undoing.rawValue), "reason": "rollback"])
        }
        draft.isMilestone = true
        try emit(.runPaused, Object())
    }

    /// Whether the run went on to the next part of its life, or to its end; false while something is awaited.
    private mutating func moveOn() throws(EngineError) -> Bool {
        guard let root = state.frames[Frame.root] else { return false }
        switch state.stage {
        case .main:
            if state.ending == nil, !root.isDone { return try reportStandstill() }
            if state.ending == nil || state.ending == .finish, let failure = try checkResult() {
                try emit(.error, ["error": failure.value])
                return true
            }
            return try leaveMain()
        case .undoing: return try undoNext()
        case .onFailure, .finally: return try leaveStage()
        case .done: return false
        }
    }

    /// A plan in which nothing runs, waits or is ready, and that is not done, would stand for ever.
    private mutating func reportStandstill() throws(EngineError) -> Bool {
        guard state.outstanding.isEmpty, state.waits.isEmpty else { return false }
        let failure = Failure(.internal, "nothing runs or waits, and not all steps are settled")
        try emit(.error, ["error": failure.value])
        return true
    }

    /// Brings a run that fails, is cancelled or finishes early to rest: nothing new starts, waits close, attempts end by
    /// themselves (after a failure) or are ended.
    ///
    /// - Returns: whether nothing is left that has begun, groups and loops apart.
    private mutating func wind() throws(EngineError) -> Bool {
        if state.ending == .failure, definition.workflow.failure == .hold, state.stage == .main, state.mayBegin {
            guard state.ready.isEmpty else { return true }
            guard state.outstanding.isEmpty else { return false }
            draft.isMilestone = true
            try emit(.runPaused, ["reason": "hold"])
            return false
        }
        for key in state.waits.keys.sorted() { try close(key) }
        // Once: many programs take a second TERM for impatience. A later decision finds the attempts in the state.
        if state.endsAttempts, state.ending != draft.endingBefore, !state.isAborted {
            for attempt in state.outstandingAttempts { draft.effects.append(.terminate(attempt.reference)) }
        }
        // An unknown outcome that nobody will be asked about any more. A check that runs ends first.
        for id in state.counts.unknown > 0 ? state.unknownSteps : []
        where (state.servant(Frame.check, of: id)?.begun ?? 0) == 0 {
            try settle(id, .cancelled(Self.unsettledOutcome))
        }
        return state.outstanding.isEmpty && state.waits.isEmpty || !state.ready.isEmpty
    }

    private mutating func close(_ key: String) throws(EngineError) {
        guard let wait = state.waits[key] else { return }
        if wait.isOfRun { return try emit(.taskResumed, ["key": .string(key), "by": "end"]) }
        guard let id = state.instance(at: wait.step) else { return }
        if wait.reason == .subworkflow {
            // A sub-run is brought to its end as well (`RunState.childOrder`), and the step waits for that.
            return
        }
        try end(wait, id, because: "the run ended while this step waited")
    }

    /// Closes what a step waits for beside a failure that the run goes on after.
    private mutating func abandon(_ id: InstanceID) throws(EngineError) {
        guard let wait = state[id].waitKeys.first.flatMap({ state.waits[$0] }) else {
            throw EngineError(.unexpectedStimulus, "\(state.address(of: id)) waits for nothing")
        }
        try end(wait, id, because: "a step beside this one failed while it waited")
    }

    /// A step that waited for another attempt failed already, unless somebody wants the run to end.
    private mutating func end(_ wait: WaitState, _ id: InstanceID, because message: String) throws(EngineError) {
        try emit(
            .taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id),
            ["key": .string(wait.key), "by": "end"])
        if wait.reason == .retry, state.ending == nil || state.ending == .failure, let failure = state[id].error {
            return try settle(id, .failed(failure, AttemptReport()))
        }
        let failure = Failure(.cancelled, message)
        try settle(id, .cancelled(wait.reply == .unknown ? Self.unsettledOutcome : failure))
    }

    /// For entries about a visit that may not have begun.
    func attemptNumber(of id: InstanceID) -> Int? {
        let attempt = state[id].attempt
        return attempt > 0 ? attempt : nil
    }

    static let unsettledOutcome = Failure(.unknown, "the run ended before the outcome was settled")

    // MARK: - The end

    /// The end of the workflow's own plan: what was done is undone where it must be, then the rest of the run's life.
    private mutating func leaveMain() throws(EngineError) -> Bool {
        switch state.ending {
        case .failure where definition.workflow.failure != .stop, .cancellation, .rollback:
            if !state.isAborted, try undoNext(elseLeave: false) { return true }
        default: break
        }
        if state.ending == .rollback { return try rollBack() }
        return try begin(stage: state.ending == .failure ? .onFailure : .finally)
    }

    /// Undoes the newest of what was done, once the one before it is undone.
    private mutating func undoNext(elseLeave: Bool = true) throws(EngineError) -> Bool {
        if state.undoing != nil, !state.isAborted { return false }
        if let next = state.nextCompensation, !state.isAborted {
            let record = state.compensations[next]
            draft.isMilestone = true
            try emit(.compensation, step: record.step, visit: record.visit, ["status": "started"])
            return true
        }
        guard elseLeave else { return false }
        if state.ending == .rollback { return try rollBack() }
        return try begin(stage: state.ending == .failure ? .onFailure : .finally)
    }

    /// All that was done is undone: the run pauses, or begins anew if it was resumed meanwhile.
    private mutating func rollBack() throws(EngineError) -> Bool {
        draft.isMilestone = true
        guard state.isPauseRequested else {
            try emit(.branchTaken, ["to": .string(RunStage.main.rawValue)])
            return true
        }
        try emit(.runPaused, ["reason": "rollback"])
        return false
    }

    private mutating func leaveStage() throws(EngineError) -> Bool {
        let frame = state.frames.values.first { $0.kind == (state.stage == .finally ? .finally : .onFailure) }
        guard frame?.isDone != false else {
            guard state.outstanding.isEmpty, state.waits.isEmpty else { return false }
            return try end(after: Failure(.internal, "nothing runs or waits, and not all steps are settled"))
        }
        if state.stage == .finally { return try end(after: frame?.failure) }
        return try begin(stage: .finally)
    }

    /// Begins a part of the run's life that the workflow has, or the one after it.
    private mutating func begin(stage: RunStage) throws(EngineError) -> Bool {
        // A run that undoes another one has nothing else to do: that one cleaned up itself. One whose turn never came has
        // done nothing, and neither has one that no policy let begin.
        guard !state.isAborted, state.undoes == nil, state.mayBegin else { return try end(after: nil) }
        if stage == .onFailure, definition.workflow.onFailure != nil {
            try emit(.branchTaken, ["to": .string(RunStage.onFailure.rawValue)])
            return true
        }
        if definition.workflow.finally != nil {
            var data: Object = ["to": .string(RunStage.finally.rawValue)]
            if let outputs = draft.outputs { write(.object(outputs), as: "outputs", into: &data) }
            try emit(.branchTaken, data)
            return true
        }
        return try end(after: nil)
    }

    /// Evaluates the outputs and puts them to the goal, before anything is cleaned up.
    ///
    /// - Returns: why the run fails after all; nil if it may complete.
    private mutating func checkResult() throws(EngineError) -> Failure? {
        let failure: Failure?
        do throws(EvaluationFailure) {
            let outputs = try currentOutputs()
            for (index, condition) in (definition.workflow.goal?.acceptance ?? []).enumerated() {
                let scope = RunScope(self, outputs: outputs)
                try verify(condition, in: scope, name: "goal.acceptance[\(index)]")
            }
            draft.outputs = outputs
            failure = nil
        } catch {
            failure = error.failure
        }
        try flushVerifications()
        return failure
    }

    /// Those of a `finish` step, or the workflow's own.
    private func currentOutputs() throws(EvaluationFailure) -> Object {
        guard let early = state.outputs else { return try evaluateOutputs() }
        guard let object = value(of: early)?.objectValue else {
            throw EvaluationFailure(Failure(.internal, "finish.outputs: what was recorded cannot be read"))
        }
        return object
    }

    /// Ends the run.
    ///
    /// - Parameter failure: that of `finally`, which fails a run that would have completed.
    private mutating func end(after failure: Failure?) throws(EngineError) -> Bool {
        switch state.ending {
        case .cancellation:
            try finish(
                .cancelled, outputs: nil,
                error: state.error ?? Failure(.cancelled, state.undoes.map { "undid \($0)" } ?? "cancelled"))
        case .failure:
            try finish(
                .failed, outputs: nil, error: state.error ?? Failure(.internal, "the run failed without an error"))
        case .finish, .rollback, nil:
            if let failure {
                try finish(.failed, outputs: nil, error: failure)
            } else {
                try complete()
            }
        }
        return false
    }

    private mutating func complete() throws(EngineError) {
        // With a `finally` they were evaluated in an earlier decision, and recorded.
        guard let outputs = draft.outputs ?? (try? currentOutputs()) else {
            return try finish(.failed, outputs: nil, error: Failure(.expression, "outputs: cannot be evaluated"))
        }
        try finish(.completed, outputs: outputs, error: nil)
    }

    private mutating func finish(_ phase: RunPhase, outputs: Object?, error: Failure?) throws(EngineError) {
        draft.isMilestone = true
        try sayRejections(isLast: true)
        try checkpointIfDue()
        var data: Object = ["status": .string(phase.rawValue)]
        if let outputs { write(.object(outputs), as: "outputs", into: &data) }
        if let error { data["error"] = error.value }
        let report = state.compensationReport(endingAs: phase)
        if !report.isNull { data["compensation"] = report }
        if state.parentRun != nil { tellParent(&data, phase) }
        try emit(.runEnd, data)
    }
}
