import WaybillManifests

extension RunState {
    /// A run that was held after a failure goes on: what failed is visited again, and what had not begun may begin.
    mutating func releaseHold() {
        ending = nil
        error = nil
        abandoned.removeAll()
        for id in frames.keys.sorted() {
            guard let frame = frames[id], !frame.isClosed else { continue }
            frames[id]?.isHalted = false
            frames[id]?.failure = nil
            for (index, step) in frame.steps.enumerated() {
                let instance = InstanceID(frame: id, step: index)
                if step.status == .failed, !step.isFailureHandled || step.loop != nil {
                    reopen(instance)
                } else if step.status == .pending, isDue(instance) {
                    ready.insert(instance)
                } else if step.status == .running, step.loop != nil {
                    if !isStopped(loop: instance) { self[instance].loop?.isStopped = false }
                    reviseLoop(instance)
                }
            }
        }
    }

    /// Whether what has begun is kept as it is, because a failure is about to hold the run, or holds it.
    var keepsWhatBegan: Bool { ending == .failure && definition.failure == .hold && stage == .main }

    /// Whether no item of a loop begins any more, whatever else goes on.
    private func isStopped(loop id: InstanceID) -> Bool {
        guard case .forEach(let action) = definition(of: id).action else { return false }
        return action.onItemFailure == .stop && (self[id].loop?.failed ?? 0) > 0
    }

    /// Whether a step that has not begun may begin: its needs are settled, or it was under way to another attempt.
    private func isDue(_ id: InstanceID) -> Bool {
        guard let frame = frames[id.frame] else { return false }
        if self[id].intent != nil { return true }
        return frame.plan.shape == .graph && frame.unsettledNeeds[id.step] == 0
    }

    /// A step that failed is to be visited again.
    private mutating func reopen(_ id: InstanceID) {
        setStatus(.pending, of: id)
        for status in StepCounts.statuses { counts[status] -= self[id].inside[status] }
        self[id].inside = StepCounts()
        if plan(of: id.frame).shape == .graph {
            for dependant in plan(of: id.frame).dependants[id.step] { frames[id.frame]?.unsettledNeeds[dependant] += 1 }
        }
        ready.insert(id)
    }
}
