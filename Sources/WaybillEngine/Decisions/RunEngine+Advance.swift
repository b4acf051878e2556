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
        write(.object(start.inputs), as: "inputs", into: &data)
        if let goal = definition.workflow.goal { data["goal"] = describe(goal, start) }
        try emit(.runStart, actor: start.actor, by: start.by, data)
        for diagnostic in start.diagnostics { try emit(.diagnostic, diagnostic.value.objectValue ?? Object()) }
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
        let summary = (try? goal.summary.value(in: RunScope(starting: preview))) ?? .null
        return [
            "summary": summary.stringValue.map { .string(ValueLimits.shortened($0)) } ?? summary,
            "acceptance": .list(goal.acceptance.map { .string($0.source) }),
        ]
    }

    /// Decides until nothing is left to decide, or the decision is as large as it may get.
    mutating func advance() throws(EngineError) {
        while state.phase == .running {
            if state.ending != nil {
                try wind()
                break
            }
            if state.isPauseRequested {
                try pauseIfQuiet()
                break
            }
            guard draft.steps < limits.stepsPerDecision else {
                draft.hasMore = true
                break
            }
            if let index = state.nextState ?? state.ready.first {
                draft.steps += 1
                try decide(index)
            } else if state.counts.active == 0 {
                try complete()
                break
            } else {
                break
            }
        }
        if !state.phase.isEnded { try checkpointIfDue() }
    }

    private mutating func pauseIfQuiet() throws(EngineError) {
        guard state.counts.running == 0 else { return }
        draft.isMilestone = true
        try emit(.runPaused, Object())
    }

    /// Brings a run that fails, is cancelled or finishes early to its end: nothing new starts, waits close,
    /// attempts end by themselves (after a failure) or are ended.
    private mutating func wind() throws(EngineError) {
        for key in state.waits.keys.sorted() { try close(key) }
        // Once: many programs take a second TERM for impatience. A later decision finds the attempts in the state.
        if state.ending != .failure, state.ending != draft.endingBefore {
            for attempt in state.outstandingAttempts { draft.effects.append(.terminate(attempt.reference)) }
        }
        // An unknown outcome that nobody will be asked about any more.
        for index in state.steps.indices where state.counts.unknown > 0 && state.steps[index].status == .unknown {
            try settle(index, .cancelled(Self.unsettledOutcome))
        }
        guard state.counts.active == 0 else { return }
        switch state.ending {
        case .finish: try complete()
        case .cancellation: try finish(.cancelled, outputs: nil, error: state.error ?? Failure(.cancelled, "cancelled"))
        case .failure, nil:
            try finish(
                .failed, outputs: nil, error: state.error ?? Failure(.internal, "the run failed without an error"))
        }
    }

    private mutating func close(_ key: String) throws(EngineError) {
        guard let wait = state.waits[key], let index = definition.workflow.plan.index(of: wait.step) else { return }
        let step = state.steps[index]
        try emit(
            .taskResumed, step: wait.step, visit: wait.visit, attempt: step.attempt,
            ["key": .string(key), "by": .string("end")])
        let failure = Failure(.cancelled, "the run ended while this step waited")
        try settle(index, .cancelled(wait.reply == .unknown ? Self.unsettledOutcome : failure))
    }

    private static let unsettledOutcome = Failure(.unknown, "the run ended before the outcome was settled")

    // MARK: - The end

    private mutating func complete() throws(EngineError) {
        var outputs = Object()
        do throws(EvaluationFailure) {
            if let early = state.outputs {
                guard let object = value(of: early)?.objectValue else {
                    throw EvaluationFailure(Failure(.internal, "finish.outputs: what was recorded cannot be read"))
                }
                outputs = object
            } else {
                outputs = try evaluateOutputs()
            }
            for (index, condition) in (definition.workflow.goal?.acceptance ?? []).enumerated() {
                let scope = RunScope(self, outputs: outputs)
                try verify(condition, in: scope, name: "goal.acceptance[\(index)]")
            }
        } catch {
            try flushVerifications()
            return try finish(.failed, outputs: nil, error: error.failure)
        }
        try flushVerifications()
        try finish(.completed, outputs: outputs, error: nil)
    }

    private mutating func finish(_ phase: RunPhase, outputs: Object?, error: Failure?) throws(EngineError) {
        draft.isMilestone = true
        try sayRejections(isLast: true)
        try checkpointIfDue()
        var data: Object = ["status": .string(phase.rawValue)]
        if let outputs { write(.object(outputs), as: "outputs", into: &data) }
        if let error { data["error"] = error.value }
        try emit(.runEnd, data)
    }
}
