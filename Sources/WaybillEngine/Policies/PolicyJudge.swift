package import WaybillCore
import WaybillExpressions
package import WaybillManifests

/// What a rule says of one thing it was put to, with all that the ledger keeps of it.
package struct RuleVerdict: Sendable {
    package enum Word: String, Sendable {
        case allow
        case deny
        /// Goes on once somebody approved.
        case require
        /// The rule's `if` is false.
        case notApplicable = "not-applicable"
    }

    package var policy: String
    package var mode: PolicyDefinition.Mode
    package var rule: PolicyRule
    /// Whether it is one of the tree's present policies, and not one that the run was started with.
    package var isPresent = false
    package var word: Word
    /// Why it denies, or what is asked.
    package var message: String?
    /// The conditions as written.
    package var expression: String?
    /// What they saw.
    package var values: Value

    /// `guard/listed: no rm`
    package var text: String { "\(policy)/\(rule.id): \(message ?? "denied")" }

    /// The data of `POLICY_PRE` and `POLICY_POST`.
    package var data: Object {
        var data: Object = [
            "policy": .string(policy), "rule": .string(rule.id), "at": .string(rule.point.rawValue),
            "mode": .string(mode.rawValue), "verdict": .string(word.rawValue),
        ]
        data["expression"] = expression.map(Value.string)
        data["values"] = values
        data["message"] = message.map(Value.string)
        data["digest"] = .string(rule.digest)
        if isPresent { data["binds"] = .string(PolicyDefinition.Binding.running.rawValue) }
        return data
    }
}

/// Puts things to rules. Pure: what cannot be evaluated denies.
package enum PolicyJudge {
    package static func judge(
        _ rule: PolicyRule, of policy: PolicyDefinition, isPresent: Bool = false, in scope: PolicyScope
    ) -> RuleVerdict {
        var verdict = RuleVerdict(
            policy: policy.name, mode: policy.mode, rule: rule, isPresent: isPresent, word: .allow,
            values: .object(Object()))
        let conditions = conditions(of: rule)
        verdict.expression = conditions.isEmpty ? nil : conditions.map(\.source).joined(separator: " && ")
        verdict.values = seen(by: [rule.condition].compactMap { $0 } + conditions, in: scope)
        do throws(ExpressionError) {
            if let condition = rule.condition, try !condition.condition(in: scope) {
                verdict.word = .notApplicable
                return verdict
            }
            try decide(rule, &verdict, in: scope)
        } catch {
            verdict.word = .deny
            verdict.message = "cannot be evaluated: \(error.message)"
        }
        return verdict
    }

    private static func conditions(of rule: PolicyRule) -> [Expression] {
        switch rule.verdict {
        case .deny(let condition): [condition]
        case .verification(let conditions): conditions
        case .approval, .limit: []
        }
    }

    private static func decide(
        _ rule: PolicyRule, _ verdict: inout RuleVerdict, in scope: PolicyScope
    ) throws(ExpressionError) {
        switch rule.verdict {
        case .deny(let condition):
            guard try condition.condition(in: scope) else { return }
            deny(rule, &verdict, "denied by \(condition.source)", in: scope)
        case .verification(let conditions):
            for condition in conditions where try !condition.condition(in: scope) {
                return deny(rule, &verdict, "does not hold: \(condition.source)", in: scope)
            }
        case .approval(let approval):
            verdict.word = .require
            let prompt = approval.prompt ?? rule.message
            let text = try prompt?.text(in: scope)
            verdict.message = text.map { ValueLimits.shortened($0) }
        case .limit: break
        }
    }

    private static func deny(
        _ rule: PolicyRule, _ verdict: inout RuleVerdict, _ otherwise: String, in scope: PolicyScope
    ) {
        verdict.word = .deny
        // A message that cannot be evaluated does not soften the denial.
        verdict.message = rule.message.map { ValueLimits.shortened((try? $0.text(in: scope)) ?? "denied") } ?? otherwise
    }

    /// What expressions saw, cut to a size fit for a ledger.
    private static func seen(by expressions: [Expression], in scope: PolicyScope) -> Value {
        var values = Object()
        for reference in expressions.flatMap(\.references).prefix(16) {
            let path = reference.path
            guard let value = scope.value(at: path) else { continue }
            let isLong = JSON.compact(value).count > 1_024
            values[path.joined(separator: ".")] = isLong ? .string("(more than 1 KiB)") : value
        }
        return .object(values)
    }

    // MARK: - Steps

    /// A `step` as every rule sees it, whatever the action is.
    package static func fullStep(_ view: Object) -> Object {
        var full: Object = [
            "id": "", "action": "", "capability": .null, "sideEffects": .string(SideEffects.effect.rawValue),
            "argv": [], "shell": false, "with": .object(Object()), "http": .null, "env": .object(Object()),
            "secrets": [],
        ]
        for (name, value) in view { full[name] = value }
        return full
    }

    // MARK: - Cases

    /// What a case of a policy's own table comes to.
    package struct CaseResult: Sendable {
        /// `allow`, `deny` or `require`.
        package var verdict: String
        /// The rules that say so.
        package var rules: [String]
        package var message: String?
        package var isExpected: Bool
    }

    /// Tries a case on the policy's rules, whatever its mode and what it matches.
    package static func test(_ policyCase: PolicyCase, of policy: PolicyDefinition) -> CaseResult {
        var variables: Object = [
            "run": ["id": "", "startedAt": "1970-01-01T00:00:00Z", "startedBy": .null],
            "context": .object(Object()),
        ]
        let inputs = policyCase.given["inputs"] ?? .object(Object())
        switch policyCase.point {
        case .admission, .migration: break
        case .before: variables["step"] = .object(Object())
        case .after:
            variables["step"] = .object(Object())
            variables["output"] = .null
        case .answer:
            variables["step"] = .object(Object())
            variables["answer"] = .null
        }
        for (name, value) in policyCase.given where name != "inputs" {
            if name == "run", let given = value.objectValue, var run = variables["run"]?.objectValue {
                for (member, value) in given { run[member] = value }
                variables["run"] = .object(run)
            } else {
                variables[name] = value
            }
        }
        if let step = variables["step"] { variables["step"] = .object(fullStep(step.objectValue ?? Object())) }
        let scope = PolicyScope(variables: variables) { inputs }
        let verdicts = policy.rules.filter { $0.point == policyCase.point }.map { judge($0, of: policy, in: scope) }
        let denials = verdicts.filter { $0.word == .deny }
        let deciding = denials.isEmpty ? verdicts.filter { $0.word == .require } : denials
        let word = deciding.first?.word.rawValue ?? RuleVerdict.Word.allow.rawValue
        let rules = deciding.map(\.rule.id)
        return CaseResult(
            verdict: word, rules: rules, message: deciding.first?.message,
            isExpected: word == policyCase.verdict && (policyCase.rule.map(rules.contains) ?? true))
    }
}
