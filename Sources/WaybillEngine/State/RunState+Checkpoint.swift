import WaybillCore
package import WaybillManifests

// A checkpoint is the state as JSON. Whatever the fold keeps must be here: the simulator compares a state that was
// folded from the beginning with one that was read from a checkpoint and folded on.

extension RunState {
    package static let checkpointFormat: Int64 = 1

    /// The bytes of `checkpoints/<seq>.json`. What it is about and the outputs are for people, a line each; the rest of the
    /// state is for `jq` and the next daemon: indented it would weigh twice as much, 410 bytes a step instead of 240.
    ///
    /// - Parameter isIndented: whether the state is indented as well, as earlier builds wrote it.
    package func checkpointBytes(isIndented: Bool = false) -> [UInt8] {
        var writer = JSONWriter(style: .pretty)
        writer.beginObject()
        writer.member("format", Int(Self.checkpointFormat))
        writer.member("run", id)
        writer.member("workflow", definition.name)
        writer.member("seq", seq)
        writer.member("head", head.hex)
        writer.member("bytes", ledgerBytes)
        writer.member("ts", lastTimestamp.description)
        writer.member("definition", definitionDigest.hex)
        writer.member("status", status.rawValue)
        writer.member("goal", goal)
        writer.member("context", context)
        writer.member("outputs", outputsSoFar)
        if isIndented {
            writer.member("state", stateObject)
        } else {
            writer.member("state", onOneLine: stateObject)
        }
        writer.endObject()
        return writer.finish()
    }

    /// The outputs of the steps that completed, by step: what a reader of a checkpoint looks for first.
    private var outputsSoFar: Object {
        var members: [(String, Value)] = []
        guard let root = frames[Frame.root] else { return Object() }
        for (index, step) in root.steps.enumerated() where step.status == .completed {
            guard let output = step.output else { continue }
            var holder = Object()
            output.write(as: "value", into: &holder)
            members.append((definition.plan.steps[index].id, holder["value"] ?? .object(holder)))
        }
        return Object(members)
    }

    private var stateObject: Object {
        var object: Object = [
            "phase": .string(phase.rawValue), "startedAt": .string(startedAt.description), "trigger": trigger,
            "labels": .object(labels), "parent": parent, "session": session, "durability": .string(durability.rawValue),
            "startDigest": .string(startDigest), "vars": .object(variables), "paused": .bool(isPauseRequested),
            "ready": .list(ready.sorted.map { [.int(Int64($0.frame)), .int(Int64($0.step))] }),
            "abandoned": .list(abandoned.sorted.map { [.int(Int64($0.frame)), .int(Int64($0.step))] }),
            "stage": .string(stage.rawValue), "held": .bool(isHeld), "aborted": .bool(isAborted),
            "journal": .int(Int64(journalSeq)), "nextFrame": .int(Int64(nextFrame)), "counts": counts.record,
        ]
        if lastOrder > 0 { object["order"] = .int(Int64(lastOrder)) }
        if !grant.isEmpty { object["grant"] = .object(grant) }
        object["group"] = group.map(Value.string)
        if isQueued { object["queued"] = true }
        if isUnadmitted { object["unadmitted"] = true }
        if let starter { object["starter"] = .object(starter.record) }
        if !control.isEmpty { object["control"] = .list(control.map(\.value)) }
        object["controlToken"] = controlToken.map { .string($0.hex) }
        if !limitWarnings.isEmpty {
            object["limitWarnings"] = .list(limitWarnings.sorted { $0.precedesInCodePoints($1) }.map(Value.string))
        }
        if isPausedByParent { object["pausedByParent"] = true }
        if !retryOverride.source.isEmpty { object["retry"] = .object(retryOverride.source) }
        inputs.write(as: "inputs", into: &object)
        outputs?.write(as: "outputs", into: &object)
        object["commit"] = commit.map(Value.string)
        object["by"] = startedBy.map(Value.string)
        object["error"] = error?.value
        object["endedAt"] = endedAt.map { .string($0.description) }
        object["pausedAt"] = pausedAt.map { .string($0.description) }
        object["undoes"] = undoes.map(Value.string)
        object["ending"] = ending.map { .string($0.rawValue) }
        object["frames"] = .list(frames.keys.sorted().compactMap { frames[$0]?.record })
        if !pastVisits.isEmpty {
            object["visits"] = .object(
                Object(
                    pastVisits.map { address, past in
                        (address, .list(([past.visit] + past.eventsTaken.sorted()).map { .int(Int64($0)) }))
                    }))
        }
        if !pastVariables.isEmpty {
            object["pastVars"] = .object(
                Object(
                    pastVariables.map { name, values in
                        (name, .list(values.map { ["until": .int(Int64($0.until)), "value": $0.value] }))
                    }))
        }
        if !takenUndoVisits.isEmpty {
            object["undoVisits"] = .object(
                Object(takenUndoVisits.map { ($0, .list($1.sorted().map { .int(Int64($0)) })) }))
        }
        if !compensations.isEmpty { object["compensations"] = .list(compensations.map(\.record)) }
        object["waits"] = .list(waits.values.sorted { $0.key.precedesInCodePoints($1.key) }.map(\.record))
        object["closed"] = .list(closedWaits.all.map(\.record))
        object["snapshots"] = .list(snapshots.values.sorted { $0.seq < $1.seq }.map(\.record))
        object["usage"] = usage.record
        if !granted.isEmpty { object["granted"] = granted.record }
        object["diagnostics"] = [
            "errors": .int(Int64(diagnostics.errors)), "warnings": .int(Int64(diagnostics.warnings)),
        ]
        var rejected: Object = [
            "recorded": .int(Int64(rejections.recorded)), "counted": .int(Int64(rejections.counted)),
        ]
        rejected["countedAt"] = rejections.lastCountedAt.map { .string($0.description) }
        object["rejections"] = .object(rejected)
        object["checkpoint"] = [
            "seq": .int(Int64(checkpoint.seq)), "size": .int(Int64(checkpoint.size)),
            "bytes": .int(Int64(checkpoint.ledgerBytes)), "steps": .int(Int64(checkpoint.stepsSince)),
        ]
        return object
    }

    /// Reads what `checkpointBytes()` wrote. Whether the bytes are the ones the ledger names is the caller's to check.
    ///
    /// - Throws: `malformedCheckpoint`, also for a newer format.
    package init(checkpoint bytes: [UInt8], definition: WorkflowDefinition) throws(EngineError) {
        let limits = JSON.Limits(depth: JSON.Limits.deepest, bytes: .max)
        guard let root = (try? JSON.parse(bytes, limits: limits))?.objectValue, let object = root["state"]?.objectValue
        else { throw EngineError(.malformedCheckpoint, "the checkpoint is no JSON object") }
        let fields = CheckpointFields(root)
        guard try fields.int("format") == Self.checkpointFormat else {
            throw EngineError(.malformedCheckpoint, "the checkpoint has a format this version does not know")
        }
        self.init(definition: definition, genesis: try fields.digest("definition"))
        id = try fields.text("run")
        seq = Int(try fields.int("seq"))
        head = try fields.digest("head")
        ledgerBytes = Int(try fields.int("bytes"))
        lastTimestamp = try fields.time("ts")
        goal = root["goal"] ?? .null
        context = root["context"]?.objectValue ?? Object()
        try restore(object)
    }

    private mutating func restore(_ object: Object) throws(EngineError) {
        let fields = CheckpointFields(object)
        phase = try fields.word("phase", RunPhase.init(rawValue:))
        startedAt = try fields.time("startedAt")
        trigger = object["trigger"] ?? .null
        labels = object["labels"]?.objectValue ?? Object()
        parent = object["parent"] ?? .null
        session = object["session"] ?? .null
        durability = try fields.word("durability", Durability.init(rawValue:))
        startDigest = try fields.text("startDigest")
        variables = object["vars"]?.objectValue ?? Object()
        isPauseRequested = object["paused"]?.boolValue ?? false
        inputs = Payload.read("inputs", from: object) ?? .inline(.object(Object()))
        outputs = Payload.read("outputs", from: object)
        commit = object["commit"]?.stringValue
        startedBy = object["by"]?.stringValue
        error = Failure(object["error"])
        endedAt = try fields.optionalTime("endedAt")
        pausedAt = try fields.optionalTime("pausedAt")
        ending = object["ending"]?.stringValue.flatMap(Ending.init(rawValue:))
        stage = try fields.word("stage", RunStage.init(rawValue:))
        lastOrder = Int(object["order"]?.intValue ?? 0)
        grant = object["grant"]?.objectValue ?? Object()
        group = object["group"]?.stringValue
        isQueued = object["queued"]?.boolValue ?? false
        isUnadmitted = object["unadmitted"]?.boolValue ?? false
        starter = Answerer(object["starter"]?.objectValue)
        control = fields.list("control").compactMap { AnswererRule($0) }
        controlToken = object["controlToken"]?.stringValue.flatMap(Digest.init(hex:))
        limitWarnings = Set((object["limitWarnings"]?.listValue ?? []).compactMap(\.stringValue))
        isPausedByParent = object["pausedByParent"]?.boolValue ?? false
        undoes = object["undoes"]?.stringValue
        isHeld = object["held"]?.boolValue ?? false
        isAborted = object["aborted"]?.boolValue ?? false
        journalSeq = Int(try fields.int("journal"))
        retryOverride = RetryOverride(recorded: object["retry"]?.objectValue ?? Object(), for: definition)
        try restoreFrames(object)
        for value in fields.list("waits") {
            let wait = try WaitState(record: value)
            put(wait)
        }
        for value in fields.list("closed") { closedWaits.insert(try ClosedWait(record: value)) }
        for value in fields.list("snapshots") {
            let snapshot = try SnapshotRecord(record: value)
            snapshots[snapshot.name] = snapshot
        }
        let used = CheckpointFields(object["usage"]?.objectValue ?? Object())
        usage.steps = Int(try used.int("steps"))
        usage.retries = Int(try used.int("retries"))
        usage.started = Int(try used.int("started"))
        usage.activeMicroseconds = try used.int("activeMicroseconds")
        usage.tokens = try used.int("tokens")
        usage.cost = object["usage"]?["cost"]?.numberValue ?? 0
        if let record = object["granted"] { granted = Grants(record: record) }
        let found = CheckpointFields(object["diagnostics"]?.objectValue ?? Object())
        diagnostics.errors = Int(try found.int("errors"))
        diagnostics.warnings = Int(try found.int("warnings"))
        let refused = CheckpointFields(object["rejections"]?.objectValue ?? Object())
        rejections.recorded = Int(try refused.int("recorded"))
        rejections.counted = Int(try refused.int("counted"))
        rejections.lastCountedAt = try refused.optionalTime("countedAt")
        let mark = CheckpointFields(object["checkpoint"]?.objectValue ?? Object())
        checkpoint.seq = Int(try mark.int("seq"))
        checkpoint.size = Int(try mark.int("size"))
        checkpoint.ledgerBytes = Int(try mark.int("bytes"))
        checkpoint.stepsSince = Int(try mark.int("steps"))
    }
}
