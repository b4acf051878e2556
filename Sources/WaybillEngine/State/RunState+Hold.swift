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
                    self[instance].loop?.isStopped = false
                    reviseLoop(instance)
                }
            }
        }
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
        if plan(of: id.frame).shape == .graph {
            for dependant in plan(of: id.frame).dependants[id.step] { frames[id.frame]?.unsettledNeeds[dependant] += 1 }
        }
        ready.insert(id)
    }
}
