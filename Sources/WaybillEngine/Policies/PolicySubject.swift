import WaybillCore
import WaybillExpressions
import WaybillManifests

/// A policy that applies to a run, and where it comes from.
struct BindingPolicy: Sendable {
    var policy: PolicyDefinition
    /// Whether it is one of the tree's present policies, and not one that the run was started with.
    var isPresent: Bool
    /// Those of its rules that are not the ones the run has already.
    var rules: [PolicyRule]
}

extension PolicyDefinition {
    /// Whether it applies to a step: a use counts as `uses` and as what it resolves to, a step that serves another one
    /// (a compensation, a check, a poll) also by the id of that step.
    func matches(_ step: StepDefinition, servingFor owner: StepDefinition?) -> Bool {
        let ids = [step.id, owner?.id].compactMap { $0 }
        var actions = [step.action.name]
        if case .uses(let use) = step.action, let capability = use.capability {
            actions.append(capability.step.action.name)
        }
        return ids.contains { id in actions.contains { match.matches(step: id, action: $0) } }
    }
}

extension RunEngine {
    /// The policies that the run was started with, and after them the tree's present ones that bind running runs: these
    /// can only deny or require more, so whatever they say adds to what the others do.
    var bindingPolicies: [BindingPolicy] { bindingPolicies(of: definition.workflow, definition.policies) }

    /// The same for a workflow that this run may call.
    func bindingPolicies(ofCalled workflow: WorkflowDefinition) -> [BindingPolicy] {
        let frozen = definition.frozenPolicies.filter {
            $0.match.matches(workflow: workflow.name, labels: workflow.labels)
        }
        return bindingPolicies(of: workflow, frozen)
    }

    private func bindingPolicies(of workflow: WorkflowDefinition, _ frozen: [PolicyDefinition]) -> [BindingPolicy] {
        let own = frozen.map { BindingPolicy(policy: $0, isPresent: false, rules: $0.rules) }
        let present = runningPolicies.filter { policy in
            policy.binding == .running && policy.match.matches(workflow: workflow.name, labels: workflow.labels)
        }
        return own
            + present.compactMap { policy in
                let known = frozen.filter { $0.name == policy.name && $0.mode == policy.mode }
                    .flatMap(\.rules).map(\.digest)
                let rules = policy.rules.filter { !known.contains($0.digest) }
                return rules.isEmpty ? nil : BindingPolicy(policy: policy, isPresent: true, rules: rules)
            }
    }

    /// Those that apply to a step.
    func policies(for id: InstanceID) -> [BindingPolicy] {
        guard !definition.policies.isEmpty || !runningPolicies.isEmpty else { return [] }
        let step = state.definition(of: id)
        let owner = owner(of: id)
        return bindingPolicies.filter { $0.policy.matches(step, servingFor: owner) }
    }

    /// The step that a compensation, a check or a poll serves.
    private func owner(of id: InstanceID) -> StepDefinition? {
        guard let frame = state.frames[id.frame], case .auxiliary = frame.kind, let parent = frame.parent else {
            return nil
        }
        return state.definition(of: parent)
    }

    /// What rules see of a step and of the run around it.
    func policyScope(
        _ id: InstanceID?, view: Object = Object(), output: Value? = nil, answer: Value? = nil
    ) -> PolicyScope {
        var variables: Object = [
            "run": [
                "id": .string(state.id), "startedAt": .string(state.startedAt.description),
                "startedBy": state.startedBy.map(Value.string) ?? .null,
            ],
            "context": .object(state.context),
        ]
        if let id {
            variables["step"] = .object(fullView(of: id, view: view))
        } else if answer != nil {
            variables["step"] = .object(PolicyJudge.fullStep(view))
        }
        variables["output"] = output
        variables["answer"] = answer
        let reader = payloadReader
        let inputs = state.inputs
        return PolicyScope(variables: variables, zones: definition.zones) { reader.value(of: inputs) }
    }

    private func fullView(of id: InstanceID, view: Object) -> Object {
        let step = state.definition(of: id)
        let isServing = owner(of: id) != nil
        var known: Object = [
            "id": .string(isServing ? state.address(of: id) : step.id), "action": .string(step.action.name),
            "sideEffects": .string(step.performed.sideEffects.rawValue),
        ]
        for (name, value) in view { known[name] = value }
        return PolicyJudge.fullStep(known)
    }

    /// The view of a step whose intent was recorded.
    func recordedView(of id: InstanceID, _ intent: Object?) -> Object {
        guard let intent else { return Object() }
        var view = Object()
        view["env"] = intent["env"]
        view["with"] = intent["with"]
        view["secrets"] = .list(SecretUse.names(in: intent).map(Value.string))
        view["capability"] = intent["capability"]
        switch intent["action"]?.stringValue {
        case "run":
            if case .run(let action) = state.definition(of: id).performed.action,
                case .script(let text, let shell) = action.command
            {
                view["argv"] = [.string(shell), "-c", .string(text)]
                view["shell"] = true
            } else {
                view["argv"] = intent["argv"]
            }
        case "http":
            var request = Object()
            for name in ["method", "url", "headers", "body"] { request[name] = intent[name] ?? .null }
            view["http"] = .object(request)
        default: break
        }
        return view
    }
}
