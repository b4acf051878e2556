package import WaybillCore
import WaybillManifests

// Admission: the rules at `run.admit` are put to a run before its first step. A denial keeps it from being made; what must
// be approved is asked for by a wait of the run itself, beside which nothing of it begins.

/// A run as the rules at `run.admit` see it.
struct AdmissionSubject {
    var run: String
    var workflow: WorkflowDefinition
    var inputs: Object
    var startedBy: String?
    var startedAt: Timestamp

    /// What an approval binds beside the rule: the same question of another run, or about other inputs, is another one.
    func digest(_ verdict: RuleVerdict, definition: Digest) -> String {
        let bound: Value = [
            "run": .string(run), "workflow": .string(workflow.name), "definition": .string(definition.hex),
            "inputs": .object(inputs), "context": .object(workflow.context), "policy": .string(verdict.policy),
            "rule": .string(verdict.rule.digest),
        ]
        // Values of a ledger are JSON, and JSON has a canonical form.
        return Digest.sha256((try? JSON.canonical(bound)) ?? JSON.compact(bound)).hex
    }
}

extension RunEngine {
    /// Puts a start to the rules at `run.admit`, also to those of the tree's present policies that bind running runs. All
    /// denials come before any requirement. Nothing is decided by it: whoever starts the run asks before anything is made,
    /// and `RUN_START`'s decision records the same verdicts.
    package func admission(of start: RunStart, at now: Timestamp) -> [RuleVerdict] {
        admission(of: subject(of: start, at: now), bindingPolicies)
    }

    private func subject(of start: RunStart, at now: Timestamp) -> AdmissionSubject {
        AdmissionSubject(
            run: start.id, workflow: definition.workflow, inputs: start.inputs, startedBy: start.by, startedAt: now)
    }

    func admission(of subject: AdmissionSubject, _ binding: [BindingPolicy]) -> [RuleVerdict] {
        guard binding.contains(where: { $0.rules.contains { $0.point == .admission } }) else { return [] }
        let variables: Object = [
            "run": [
                "id": .string(subject.run), "startedAt": .string(subject.startedAt.description),
                "startedBy": subject.startedBy.map(Value.string) ?? .null,
            ],
            "context": .object(subject.workflow.context),
        ]
        let inputs = subject.inputs
        let scope = PolicyScope(variables: variables, zones: definition.zones) { .object(inputs) }
        var verdicts: [RuleVerdict] = []
        for part in PolicyRule.Part.allCases {
            verdicts += judge(binding, at: .admission, in: scope) { $0.part == part }
            if verdicts.refusal != nil { break }
        }
        return verdicts
    }

    /// Records what the rules say of the run that begins.
    ///
    /// - Returns: what must be approved before its first step, as the records of waits have it.
    mutating func recordAdmission(of start: RunStart) throws(EngineError) -> [Value] {
        let subject = subject(of: start, at: draft.moment.now)
        let verdicts = admission(of: start, at: subject.startedAt)
        for verdict in verdicts { try record(verdict, .policyPre) }
        if let refusal = verdicts.refusal {
            // Who starts runs asks before; who does not, as a test of a workflow, has a run that is over at once.
            try refuseAdmission(Failure(.policy, refusal))
            return []
        }
        return approvals(verdicts, prompt: { "\($0): may this run of \(subject.workflow.name) begin?" }) { verdict in
            subject.digest(verdict, definition: definition.digest)
        }
    }

    /// Opens the wait for the first of these approvals; the others are asked for one after the other.
    mutating func askForAdmission(_ approvals: [Value]) throws(EngineError) {
        guard let first = approvals.first?.objectValue else { return }
        var data = question(first, rest: approvals.dropFirst())
        let stem = definition.workflow.admissionStem
        data["key"] = .string(WaitKey.of(stem, visit: 1, suffix: first["name"]?.stringValue ?? "policy"))
        draft.isMilestone = true
        try emit(.taskWaiting, data)
    }

    /// Takes the answer to the question whether the run may begin.
    mutating func settleAdmission(_ wait: WaitState, _ answer: Value, by author: String?) throws(EngineError) {
        let isApproved = answer["approve"] == true
        var data: Object = ["key": .string(wait.key), "by": "answer", "approved": .bool(isApproved)]
        data["digest"] = wait.details?["digest"]
        try emit(.taskResumed, data)
        guard isApproved else {
            return try refuseAdmission(refusal(wait, refusalText(answer, by: author)))
        }
        if let rest = wait.details?["approvals"]?.listValue { try askForAdmission(rest) }
    }

    /// An approval that did not come by its deadline is a denial.
    mutating func expireAdmission(_ wait: WaitState) throws(EngineError) {
        try emit(.taskResumed, ["key": .string(wait.key), "by": "deadline"])
        try refuseAdmission(refusal(wait, lateText(wait)))
    }

    private mutating func refuseAdmission(_ failure: Failure) throws(EngineError) {
        try emit(.error, ["error": failure.value, "admission": true])
    }
}

extension [RuleVerdict] {
    /// The first denial that is enforced, in words; nil if there is none.
    package var refusal: String? { denial?.text }

    /// The first denial that is enforced.
    package var denial: RuleVerdict? { first { $0.word == .deny && $0.mode == .enforce } }
}
