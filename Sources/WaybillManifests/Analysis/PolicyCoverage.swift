package import WaybillCore

/// Which steps of which workflow a policy applies to.
package struct PolicyCoverage: Sendable {
    package var policy: String
    package var mode: PolicyDefinition.Mode
    package var workflow: String
    /// The ids of its rules, in the order of the file.
    package var rules: [String]
    /// Those of them that are about the run as a whole, whichever steps the policy matches: budgets, and the rules at
    /// `run.admit` and `migrate`.
    package var runRules: [String]
    /// The addresses of the steps that it matches, with `*` for an item's index, in the order of the file.
    package var steps: [String]
    /// Whether it matches every step of the workflow.
    package var isWhole: Bool

    package init(
        policy: String, mode: PolicyDefinition.Mode, workflow: String, rules: [String], runRules: [String] = [],
        steps: [String], isWhole: Bool
    ) {
        self.runRules = runRules
        self.policy = policy
        self.mode = mode
        self.workflow = workflow
        self.rules = rules
        self.steps = steps
        self.isWhole = isWhole
    }

    /// As the manifests stand: a run keeps the policies it started with.
    package var value: Value {
        [
            "policy": .string(policy), "mode": .string(mode.rawValue), "workflow": .string(workflow),
            "rules": .list(rules.map { .string($0) }), "run": .list(runRules.map { .string($0) }),
            "steps": .list(steps.map { .string($0) }),
        ]
    }
}

extension PolicyDefinition {
    /// Nil where it has nothing to do with the workflow.
    package func coverage(of workflow: WorkflowDefinition) -> PolicyCoverage? {
        guard match.matches(workflow: workflow.name, labels: workflow.labels) else { return nil }
        var steps: [String] = []
        var count = 0
        workflow.visitSteps { visit in
            guard visit.role == .step || visit.role == .item else { return }
            // A loop is its items.
            if case .forEach = visit.step.action { return }
            count += 1
            if visit.step.policyActions.contains(where: { match.matches(step: visit.step.id, action: $0) }) {
                steps.append(visit.path)
            }
        }
        return PolicyCoverage(
            policy: name, mode: mode, workflow: workflow.name, rules: rules.map(\.id),
            runRules: rules.filter(\.isAboutRun).map(\.id), steps: steps, isWhole: steps.count == count)
    }
}

extension PolicyRule {
    fileprivate var isAboutRun: Bool {
        if case .limit = verdict { return true }
        return point == .admission || point == .migration
    }
}

extension StepDefinition {
    /// What policies match it as: a use also as what it resolves to (contract, section 4).
    fileprivate var policyActions: [String] {
        guard case .uses(let use) = action, let capability = use.capability else { return [action.name] }
        return [action.name, capability.step.action.name]
    }
}

extension Catalog {
    /// What applies to what, by workflow and then by policy.
    package var coverage: [PolicyCoverage] {
        workflows.sorted { $0.key.precedesInCodePoints($1.key) }.flatMap { _, workflow in
            policies.compactMap { $0.coverage(of: workflow) }
        }
    }
}
