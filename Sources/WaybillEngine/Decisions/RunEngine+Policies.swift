import WaybillCore
import WaybillExpressions
import WaybillManifests

/// Whether a step may begin.
enum Admission: Sendable {
    case proceed
    case denied(Failure)
    /// A wait was opened; the step begins when it is answered.
    case waits
}

extension RunEngine {
    /// Puts a step, as it is about to start, to every rule that matches it, and records each verdict.
    ///
    /// What cannot be evaluated denies.
    mutating func consultPolicies(
        before id: InstanceID, visit: Int, _ resolved: ResolvedAction
    ) throws(EngineError) -> Admission {
        let step = state.definition(of: id)
        let address = state.address(of: id)
        var denial: Failure?
        for policy in definition.policies where policy.match.matches(step: step.id, action: step.action.name) {
            for rule in policy.rules where rule.point == .before {
                guard case .deny(let deny) = rule.verdict else { continue }
                let verdict = judge(rule, deny, on: id, visit: visit, view: resolved.policyView)
                var data: Object = [
                    "policy": .string(policy.name), "rule": .string(rule.id), "mode": .string(policy.mode.rawValue),
                    "verdict": .string(verdict.word), "expression": .string(deny.source), "values": verdict.values,
                ]
                if let message = verdict.message { data["message"] = .string(message) }
                try emit(.policyPre, actor: .policy, by: policy.name, step: address, visit: visit, data)
                guard verdict.isDenial else { continue }
                let text = "\(policy.name)/\(rule.id): \(verdict.message ?? "denied")"
                switch policy.mode {
                case .enforce: denial = denial ?? Failure(.policy, text)
                case .warn:
                    try emit(
                        .diagnostic, actor: .policy, by: policy.name, step: address,
                        ["level": "warning", "kind": "policy", "message": .string(text)])
                case .audit: break
                }
            }
        }
        return denial.map(Admission.denied) ?? .proceed
    }

    /// Puts a result to the rules at `step.after`; the denial that rejects it, if one does.
    mutating func consultPolicies(
        after id: InstanceID, visit: Int, _ outcome: Outcome
    ) throws(EngineError) -> Failure? { nil }

    /// Why the run's budgets let no further attempt begin; nil if they do.
    mutating func checkBudgets(before id: InstanceID) throws(EngineError) -> Failure? { nil }

    /// Begins a step whose recorded intent was approved.
    mutating func beginApproved(_ id: InstanceID, _ intent: Object) throws(EngineError) {
        throw EngineError(.unexpectedStimulus, "\(state.address(of: id)) waits for no approval")
    }

    /// Takes the answer to an approval.
    mutating func settleApproval(
        _ id: InstanceID, _ wait: WaitState, _ answer: Value, by author: String?
    ) throws(EngineError) {
        throw EngineError(.unexpectedStimulus, "\(state.address(of: id)) waits for no approval")
    }

    private struct Verdict {
        var word: String
        var message: String?
        var values: Value
        var isDenial: Bool { word == "deny" }
    }

    private func judge(
        _ rule: PolicyRule, _ deny: Expression, on id: InstanceID, visit: Int, view: Object
    ) -> Verdict {
        let scope = RunScope(self, id, visit: visit, policyView: fullView(of: state.definition(of: id), view: view))
        let values = seen(by: deny, in: scope)
        do throws(ExpressionError) {
            if let condition = rule.condition, try !condition.condition(in: scope) {
                return Verdict(word: "not-applicable", message: nil, values: values)
            }
            guard try deny.condition(in: scope) else {
                return Verdict(word: "allow", message: nil, values: values)
            }
        } catch {
            return Verdict(word: "deny", message: "cannot be evaluated: \(error.message)", values: values)
        }
        // A message that cannot be evaluated does not soften the denial.
        let message = rule.message.map { ValueLimits.shortened((try? $0.text(in: scope)) ?? "denied") }
        return Verdict(word: "deny", message: message ?? "denied by \(deny.source)", values: values)
    }

    /// Every rule sees a full `step`, whatever the action is.
    func fullView(of step: StepDefinition, view: Object) -> Object {
        var full: Object = [
            "id": .string(step.id), "action": .string(step.action.name), "capability": .null,
            "sideEffects": .string(step.performed.sideEffects.rawValue), "argv": [], "shell": false,
            "with": .object(Object()), "http": .null, "env": .object(Object()), "secrets": [],
        ]
        for (name, value) in view { full[name] = value }
        return full
    }
}
