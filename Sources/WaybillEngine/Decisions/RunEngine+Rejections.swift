import WaybillCore
import WaybillManifests

// A result that is rejected is undone (contract, section 7). Where the run fails for it, that comes with all else that is
// undone. Where it goes on, what was done must not stand beside another attempt, or be undone after it: it is undone first.

extension RunEngine {
    /// Undoes a rejected result before anything goes on after it.
    ///
    /// - Returns: whether something is there to be undone first; the visit ends once that is done.
    mutating func undoRejected(_ outcome: Outcome, of id: InstanceID, visit: Int) throws(EngineError) -> Bool {
        let hasBegun = state[id].visit == visit && state[id].attempt > 0
        guard outcome.isRejected, !outcome.isFinal, state.stage == .main,
            state.ending == nil || state.ending == .finish || state.keepsWhatBegan,
            canBeUndone(outcome, id, hasBegun: hasBegun), goesOn(after: outcome, of: id, visit: visit)
        else { return false }
        var data = outcome.rejection
        data["status"] = "started"
        data["reason"] = "rejected"
        if let output = outcome.rejectedOutput {
            record(output, of: state.definition(of: id), as: "rejected", into: &data)
        }
        if let item = RunScope(self, id, visit: visit).itemValue { write(item, as: "item", into: &data) }
        draft.isMilestone = true
        try emit(
            .compensation, step: state.address(of: id), visit: visit, attempt: state[id].attempt, data)
        return true
    }

    /// Goes on with a visit whose rejected result is undone, as far as it could be.
    mutating func endRejection(of id: InstanceID) throws(EngineError) {
        guard let rejection = state[id].rejection else { return }
        try conclude(Outcome(rejection: rejection), of: id, visit: state[id].visit)
    }

    /// Whether the run may go on after a failure: another attempt is made, or the failure is passed over here or by what
    /// is around the step.
    private func goesOn(after outcome: Outcome, of id: InstanceID, visit: Int) -> Bool {
        if definition.workflow.failure == .hold || state.ending != nil || isHandled(id) { return true }
        if nextAttempt(of: id, after: outcome) != nil { return true }
        var caught = outcome
        catchFailure(&caught, of: id, visit: visit)
        return caught.caught != nil
            || state.frameChain(of: id.frame).contains { frame in
                frame.parent.map(mayPassOver) ?? false
            }
    }

    /// Whether a group or loop may go on, or be tried again, after a failure inside it.
    private func mayPassOver(_ id: InstanceID) -> Bool {
        let step = state.definition(of: id)
        if case .forEach(let loop) = step.action, loop.onItemFailure == .collect { return true }
        return step.retry != nil || !step.catches.isEmpty || isHandled(id)
    }
}
