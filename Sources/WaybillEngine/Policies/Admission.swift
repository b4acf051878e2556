package import WaybillCore
import WaybillManifests

extension RunEngine {
    /// Puts a start to the rules at `run.admit`. Nothing is decided by it: whoever starts the run asks before anything is
    /// made, and `RUN_START`'s decision records the same verdicts.
    package func admission(of start: RunStart, at now: Timestamp) -> [RuleVerdict] {
        let policies = definition.policies
        guard policies.contains(where: { $0.rules.contains { $0.point == .admission } }) else { return [] }
        let variables: Object = [
            "run": [
                "id": .string(start.id), "startedAt": .string(now.description),
                "startedBy": start.by.map(Value.string) ?? .null,
            ],
            "context": .object(definition.workflow.context),
        ]
        let inputs = start.inputs
        let scope = PolicyScope(variables: variables, zones: definition.zones) { .object(inputs) }
        return policies.flatMap { policy in
            policy.rules.filter { $0.point == .admission }.map { PolicyJudge.judge($0, of: policy, in: scope) }
        }
    }

    mutating func recordAdmission(of start: RunStart) throws(EngineError) {
        for verdict in admission(of: start, at: draft.moment.now) { try record(verdict, .policyPre) }
    }
}

extension [RuleVerdict] {
    /// The first denial that is enforced, in words; nil if there is none.
    package var refusal: String? { first { $0.word == .deny && $0.mode == .enforce }?.text }
}
