extension WorkflowDefinition {
    /// What the keys of waits begin with in which a policy asks whether a run may begin: `admit-<rule>`. No step of the
    /// workflow has that name.
    package var admissionStem: String {
        var stem = "admit"
        while step(at: stem) != nil { stem += "_" }
        return stem
    }

    /// The step that an address names: `build`, `group.step`, `load-3.triage`, `stage-compensate`, `deploy-check`;
    /// nil if the workflow has none. The indices of items are not looked at.
    package func step(at address: String) -> StepDefinition? {
        var plans = [plan, onFailure, finally].compactMap { $0 }
        var found: StepDefinition?
        for piece in address.split(separator: ".", omittingEmptySubsequences: false) {
            if let group = found {
                guard case .steps(let inner) = group.action else { return nil }
                plans = [inner]
            }
            let parts = piece.split(separator: "-", omittingEmptySubsequences: false)
            guard let id = parts.first.map(String.init),
                var step = plans.lazy.compactMap({ plan in plan.index(of: id).map { plan.steps[$0] } }).first
            else { return nil }
            for suffix in parts.dropFirst() {
                guard let next = step.part(suffix) else { return nil }
                step = next
            }
            found = step
        }
        return found
    }
}

extension StepDefinition {
    /// The item of a loop, or the step that serves this one.
    fileprivate func part(_ suffix: Substring) -> StepDefinition? {
        switch suffix {
        case "compensate": return effectiveCompensation?.step
        case "check":
            if case .check(let plan) = onUnknown { return plan.steps.first }
            if case .uses(let use) = action, case .check(let plan)? = use.capability?.step.onUnknown {
                return plan.steps.first
            }
            return nil
        case "poll":
            if case .wait(.job(let job)) = action { return job.poll.steps.first }
            return nil
        default:
            guard Int(suffix) != nil, case .forEach(let loop) = action else { return nil }
            return loop.body.steps.first
        }
    }

    /// What undoes the step: its own `compensate`, or its capability's.
    package var effectiveCompensation: CompensationDefinition? {
        if let compensation { return compensation }
        if case .uses(let use) = action { return use.capability?.step.compensation }
        return nil
    }

    /// What happens to an attempt whose outcome is unknown: of a use, what its capability says.
    package var effectiveUnknownRule: UnknownRule {
        guard case .uses(let use) = action, let capability = use.capability, case .ask = onUnknown else {
            return onUnknown
        }
        return capability.step.onUnknown
    }

    /// The step that does the work: of a use the capability's, else this one.
    package var performed: StepDefinition {
        guard case .uses(let use) = action, let capability = use.capability else { return self }
        return capability.step
    }
}
