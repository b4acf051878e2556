import WaybillManifests

extension WorkflowDefinition {
    /// Whether a step waits for events that come after its wait has opened (`since: wait`).
    var waitsForLaterEvents: Bool {
        var found = false
        visitSteps { visit in
            if visit.step.performed.eventWaits.contains(where: { $0.since == .wait }) { found = true }
        }
        return found
    }
}

extension StepDefinition {
    fileprivate var eventWaits: [EventWait] {
        switch action {
        case .wait(.event(let wait)): [wait]
        case .first(let branches):
            branches.compactMap { branch in
                guard case .wait(.event(let wait)) = branch.kind else { return nil }
                return wait
            }
        default: []
        }
    }
}
