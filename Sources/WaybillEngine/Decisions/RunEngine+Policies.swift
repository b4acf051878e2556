import WaybillCore
import WaybillExpressions
import WaybillManifests

extension RunEngine {
    /// Puts a step, as it is about to start, to every rule that matches it, and records each verdict.
    ///
    /// - Returns: the denial that stops the step; nil if it may start. What cannot be evaluated denies.
    mutating func consultPolicies(
        on step: StepDefinition, index: Int, visit: Int, view: Object
    ) throws(EngineError) -> Failure? {
        var denial: Failure?
        for policy in definition.policies where policy.match.matches(step: step.id, action: step.action.name) {
            for rule in policy.rules {
                guard case .deny(let deny) = rule.verdict else { continue }
                let verdict = judge(rule, deny, on: step, index: index, visit: visit, view: view)
                var data: Object = [
                    "policy": .string(policy.name), "rule": .string(rule.id), "mode": .string(policy.mode.rawValue),
                    "verdict": .string(verdict.word), "expression": .string(deny.source),
                    "values": verdict.values,
                ]
                if let message = verdict.message { data["message"] = .string(message) }
                try emit(.policyPre, actor: .policy, by: policy.name, step: step.id, visit: visit, data)
                guard verdict.isDenial else { continue }
                let text = "\(policy.name)/\(rule.id): \(verdict.message ?? "denied")"
                switch policy.mode {
                case .enforce: denial = denial ?? Failure(.policy, text)
                case .warn:
                    try emit(
                        .diagnostic, actor: .policy, by: policy.name, step: step.id,
                        ["level": "warning", "kind": "policy", "message": .string(text)])
                case .audit: break
                }
            }
        }
        return denial
    }

    private struct Verdict {
        var word: String
        var message: String?
        var values: Value
        var isDenial: Bool { word == "deny" }
    }

    private func judge(
        _ rule: PolicyRule, _ deny: Expression, on step: StepDefinition, index: Int, visit: Int, view: Object
    ) -> Verdict {
        let scope = RunScope(self, step: index, visit: visit, policyView: fullView(of: step, view: view))
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
    private func fullView(of step: StepDefinition, view: Object) -> Object {
        var full: Object = [
            "id": .string(step.id), "action": .string(step.action.name), "capability": .null,
            "sideEffects": .string(step.sideEffects.rawValue), "argv": [], "shell": false,
            "with": .object(Object()), "http": .null, "env": .object(Object()), "secrets": [],
        ]
        for (name, value) in view { full[name] = value }
        return full
    }
}
