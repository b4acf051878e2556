package import WaybillCore
import WaybillExpressions
package import WaybillManifests

/// One limit that a run is under.
struct Budget {
    /// `workflow`, `grant`, or `policy/rule`.
    var source: String
    var mode: PolicyDefinition.Mode
    var limits: LimitsDefinition
    var policy: (name: String, rule: PolicyRule, isPresent: Bool)?
}

/// What an attempt that is about to be is to the budget of retries.
enum RetryPhase {
    /// The first one of a visit, which uses none.
    case none
    case asked
    /// It is counted already.
    case granted
}

/// One measure of a budget, as it stands.
private struct Reading {
    var measure: String
    var used: Double
    var limit: Double
    /// Whether the next attempt would be one too many.
    var isExhausted: Bool
    var shown: (used: Value, limit: Value)
    /// What sub-runs under way were granted of it; nil for nothing.
    var granted: Value?
}

// Budgets: `limits` of the workflow, the grant of a sub-run, and the `limit` rules of policies (contract, section 4).

extension RunEngine {
    /// Why the run's budgets let no further attempt begin; nil if they do. What undoes and cleans up is not held up by
    /// them: a run that is out of budget must still be brought to a good end.
    ///
    /// - Parameter retry: whether another attempt of a visit is asked for, or, once it was granted and its back-off is
    ///   over, whether it may begin.
    mutating func checkBudgets(before id: InstanceID, _ retry: RetryPhase) throws(EngineError) -> Failure? {
        guard state.stage == .main else { return nil }
        var failure: Failure?
        for budget in budgets(for: id) {
            // Whether one that is granted may begin is asked when its back-off is over, but for the retry itself.
            for reading in readings(budget, retry, of: id) where retry != .asked || reading.measure == "retries" {
                let isNear = reading.used >= 0.8 * reading.limit
                guard isNear || reading.isExhausted else { continue }
                let stops = reading.isExhausted && budget.mode == .enforce
                if stops {
                    let text = "\(budget.source): \(reading.text) is used up"
                    failure = failure ?? Failure(.limit, text)
                    try record(budget, reading, text, id)
                } else {
                    try warn(budget, reading, id)
                }
            }
        }
        return failure
    }

    /// Says once that a budget is nearly used up, and, where it only warns, once that it is.
    private mutating func warn(_ budget: Budget, _ reading: Reading, _ id: InstanceID) throws(EngineError) {
        let percent = reading.isExhausted ? 100 : 80
        let mark = "\(budget.source) \(reading.measure) \(percent)"
        guard !state.limitWarnings.contains(mark) else { return }
        var data: Object = [
            "source": .string(budget.source), "limit": .string(reading.measure), "percent": .int(Int64(percent)),
            "used": reading.shown.used, "max": reading.shown.limit, "mode": .string(budget.mode.rawValue),
        ]
        data["digest"] = budget.policy.map { .string($0.rule.digest) }
        let actor: Actor = budget.policy == nil ? .engine : .policy
        try emit(.limitWarning, actor: actor, by: budget.policy?.name, step: state.address(of: id), data)
        guard budget.mode == .warn, percent == 100 else { return }
        try emit(
            .diagnostic, actor: .policy, by: budget.policy?.name, step: state.address(of: id),
            [
                "level": "warning", "kind": "policy",
                "message": .string("\(budget.source): \(reading.text) is used up"),
            ])
    }

    private mutating func record(
        _ budget: Budget, _ reading: Reading, _ text: String, _ id: InstanceID
    ) throws(EngineError) {
        guard let policy = budget.policy else { return }
        var verdict = RuleVerdict(
            policy: policy.name, mode: budget.mode, rule: policy.rule, isPresent: policy.isPresent, word: .deny,
            message: text, values: ["used": reading.shown.used, "max": reading.shown.limit])
        verdict.expression = "limit.\(reading.measure)"
        try record(verdict, .policyPre, step: state.address(of: id))
    }

    func budgets(for id: InstanceID) -> [Budget] {
        var budgets: [Budget] = []
        let own = definition.workflow.limits
        if !own.isEmpty { budgets.append(Budget(source: "limits", mode: .enforce, limits: own)) }
        let granted = LimitsDefinition(grant: state.grant)
        if !granted.isEmpty { budgets.append(Budget(source: "grant", mode: .enforce, limits: granted)) }
        guard !definition.policies.isEmpty || !runningPolicies.isEmpty else { return budgets }
        for bound in bindingPolicies {
            for rule in bound.rules {
                guard case .limit(let limits) = rule.verdict else { continue }
                if let condition = rule.condition {
                    // A budget whose condition cannot be evaluated holds.
                    guard (try? condition.condition(in: policyScope(id))) ?? true else { continue }
                }
                budgets.append(
                    Budget(
                        source: "\(bound.policy.name)/\(rule.id)", mode: bound.policy.mode, limits: limits,
                        policy: (bound.policy.name, rule, bound.isPresent)))
            }
        }
        return budgets
    }

    /// How the measures stand. What sub-runs were granted is not used, but nobody else may use it: where a budget stops,
    /// it stops before that.
    private func readings(_ budget: Budget, _ retry: RetryPhase, of id: InstanceID) -> [Reading] {
        let (limits, usage) = (budget.limits, state.usage)
        var granted = budget.mode == .enforce ? state.granted : Grants()
        // What a sub-run that ended was granted is free again once its call is tried again.
        if retry == .asked, let own = state[id].intent?["grant"]?.objectValue { granted.release(own, isKept: false) }
        var readings: [Reading] = []
        func count(_ measure: String, _ used: Int, _ granted: Int, _ limit: Int?, isExhausted: (Int, Int) -> Bool) {
            guard let limit else { return }
            readings.append(
                Reading(
                    measure: measure, used: Double(used), limit: Double(limit),
                    isExhausted: isExhausted(used + granted, limit),
                    shown: (.int(Int64(used)), .int(Int64(limit))),
                    granted: granted > 0 ? Value.int(Int64(granted)) : Optional.none))
        }
        func time(_ measure: String, _ used: Int64, _ granted: Int64, _ limit: Duration?) {
            guard let limit else { return }
            readings.append(
                Reading(
                    measure: measure, used: Double(used), limit: Double(limit.microseconds),
                    isExhausted: used + granted >= limit.microseconds,
                    shown: (.string(Duration.microseconds(used).text), .string(limit.text)),
                    granted: granted > 0 ? Value.string(Duration.microseconds(granted).text) : Optional.none))
        }
        count("steps", usage.started, granted.steps, limits.steps, isExhausted: >=)
        count("retries", usage.retries, granted.retries, limits.retries) { used, limit in
            switch retry {
            case .none: false
            case .asked: used >= limit
            case .granted: used > limit
            }
        }
        time("elapsed", max(0, draft.moment.now.microseconds - state.startedAt.microseconds), 0, limits.elapsed)
        time("active", usage.activeMicroseconds, granted.activeMicroseconds, limits.active)
        if let limit = limits.cost {
            readings.append(
                Reading(
                    measure: "cost", used: usage.cost, limit: limit, isExhausted: usage.cost + granted.cost >= limit,
                    shown: (.double(usage.cost), .double(limit)),
                    granted: granted.cost > 0 ? Value.double(granted.cost) : Optional.none))
        }
        count("tokens", Int(usage.tokens), granted.tokens, limits.tokens, isExhausted: >=)
        return readings
    }
}

extension Reading {
    fileprivate var text: String {
        func plain(_ value: Value) -> String {
            String(decoding: JSON.compact(value), as: UTF8.self).filter { $0 != "\"" }
        }
        let others = granted.map { ", and \(plain($0)) granted to sub-runs" } ?? ""
        return "the limit of \(plain(shown.limit)) \(measure) (\(plain(shown.used))\(others))"
    }
}

extension LimitsDefinition {
    package var isEmpty: Bool { self == LimitsDefinition() }

    /// As `RUN_START` has it: `{"steps","retries","elapsed","active","cost","tokens"}`, times as durations.
    package var grant: Object {
        var object = Object()
        object["steps"] = steps.map { .int(Int64($0)) }
        object["retries"] = retries.map { .int(Int64($0)) }
        object["elapsed"] = elapsed.map { .string($0.text) }
        object["active"] = active.map { .string($0.text) }
        object["cost"] = cost.map(Value.double)
        object["tokens"] = tokens.map { .int(Int64($0)) }
        return object
    }

    package init(grant: Object) {
        self.init()
        steps = grant["steps"]?.intValue.map(Int.init)
        retries = grant["retries"]?.intValue.map(Int.init)
        elapsed = grant["elapsed"]?.stringValue.flatMap(Duration.init(text:))
        active = grant["active"]?.stringValue.flatMap(Duration.init(text:))
        cost = grant["cost"]?.numberValue
        tokens = grant["tokens"]?.intValue.map(Int.init)
    }
}
