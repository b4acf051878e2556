import WaybillCore
import WaybillExpressions
import WaybillManifests

// Capabilities: their fields see the inputs they were given, and nothing of the workflow.

extension RunEngine {
    func resolve(
        _ use: UseAction, of step: StepDefinition, _ id: InstanceID, visit: Int, in scope: RunScope,
        into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        guard let capability = use.capability else {
            throw EvaluationFailure(Failure(.internal, "the capability \(use.reference.name) was not resolved"))
        }
        var given = Object()
        for input in use.inputs { given[input.name] = try evaluate(input.template, in: scope, "with.\(input.name)") }
        let inputs: Object
        do throws(GivenInputs.Problems) {
            inputs = try GivenInputs.check(given, against: capability.inputs, of: capability.name)
        } catch {
            throw EvaluationFailure(Failure(.expression, "with: " + error.messages.joined(separator: "; ")))
        }
        let inner = RunScope(self, id, visit: visit, inputs: .object(inputs))
        var work = capability.step
        work.timeout = step.timeout ?? work.timeout
        work.limits = step.limits.completed(by: work.limits)
        work.pool = step.pool ?? work.pool
        switch work.action {
        case .run(let action): try resolve(action, of: work, work.environment, in: inner, into: &resolved)
        case .http(let action): try resolve(action, of: work, id, visit: visit, in: inner, into: &resolved)
        default:
            throw EvaluationFailure(
                Failure(.internal, "the capability \(capability.name) has an action that is none of its own"))
        }
        resolved.intent["with"] = .object(inputs)
        resolved.intent["source"] = .string(capability.sourcePath)
        resolved.intent["capability"] = .string(capability.title)
        resolved.policyView["with"] = .object(inputs)
        resolved.policyView["capability"] = .string(capability.title)
    }

    /// The capability that a compensation or a check comes from; nil where the workflow itself has it.
    func capability(of id: InstanceID) -> CapabilityDefinition? {
        guard let frame = state.frames[id.frame], case .auxiliary(let name) = frame.kind, let parent = frame.parent
        else { return nil }
        let owner = state.definition(of: parent)
        guard case .uses(let use) = owner.action, let capability = use.capability else {
            return capability(of: parent)
        }
        switch name {
        case Frame.compensate: return owner.compensation == nil ? capability : nil
        case Frame.check:
            if case .ask = owner.onUnknown { return capability }
            return nil
        default: return nil
        }
    }

    /// Puts the result of a capability to the capability's own tests.
    mutating func verifyCapability(
        _ outcome: Outcome, of id: InstanceID, visit: Int
    ) throws(EvaluationFailure) {
        guard case .uses(let use) = state.action(of: id), let capability = use.capability else { return }
        let scope = RunScope(self, id, visit: visit, result: outcome, inputs: state[id].intent?["with"])
        for (number, condition) in capability.step.verifications.enumerated() {
            let name = "\(capability.name).verify[\(number)]"
            try verify(condition, in: scope, name: name, step: state.address(of: id), visit: visit)
        }
    }
}

extension CapabilityDefinition {
    /// `publish-artifact@1.2.0`
    package var title: String {
        let tail = version.prerelease.isEmpty ? "" : "-" + version.prerelease.joined(separator: ".")
        return "\(name)@\(version.major).\(version.minor).\(version.patch)\(tail)"
    }
}
