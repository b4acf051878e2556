/// A step somewhere in a workflow: in its plan, a group, a loop, or beside another step.
package struct StepVisit: Sendable {
    package enum Role: Sendable {
        case step
        /// What a loop does with each of its items.
        case item
        case compensation
        /// The process that finds out what became of an attempt.
        case check
        /// What asks about a job that runs elsewhere.
        case poll
    }

    package var step: StepDefinition
    /// Its address, with `*` for an item's index: `group.build`, `load-*.triage`. What stands beside a step has its address.
    package var path: String
    package var role: Role
    /// Whether a run may come to its end without starting it, though nothing fails.
    package var isConditional: Bool
}

extension WorkflowDefinition {
    /// Visits every step at any depth, in the order of the file, each before those inside of it.
    package func visitSteps(_ visit: (StepVisit) -> Void) {
        plan.walk(in: "", isConditional: false, visit)
        onFailure?.walk(in: "", isConditional: true, visit)
        finally?.walk(in: "", isConditional: false, visit)
    }

    /// The names of the workflows that its steps call, in the order of the file.
    package var calledWorkflows: [String] {
        var names: [String] = []
        visitSteps { visit in
            if case .call(let call) = visit.step.action, !names.contains(call.workflow) { names.append(call.workflow) }
        }
        return names
    }
}

extension CapabilityDefinition {
    /// Visits what the capability does, and what stands beside it.
    package func visitSteps(_ visit: (StepVisit) -> Void) {
        step.walk(step.id, .step, isConditional: false, visit)
    }
}

extension Plan {
    fileprivate func walk(in group: String, isConditional: Bool, _ visit: (StepVisit) -> Void) {
        let certain = certainStates
        for (index, step) in steps.enumerated() {
            let isOptional = certain.map { !$0.contains(index) } ?? false
            let path = group.isEmpty ? step.id : "\(group).\(step.id)"
            step.walk(path, .step, isConditional: isConditional || isOptional, visit)
        }
    }

    /// The states of a machine that every run visits; nil for a graph.
    private var certainStates: Set<Int>? {
        guard case .machine(let start) = shape else { return nil }
        var certain: Set<Int> = []
        var state = start
        while certain.insert(state).inserted {
            guard steps.indices.contains(state), steps[state].next.count == 1, let only = steps[state].next.first,
                only.condition == nil, let to = only.to
            else { break }
            state = to
        }
        return certain
    }
}

extension StepDefinition {
    fileprivate func walk(
        _ path: String, _ role: StepVisit.Role, isConditional: Bool, _ visit: (StepVisit) -> Void
    ) {
        let isConditional =
            isConditional || condition != nil || repetition != nil || needs.contains { $0.when == .failed }
        visit(StepVisit(step: self, path: path, role: role, isConditional: isConditional))
        switch action {
        case .steps(let plan): plan.walk(in: path, isConditional: isConditional, visit)
        case .forEach(let loop):
            // A list may be empty.
            for body in loop.body.steps { body.walk("\(path)-*", .item, isConditional: true, visit) }
        case .wait(.job(let job)): job.poll.walk(beside: path, .poll, visit)
        case .first(let branches):
            for case .wait(.job(let job)) in branches.map(\.kind) { job.poll.walk(beside: path, .poll, visit) }
        default: break
        }
        compensation?.plan.walk(beside: path, .compensation, visit)
        if case .check(let plan) = onUnknown { plan.walk(beside: path, .check, visit) }
    }
}

extension Plan {
    /// Of what stands beside a step.
    fileprivate func walk(beside path: String, _ role: StepVisit.Role, _ visit: (StepVisit) -> Void) {
        for step in steps { step.walk(path, role, isConditional: true, visit) }
    }
}
