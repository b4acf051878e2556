import WaybillCore
import WaybillManifests

// Grants: what a sub-run may use of its parent's budgets. A grant is cut from what is left when the call begins, and no
// two sub-runs are given the same; what one has not used is free again when it ends.

extension RunEngine {
    /// The grant of a call that is about to begin: of each measure what the called workflow limits itself to, else an
    /// equal share of what is left among the steps that go on now. Empty where nothing is limited, and for what cleans up,
    /// which no budget holds up.
    func grant(for id: InstanceID, calling workflow: WorkflowDefinition?, isDetached: Bool) -> Object {
        guard state.stage == .main else { return Object() }
        var left = LimitsDefinition()
        for budget in budgets(for: id) where budget.mode == .enforce { left.lower(to: remainder(of: budget.limits)) }
        guard !left.isEmpty else { return Object() }
        let declared = workflow?.limits ?? LimitsDefinition()
        // Who calls and does not wait goes on beside the sub-run.
        let branches = branches(beside: id) + (isDetached ? 1 : 0)
        var grant = LimitsDefinition()
        grant.elapsed = left.elapsed
        grant.steps = left.steps.map { share($0, declared.steps, branches) }
        grant.retries = left.retries.map { share($0, declared.retries, branches) }
        grant.tokens = left.tokens.map { share($0, declared.tokens, branches) }
        grant.active = left.active.map { left in
            let most = declared.active?.microseconds ?? left.microseconds / Int64(branches)
            return .microseconds(min(left.microseconds, most))
        }
        grant.cost = left.cost.map { min($0, declared.cost ?? $0 / Double(branches)) }
        return grant.grant
    }

    /// One is never divided: else nobody would get it.
    private func share(_ left: Int, _ declared: Int?, _ branches: Int) -> Int {
        min(left, declared ?? max(1, left / branches))
    }

    /// What is neither used nor granted.
    private func remainder(of limits: LimitsDefinition) -> LimitsDefinition {
        let (usage, granted) = (state.usage, state.granted)
        let elapsed = draft.moment.now.microseconds - state.startedAt.microseconds
        let active = usage.activeMicroseconds + granted.activeMicroseconds
        var left = LimitsDefinition()
        // The call is an attempt of its own.
        left.steps = limits.steps.map { max(0, $0 - usage.started - granted.steps - 1) }
        left.retries = limits.retries.map { max(0, $0 - usage.retries - granted.retries) }
        left.tokens = limits.tokens.map { max(0, $0 - Int(usage.tokens) - granted.tokens) }
        left.cost = limits.cost.map { max(0, $0 - usage.cost - granted.cost) }
        left.active = limits.active.map { .microseconds(max(0, $0.microseconds - active)) }
        left.elapsed = limits.elapsed.map { .microseconds(max(0, $0.microseconds - elapsed)) }
        return left
    }

    /// How many steps share what is left: this one, those that are ready or under way beside it, and the items that its
    /// loop begins at once. What is around the step, and sub-runs that have their grant, do not count.
    private func branches(beside id: InstanceID) -> Int {
        var count =
            1 + state.ready.count - (state.ready.contains(id) ? 1 : 0) + state.counts.active
            - state.granted.holders
        for frame in state.frameChain(of: id.frame) {
            guard let parent = frame.parent else { continue }
            count -= 1
            if state.ready.contains(parent) { count -= 1 }
            guard case .forEach(let loop) = state.definition(of: parent).action, let next = state[parent].loop?.next,
                let running = state[parent].loop?.running, let items = state[parent].loop?.count
            else { continue }
            count += max(0, min(loop.maxParallel - running, items - next))
        }
        return max(1, count)
    }
}

extension LimitsDefinition {
    /// Takes the lower one of each measure.
    fileprivate mutating func lower(to other: LimitsDefinition) {
        func least<Measure: Comparable>(_ first: Measure?, _ second: Measure?) -> Measure? {
            guard let first, let second else { return first ?? second }
            return min(first, second)
        }
        steps = least(steps, other.steps)
        retries = least(retries, other.retries)
        tokens = least(tokens, other.tokens)
        cost = least(cost, other.cost)
        active = least(active, other.active)
        elapsed = least(elapsed, other.elapsed)
    }
}
