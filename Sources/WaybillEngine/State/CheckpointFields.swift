import WaybillCore
import WaybillManifests

/// The members of a checkpoint's objects, read strictly.
struct CheckpointFields {
    private let object: Object

    init(_ object: Object) { self.object = object }

    private func missing(_ name: String) -> EngineError {
        EngineError(.malformedCheckpoint, "the checkpoint's member '\(name)' is missing or malformed")
    }

    func text(_ name: String) throws(EngineError) -> String {
        guard let value = object[name]?.stringValue else { throw missing(name) }
        return value
    }

    func int(_ name: String) throws(EngineError) -> Int64 {
        guard let value = object[name]?.intValue else { throw missing(name) }
        return value
    }

    func digest(_ name: String) throws(EngineError) -> Digest {
        guard let value = object[name]?.stringValue.flatMap(Digest.init(hex:)) else { throw missing(name) }
        return value
    }

    func time(_ name: String) throws(EngineError) -> Timestamp {
        guard let value = try optionalTime(name) else { throw missing(name) }
        return value
    }

    func optionalTime(_ name: String) throws(EngineError) -> Timestamp? {
        guard let text = object[name]?.stringValue else { return nil }
        guard let time = Timestamp(rfc3339: text) else { throw missing(name) }
        return time
    }

    func word<Word>(_ name: String, _ make: (String) -> Word?) throws(EngineError) -> Word {
        guard let word = make(try text(name)) else { throw missing(name) }
        return word
    }

    func list(_ name: String) -> [Value] { object[name]?.listValue ?? [] }
}

/// A step in a checkpoint. A step that was never visited is left out, so that a checkpoint weighs what happened.
struct StepRecord {
    var index: Int
    var state: StepState

    init(index: Int, state: StepState) {
        self.index = index
        self.state = state
    }

    var value: Value? {
        guard state != StepState() else { return nil }
        var object: Object = [
            "index": .int(Int64(index)), "status": .string(state.status.rawValue), "visit": .int(Int64(state.visit)),
            "attempt": .int(Int64(state.attempt)),
        ]
        state.output?.write(as: "output", into: &object)
        object["exitCode"] = state.exitCode.map { .int(Int64($0)) }
        object["error"] = state.error?.value
        if !state.artifacts.isEmpty { object["artifacts"] = .list(state.artifacts.map(\.value)) }
        if !state.answers.isEmpty { object["answers"] = .list(state.answers) }
        object["since"] = state.since.map { .string($0.description) }
        object["startedAt"] = state.startedAt.map { .string($0.description) }
        object["endedAt"] = state.endedAt.map { .string($0.description) }
        if state.visitsBefore > 0 { object["visitsBefore"] = .int(Int64(state.visitsBefore)) }
        object["intent"] = state.intent.map(Value.object)
        object["loop"] = state.loop?.record
        state.items?.write(as: "items", into: &object)
        object["run"] = state.run.map(Value.string)
        if !state.waitKeys.isEmpty { object["waitKeys"] = .list(state.waitKeys.map(Value.string)) }
        if !state.approvals.isEmpty { object["approvals"] = .list(state.approvals.map(Value.string)) }
        if !state.eventsTaken.isEmpty {
            object["eventsTaken"] = .list(state.eventsTaken.sorted().map { .int(Int64($0)) })
        }
        if state.isFailureHandled { object["handled"] = true }
        object["rejection"] = state.rejection.map(Value.object)
        if state.inside != StepCounts() { object["inside"] = state.inside.record }
        return .object(object)
    }

    init(_ value: Value) throws(EngineError) {
        let object = value.objectValue ?? Object()
        let fields = CheckpointFields(object)
        index = Int(try fields.int("index"))
        state = StepState()
        state.status = try fields.word("status", StepStatus.init(rawValue:))
        state.visit = Int(try fields.int("visit"))
        state.attempt = Int(try fields.int("attempt"))
        state.visitsBefore = Int(object["visitsBefore"]?.intValue ?? 0)
        state.output = Payload.read("output", from: object)
        state.exitCode = object["exitCode"]?.intValue.map(Int.init)
        state.error = Failure(object["error"])
        state.artifacts = fields.list("artifacts").compactMap(ArtifactRecord.init)
        state.answers = fields.list("answers")
        state.since = try fields.optionalTime("since")
        state.startedAt = try fields.optionalTime("startedAt")
        state.endedAt = try fields.optionalTime("endedAt")
        state.intent = object["intent"]?.objectValue
        state.loop = try object["loop"].map { value throws(EngineError) in try LoopState(record: value) }
        state.items = Payload.read("items", from: object)
        state.run = object["run"]?.stringValue
        state.waitKeys = fields.list("waitKeys").compactMap(\.stringValue)
        state.approvals = fields.list("approvals").compactMap(\.stringValue)
        state.eventsTaken = Set(fields.list("eventsTaken").compactMap { $0.intValue.map(Int.init) })
        state.isFailureHandled = object["handled"]?.boolValue ?? false
        state.rejection = object["rejection"]?.objectValue
        if let inside = object["inside"] { state.inside = StepCounts(record: inside) }
    }
}

extension WaitState {
    var record: Value {
        var object: Object = [
            "key": .string(key), "step": .string(step), "visit": .int(Int64(visit)),
            "reason": .string(reason.rawValue), "since": .string(since.description),
        ]
        object["until"] = until.map { .string($0.description) }
        object["prompt"] = prompt.map(Value.string)
        object["choices"] = choices.map { .list($0.map(Value.string)) }
        object["schema"] = schema
        if !attachments.isEmpty { object["attach"] = .list(attachments) }
        object["default"] = defaultAnswer
        object["reply"] = reply.map { .string($0.rawValue) }
        object["token"] = token.map { .string($0.hex) }
        object["branch"] = branch.map(Value.string)
        object["event"] = event?.value
        object["run"] = run.map(Value.string)
        object["details"] = details.map(Value.object)
        object["from"] = from?.value
        if !votes.isEmpty { object["votes"] = .list(votes.map(\.record)) }
        return .object(object)
    }

    init(record: Value) throws(EngineError) {
        let object = record.objectValue ?? Object()
        let fields = CheckpointFields(object)
        self.init(
            key: try fields.text("key"), step: try fields.text("step"), visit: Int(try fields.int("visit")),
            reason: try fields.word("reason", WaitReason.init(rawValue:)), since: try fields.time("since"))
        until = try fields.optionalTime("until")
        prompt = object["prompt"]?.stringValue
        choices = object["choices"]?.listValue?.compactMap(\.stringValue)
        schema = object["schema"]
        attachments = fields.list("attach")
        defaultAnswer = object["default"]
        reply = object["reply"]?.stringValue.flatMap(ReplyForm.init(rawValue:))
        token = object["token"]?.stringValue.flatMap(Digest.init(hex:))
        branch = object["branch"]?.stringValue
        event = EventSubscription(object["event"])
        run = object["run"]?.stringValue
        details = object["details"]?.objectValue
        from = AnswererRule(object["from"])
        for value in fields.list("votes") { votes.append(try Vote(record: value)) }
    }
}

extension ClosedWait {
    var record: Value {
        var object: Object = ["key": .string(key), "seq": .int(Int64(seq)), "expired": .bool(isExpired)]
        object["answer"] = answer.map { .string($0.hex) }
        if !earlier.isEmpty {
            let pairs = earlier.map { ($0.hex, Value.int(Int64($1))) }.sorted { $0.0 < $1.0 }
            object["earlier"] = .object(Object(pairs))
        }
        return .object(object)
    }

    init(record: Value) throws(EngineError) {
        let object = record.objectValue ?? Object()
        let fields = CheckpointFields(object)
        self.init(
            key: try fields.text("key"), answer: object["answer"]?.stringValue.flatMap(Digest.init(hex:)),
            seq: Int(try fields.int("seq")), isExpired: object["expired"]?.boolValue ?? false)
        for (hex, seq) in object["earlier"]?.objectValue ?? Object() {
            if let digest = Digest(hex: hex), let seq = seq.intValue { earlier[digest] = Int(seq) }
        }
    }
}

extension SnapshotRecord {
    var record: Value {
        var object: Object = ["name": .string(name), "seq": .int(Int64(seq)), "at": .string(at.description)]
        object["description"] = description.map(Value.string)
        object["tags"] = .list(tags.map(Value.string))
        object["step"] = step.map(Value.string)
        object["by"] = by.map(Value.string)
        return .object(object)
    }

    init(record: Value) throws(EngineError) {
        let object = record.objectValue ?? Object()
        let fields = CheckpointFields(object)
        self.init(
            name: try fields.text("name"), description: object["description"]?.stringValue,
            tags: fields.list("tags").compactMap(\.stringValue), seq: Int(try fields.int("seq")),
            at: try fields.time("at"), step: object["step"]?.stringValue, by: object["by"]?.stringValue)
    }
}

extension LoopState {
    var record: Value {
        var object: Object = [
            "count": .int(Int64(count)), "next": .int(Int64(next)), "running": .int(Int64(running)),
            "failed": .int(Int64(failed)), "stopped": .bool(isStopped), "results": .list(results.map(\.record)),
        ]
        items.write(as: "items", into: &object)
        return .object(object)
    }

    init(record: Value) throws(EngineError) {
        let object = record.objectValue ?? Object()
        let fields = CheckpointFields(object)
        self.init(items: Payload.read("items", from: object) ?? .inline([]), count: Int(try fields.int("count")))
        next = Int(try fields.int("next"))
        running = Int(try fields.int("running"))
        failed = Int(try fields.int("failed"))
        isStopped = object["stopped"]?.boolValue ?? false
        for value in fields.list("results") { results.append(try ItemResult(record: value)) }
    }
}

extension ItemResult {
    var record: Value {
        var object: Object = ["status": .string(status.rawValue)]
        object["key"] = key.map(Value.string)
        output?.write(as: "output", into: &object)
        object["error"] = error?.value
        return .object(object)
    }

    init(record: Value) throws(EngineError) {
        let object = record.objectValue ?? Object()
        self.init()
        status = try CheckpointFields(object).word("status", StepStatus.init(rawValue:))
        key = object["key"]?.stringValue
        output = Payload.read("output", from: object)
        error = Failure(object["error"])
    }
}

extension CompensationRecord {
    var record: Value {
        var object: Object = [
            "frame": .int(Int64(instance.frame)), "index": .int(Int64(instance.step)), "step": .string(step),
            "visit": .int(Int64(visit)), "seq": .int(Int64(seq)), "status": .string(status.rawValue),
        ]
        output?.write(as: "output", into: &object)
        item?.write(as: "item", into: &object)
        object["inputs"] = inputs
        object["run"] = run.map(Value.string)
        object["error"] = error?.value
        if isOfRejected { object["rejected"] = true }
        return .object(object)
    }

    init(record: Value) throws(EngineError) {
        let object = record.objectValue ?? Object()
        let fields = CheckpointFields(object)
        let instance = InstanceID(frame: Int(try fields.int("frame")), step: Int(try fields.int("index")))
        self.init(
            instance: instance, step: try fields.text("step"), visit: Int(try fields.int("visit")),
            seq: Int(try fields.int("seq")), output: Payload.read("output", from: object))
        item = Payload.read("item", from: object)
        inputs = object["inputs"]
        run = object["run"]?.stringValue
        status = try fields.word("status", Status.init(rawValue:))
        isOfRejected = object["rejected"]?.boolValue ?? false
        error = Failure(object["error"])
    }
}
