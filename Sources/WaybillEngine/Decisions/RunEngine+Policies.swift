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

// Policies have their say (contract, section 4). Every verdict is an entry; the fold never evaluates a rule.

extension RunEngine {
    /// Puts a step, as it is about to start, to every rule that matches it. All denials come before any requirement.
    mutating func consultPolicies(
        before id: InstanceID, visit: Int, _ resolved: ResolvedAction
    ) throws(EngineError) -> Admission {
        let binding = policies(for: id)
        guard binding.contains(where: { $0.rules.contains { $0.point == .before } }) else { return .proceed }
        let scope = policyScope(id, view: resolved.policyView)
        let verdicts = try consult(binding, at: .before, id, visit: visit, in: scope)
        if let denial = verdicts.refusal { return .denied(Failure(.policy, denial)) }
        let approvals = self.approvals(verdicts, of: resolved.policyView, id, visit: visit, resolved.binding)
        guard !approvals.isEmpty else { return .proceed }
        var resolved = resolved
        if let items = resolved.items { write(items, as: "items", into: &resolved.intent) }
        resolved.items = nil
        try ask(
            approvals, before: resolved.record(of: state.definition(of: id), at: draft.moment.now), id, visit: visit)
        return .waits
    }

    /// Puts an intent that was recorded before to the tree's present policies: a retry, or what waited for an approval.
    private mutating func consultPresentPolicies(
        before id: InstanceID, visit: Int, _ intent: Object, _ record: Object
    ) throws(EngineError) -> Admission {
        guard !runningPolicies.isEmpty else { return .proceed }
        let binding = policies(for: id).filter(\.isPresent)
        guard binding.contains(where: { $0.rules.contains { $0.point == .before } }) else { return .proceed }
        let view = recordedView(of: id, intent)
        let verdicts = try consult(binding, at: .before, id, visit: visit, in: policyScope(id, view: view))
        if let denial = verdicts.refusal { return .denied(Failure(.policy, denial)) }
        let approvals = self.approvals(verdicts, of: view, id, visit: visit, .object(intent.withoutBoot))
        guard !approvals.isEmpty else { return .proceed }
        try ask(approvals, before: record, id, visit: visit)
        return .waits
    }

    /// Puts a result to the rules at `step.after`; the denial that rejects it, if one does.
    mutating func consultPolicies(
        after id: InstanceID, visit: Int, _ outcome: Outcome
    ) throws(EngineError) -> Failure? {
        let binding = policies(for: id)
        guard binding.contains(where: { $0.rules.contains { $0.point == .after } }) else { return nil }
        // What a rule saw is recorded, so it sees nothing that is sensitive.
        let output = state.definition(of: id).isSensitive ? nil : outcome.output
        let scope = policyScope(id, view: recordedView(of: id, state[id].intent), output: output ?? .null)
        let verdicts = try consult(binding, at: .after, id, visit: visit, in: scope)
        return verdicts.refusal.map { Failure(.policy, $0) }
    }

    /// Puts an answer to the rules, before it is accepted; why it is refused, if it is.
    mutating func consultPolicies(
        on answer: Value, for wait: WaitState
    ) throws(EngineError) -> String? {
        let id = state.instance(at: wait.step)
        // A question about the run itself is no step's: only policies that do not ask for steps of their own match it.
        let binding = id.map { policies(for: $0) } ?? bindingPolicies.filter(\.policy.match.matchesAllSteps)
        guard binding.contains(where: { $0.rules.contains { $0.point == .answer } }) else { return nil }
        let view = id.map { recordedView(of: $0, state[$0].intent) } ?? Object()
        let scope = policyScope(id, view: view, answer: answer)
        let verdicts = judge(binding, at: .answer, in: scope)
        // What is refused beyond the limit is only counted, and so is why.
        if verdicts.refusal == nil || state.rejections.recorded < RejectionLimits.count {
            for verdict in verdicts {
                try record(verdict, .policyPre, step: wait.stepName, visit: wait.isOfRun ? nil : wait.visit)
            }
        }
        return verdicts.refusal
    }

    // MARK: - Verdicts

    func judge(
        _ binding: [BindingPolicy], at point: PolicyRule.Point, in scope: PolicyScope,
        where isWanted: (PolicyRule) -> Bool = { _ in true }
    ) -> [RuleVerdict] {
        binding.flatMap { bound in
            bound.rules.filter { $0.point == point && $0.isPut && isWanted($0) }
                .map { PolicyJudge.judge($0, of: bound.policy, isPresent: bound.isPresent, in: scope) }
        }
    }

    private mutating func consult(
        _ binding: [BindingPolicy], at point: PolicyRule.Point, _ id: InstanceID, visit: Int, in scope: PolicyScope
    ) throws(EngineError) -> [RuleVerdict] {
        let address = state.address(of: id)
        let type: EntryType = point == .after ? .policyPost : .policyPre
        var verdicts: [RuleVerdict] = []
        for part in PolicyRule.Part.allCases {
            let next = judge(binding, at: point, in: scope) { $0.part == part }
            for verdict in next { try record(verdict, type, step: address, visit: visit) }
            verdicts += next
            if verdicts.refusal != nil { break }
        }
        return verdicts
    }

    mutating func record(
        _ verdict: RuleVerdict, _ type: EntryType, step: String? = nil, visit: Int? = nil
    ) throws(EngineError) {
        try emit(type, actor: .policy, by: verdict.policy, step: step, visit: visit, verdict.data)
        guard verdict.mode == .warn, verdict.word == .deny || verdict.word == .require else { return }
        let text = verdict.word == .deny ? verdict.text : "\(verdict.policy)/\(verdict.rule.id): needs an approval"
        try emit(
            .diagnostic, actor: .policy, by: verdict.policy, step: step,
            ["level": "warning", "kind": "policy", "message": .string(text)])
    }

    // MARK: - Approvals

    /// What must be approved and was not yet in this visit, as the record of a wait has it.
    private func approvals(
        _ verdicts: [RuleVerdict], of view: Object, _ id: InstanceID, visit: Int, _ resolved: Value
    ) -> [Value] {
        let granted = state[id].visit == visit ? state[id].approvals : []
        let address = state.address(of: id)
        return approvals(verdicts, except: granted, prompt: { "\($0): may \(address) begin?" }) { verdict in
            let bound: Value = [
                "step": .string(address), "view": .object(view), "resolved": resolved,
                "policy": .string(verdict.policy), "rule": .string(verdict.rule.digest),
            ]
            // Values of a ledger are JSON, and JSON has a canonical form.
            return Digest.sha256((try? JSON.canonical(bound)) ?? JSON.compact(bound)).hex
        }
    }

    /// The approvals that these verdicts ask for: `{name, policy, rule, digest, prompt, timeout?}` each.
    func approvals(
        _ verdicts: [RuleVerdict], except granted: [String] = [], prompt: (_ rule: String) -> String,
        digest: (RuleVerdict) -> String
    ) -> [Value] {
        var rules: Set<String> = []
        return verdicts.compactMap { verdict in
            guard verdict.word == .require, verdict.mode == .enforce,
                case .approval(let approval) = verdict.rule.verdict
            else { return nil }
            let digest = digest(verdict)
            // What a visit begins with is recorded once, so whoever approved it for this rule approved this.
            let mark = "\(verdict.policy) \(verdict.rule.digest)"
            guard !granted.contains(digest), !granted.contains(mark) else { return nil }
            var name = verdict.rule.id
            while !rules.insert(name).inserted { name += "_" }
            let prompt = verdict.message ?? prompt("\(verdict.policy)/\(verdict.rule.id)")
            var record: Object = [
                "name": .string(name), "policy": .string(verdict.policy), "rule": .string(verdict.rule.id),
                "digest": .string(digest), "grants": .string(mark), "prompt": .string(prompt),
            ]
            record["timeout"] = approval.timeout.map { .string($0.text) }
            record["from"] = approval.from?.value
            return .object(record)
        }
    }

    /// Opens the wait for the first of these approvals; the others are asked for one after the other.
    private mutating func ask(
        _ approvals: [Value], before record: Object, _ id: InstanceID, visit: Int
    ) throws(EngineError) {
        guard let first = approvals.first?.objectValue else { return }
        let address = state.address(of: id)
        var record = record
        record["approvals"] = approvals.count > 1 ? .list(Array(approvals.dropFirst())) : nil
        var data = question(first)
        data["key"] = .string(WaitKey.of(address, visit: visit, suffix: first["name"]?.stringValue ?? "policy"))
        data["intent"] = .object(record)
        draft.isMilestone = true
        let attempt = state[id].visit == visit ? attemptNumber(of: id) : nil
        try emit(.taskWaiting, step: address, visit: visit, attempt: attempt, data)
    }

    /// What `TASK_WAITING` says of an approval, its key apart.
    ///
    /// - Parameter rest: the approvals to be asked for after it, where the wait itself has to remember them.
    func question(_ approval: Object, rest: ArraySlice<Value> = []) -> Object {
        var details = Object()
        for name in ["policy", "rule", "digest", "grants"] { details[name] = approval[name] }
        if !rest.isEmpty { details["approvals"] = .list(Array(rest)) }
        var data: Object = [
            "reason": .string(WaitReason.policy.rawValue), "reply": .string(ReplyForm.approval.rawValue),
            "schema": Reply.approvalSchema, "details": .object(details),
        ]
        data["prompt"] = approval["prompt"]
        data["from"] = approval["from"]
        if let timeout = approval["timeout"]?.stringValue.flatMap(Duration.init(text:)) {
            data["until"] = .string((draft.moment.now + timeout).description)
        }
        return data
    }

    /// Takes the answer to an approval.
    mutating func settleApproval(
        _ id: InstanceID, _ wait: WaitState, _ answer: Value, by author: String?
    ) throws(EngineError) {
        let isApproved = answer["approve"] == true
        var data: Object = ["key": .string(wait.key), "by": "answer", "approved": .bool(isApproved)]
        for name in ["digest", "grants"] { data[name] = wait.details?[name] }
        try emit(.taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id), data)
        guard isApproved else { return try refuse(id, wait, refusalText(answer, by: author)) }
        guard var record = state[id].intent, let rest = record["approvals"]?.listValue, !rest.isEmpty else { return }
        record["approvals"] = nil
        try ask(rest, before: record, id, visit: wait.visit)
    }

    /// An approval that did not come is a denial.
    mutating func refuse(_ id: InstanceID, _ wait: WaitState, _ why: String) throws(EngineError) {
        try settle(id, .failed(refusal(wait, why), AttemptReport()), visit: wait.visit)
    }

    func refusal(_ wait: WaitState, _ why: String) -> Failure {
        let name = [wait.details?["policy"], wait.details?["rule"]].compactMap { $0?.stringValue }
        return Failure(.policy, "\(name.joined(separator: "/")): \(ValueLimits.shortened(why))")
    }

    func refusalText(_ answer: Value, by author: String?) -> String {
        let comment = answer["comment"]?.stringValue.map { ": \($0)" } ?? ""
        return "refused\(author.map { " by \($0)" } ?? "")\(comment)"
    }

    func lateText(_ wait: WaitState) -> String { "nobody approved by \(wait.until.map(\.description) ?? "")" }

    /// Begins what was recorded when it had to be approved. Nothing of it is evaluated anew.
    mutating func beginApproved(_ id: InstanceID, _ record: Object) throws(EngineError) {
        let visit = state[id].visit
        let resolved = ResolvedAction(record: record, at: draft.moment)
        if let failure = try checkBudgets(before: id, state[id].attempt > 0 ? .granted : .none) {
            return try settle(id, .overBudget(failure), visit: visit)
        }
        let isRetry = state[id].attempt > 0
        switch try consultPresentPolicies(before: id, visit: visit, resolved.intent, record) {
        case .proceed where isRetry: try begin(again: id, resolved.intent)
        case .proceed: try begin(id, visit: visit, resolved)
        case .denied(let failure): try settle(id, .failed(failure, AttemptReport()), visit: visit)
        case .waits: break
        }
    }

    /// Whether a recorded attempt may be started again, as far as the tree's present policies go.
    mutating func consultPolicies(again id: InstanceID, _ intent: Object) throws(EngineError) -> Admission {
        try consultPresentPolicies(before: id, visit: state[id].visit, intent, ["start": .object(intent)])
    }
}

extension PolicyRule {
    /// The order in which the rules of one point are put: denials, then what must hold, then what must be approved.
    enum Part: CaseIterable {
        case denial
        case verification
        case approval
    }

    var part: Part {
        switch verdict {
        case .deny, .limit: .denial
        case .verification: .verification
        case .approval: .approval
        }
    }

    /// Budgets are checked by themselves.
    var isPut: Bool { if case .limit = verdict { false } else { true } }
}

extension Object {
    /// An intent as an approval binds it: the boot says nothing of what is done.
    fileprivate var withoutBoot: Object {
        var object = self
        object["boot"] = nil
        return object
    }
}

// MARK: - Records

extension ResolvedAction {
    /// What an approval binds beside what policies see: all that would happen.
    var binding: Value {
        var object = intent.withoutBoot
        if let items { object["items"] = items }
        object["waits"] = .list(waits.map { .object($0.data.withoutDeadline) })
        object["snapshot"] = snapshot.map(Value.object)
        return .object(object)
    }

    /// As `TASK_WAITING` keeps it until the step may begin: `{start, waits, result, snapshot}`.
    func record(of step: StepDefinition, at now: Timestamp) -> Object {
        var record: Object = ["start": .object(intent)]
        if !waits.isEmpty {
            record["waits"] = .list(
                waits.map { wait in
                    var object: Object = ["data": .object(wait.data)]
                    object["suffix"] = wait.suffix.map(Value.string)
                    object["resolvedAt"] =
                        step.countsFromStart(branch: wait.suffix) ? .string(now.description) : nil
                    return .object(object)
                })
        }
        record["snapshot"] = snapshot.map(Value.object)
        switch immediate {
        case .completed(let output, _)?: record["result"] = output.map { ["output": $0] } ?? .object(Object())
        case .failed(let failure, _)?: record["result"] = ["error": failure.value]
        default: break
        }
        return record
    }

    /// Reads such a record. Times that count from the step's start are moved to now.
    init(record: Object, at moment: Moment) {
        intent = record["start"]?.objectValue ?? Object()
        if intent["boot"] != nil { intent["boot"] = .string(moment.boot) }
        snapshot = record["snapshot"]?.objectValue
        if let result = record["result"] {
            immediate =
                Failure(result["error"]).map { .failed($0, AttemptReport()) }
                ?? .completed(output: result["output"], AttemptReport())
        }
        for wait in record["waits"]?.listValue ?? [] {
            var data = wait["data"]?.objectValue ?? Object()
            if let resolvedAt = wait["resolvedAt"]?.stringValue.flatMap(Timestamp.init(rfc3339:)),
                let until = data["until"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
            {
                let duration = Duration.microseconds(until.microseconds - resolvedAt.microseconds)
                data["until"] = .string((moment.now + duration).description)
            }
            waits.append((wait["suffix"]?.stringValue, data))
        }
    }
}

extension Object {
    fileprivate var withoutDeadline: Object {
        var object = self
        object["until"] = nil
        return object
    }
}

extension StepDefinition {
    /// Whether the deadline of the step's wait is so long after its start, and no time of its own.
    fileprivate func countsFromStart(branch: String?) -> Bool {
        switch action {
        case .wait(let wait): wait.countsFromStart
        case .first(let branches):
            switch branches.first(where: { $0.name == branch })?.kind {
            case .wait(let wait)?: wait.countsFromStart
            default: true
            }
        default: true
        }
    }
}

extension WaitAction {
    fileprivate var countsFromStart: Bool {
        switch self {
        case .until, .next: false
        case .duration, .event, .job: true
        }
    }
}
