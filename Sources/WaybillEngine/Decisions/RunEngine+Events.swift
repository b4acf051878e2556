package import WaybillCore
import WaybillExpressions
import WaybillManifests

// Events: an `emit` is an attempt whose outcome is the journal's number; a wait is told of the first one that fits.

extension RunEngine {
    func resolve(
        _ action: EmitAction, _ id: InstanceID, visit: Int, in scope: RunScope, into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        let address = state.address(of: id)
        var event: Object = [
            "specversion": "1.0", "id": .string(IdempotencyKey.make(run: state.id, address: address, visit: visit)),
            "source": .string("/runs/\(state.id)/\(address)"), "time": .string(draft.moment.now.description),
            "type": .string(try evaluateText(action.type, in: scope, "emit.type")),
        ]
        if event["type"] == "" { throw EvaluationFailure(Failure(.expression, "emit.type: is empty")) }
        if let key = action.key { event["key"] = .string(try evaluateText(key, in: scope, "emit.key")) }
        if let subject = action.subject {
            event["subject"] = .string(try evaluateText(subject, in: scope, "emit.subject"))
        }
        if let data = action.data {
            event["data"] = try evaluate(data, in: scope, "emit.data")
            event["datacontenttype"] = "application/json"
        }
        resolved.intent["event"] = .object(event)
    }

    /// The event of an `emit` step is in the journal.
    mutating func acknowledgeEvent(_ reference: AttemptReference, seq: Int) throws(EngineError) {
        let id = try instance(of: reference)
        let event = state[id].intent?["event"] ?? .null
        try emit(
            .eventEmitted, step: reference.step, visit: reference.visit, attempt: reference.attempt,
            ["id": event["id"] ?? .null, "type": event["type"] ?? .null, "seq": .int(Int64(seq))])
        let output: Value = ["id": event["id"] ?? .null, "seq": .int(Int64(seq))]
        try settle(id, .completed(output: output, AttemptReport()))
    }

    // MARK: - Waiting

    func resolve(
        _ wait: EventWait, _ id: InstanceID, timeout: Duration?, in scope: RunScope
    ) throws(EvaluationFailure) -> Object {
        let key = try wait.key.map { template throws(EvaluationFailure) in
            try evaluateText(template, in: scope, "wait.event.key")
        }
        let cursor = wait.since == .run ? state.journalSeq : max(state.journalSeq, draft.moment.journalSeq)
        var data: Object = ["reason": .string(WaitReason.event.rawValue)]
        data["event"] = EventSubscription(type: wait.type, key: key, cursor: cursor).value
        if let timeout { data["until"] = .string((draft.moment.now + timeout).description) }
        return data
    }

    /// Whether an event is one that an open wait takes. A `match` that cannot be evaluated takes none.
    package func matches(waitKey: String, event: Value) -> Bool {
        guard let wait = state.waits[waitKey], let subscription = wait.event,
            event["type"]?.stringValue == subscription.type,
            subscription.key == nil || event["key"]?.stringValue == subscription.key,
            let id = state.instance(at: wait.step)
        else { return false }
        guard let condition = eventWait(of: wait, id)?.match else { return true }
        let scope = RunScope(self, id, visit: wait.visit, event: event)
        return (try? condition.condition(in: scope)) ?? false
    }

    /// The journal's numbers of the events that the step of an open wait took in earlier visits: it gets none of them again.
    package func eventsTaken(waitKey: String) -> Set<Int> {
        guard let wait = state.waits[waitKey], let id = state.instance(at: wait.step) else { return [] }
        return state[id].eventsTaken
    }

    private func eventWait(of wait: WaitState, _ id: InstanceID) -> EventWait? {
        switch state.definition(of: id).action {
        case .wait(.event(let event)): return event
        case .first(let branches):
            guard let branch = branches.first(where: { $0.name == wait.branch }),
                case .wait(.event(let event)) = branch.kind
            else { return nil }
            return event
        default: return nil
        }
    }

    mutating func receive(_ event: Value, seq: Int, for key: String) throws(EngineError) {
        guard let wait = state.waits[key], let subscription = wait.event, seq > subscription.cursor,
            let id = state.instance(at: wait.step), !state[id].eventsTaken.contains(seq)
        else { throw EngineError(.unexpectedStimulus, "the run does not wait for an event with the key '\(key)'") }
        guard state.takesEvents else {
            throw EngineError(.unexpectedStimulus, "the run ends or is held, and takes no events now")
        }
        var data: Object = ["key": .string(key), "seq": .int(Int64(seq))]
        write(event, as: "event", into: &data)
        let by = event["source"]?.stringValue
        try emit(.eventReceived, actor: .event, by: by, step: wait.step, visit: wait.visit, data)
        try resume(wait, id, by: "event", with: event)
    }

    /// Ends a wait with a value, and with it the step, or, in a `first`, the others.
    mutating func resume(_ wait: WaitState, _ id: InstanceID, by: String, with value: Value?) throws(EngineError) {
        try emit(
            .taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id),
            ["key": .string(wait.key), "by": .string(by)])
        guard let branch = wait.branch else {
            return try settle(id, .completed(output: value, AttemptReport()))
        }
        let output: Value = ["first": .string(branch), "value": value ?? .null]
        try settle(id, .completed(output: output, AttemptReport()))
    }
}
