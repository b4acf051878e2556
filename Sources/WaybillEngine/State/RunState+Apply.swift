package import WaybillCore
import WaybillManifests

// The fold. One function per kind of entry; an entry of a type this version does not know changes nothing but the chain.

extension RunState {
    /// Takes an entry's meaning. `seal` must follow, in order, before the state is used for a projection.
    ///
    /// - Throws: when the entry contradicts the definition, e.g. names a step that does not exist. A ledger whose chain
    ///   verifies can only do so if another definition wrote it.
    package mutating func apply(_ entry: Entry) throws(EngineError) {
        seq = entry.seq
        lastTimestamp = entry.ts
        switch entry.type {
        case .runStart: applyRunStart(entry)
        case .runEnd: applyRunEnd(entry)
        case .runPaused:
            phase = .paused
            pausedAt = entry.ts
        case .runResumed:
            phase = .running
            pausedAt = nil
            isPauseRequested = false
        case .runCancelled: ending = .cancellation
        case .taskStart: try applyTaskStart(entry)
        case .taskEnd: try applyTaskEnd(entry)
        case .taskRetry: try applyTaskRetry(entry)
        case .taskWaiting: try applyTaskWaiting(entry)
        case .taskResumed: try applyTaskResumed(entry)
        case .taskUnknown:
            let index = try stepIndex(entry)
            setStatus(.unknown, of: index)
        case .branchTaken: nextState = entry.data["to"]?.stringValue.flatMap { definition.plan.index(of: $0) }
        case .answerAccepted: try applyAnswerAccepted(entry)
        case .answerRejected: applyAnswerRejected(entry)
        case .snapshot: applySnapshot(entry)
        case .checkpoint:
            checkpoint.seq = Int(entry.data["seq"]?.intValue ?? 0)
            checkpoint.size = Int(entry.data["size"]?.intValue ?? 0)
            checkpoint.ledgerBytes = Int(entry.data["bytes"]?.intValue ?? 0)
            checkpoint.stepsSince = 0
        case .diagnostic:
            if entry.data["level"]?.stringValue == "error" {
                diagnostics.errors += 1
            } else {
                diagnostics.warnings += 1
            }
        default: break
        }
    }

    /// Takes an entry's place in the chain: the digest of its line and the line's length with its newline.
    package mutating func seal(_ entry: Entry, digest: Digest, byteCount: Int) {
        head = digest
        ledgerBytes += byteCount
        if entry.type == .taskWaiting, let key = entry.data["key"]?.stringValue { waits[key]?.token = digest }
    }

    private func stepIndex(_ entry: Entry) throws(EngineError) -> Int {
        guard let step = entry.step, let index = definition.plan.index(of: step) else {
            throw EngineError(
                .foreignEntry,
                "entry \(entry.seq) (\(entry.type.rawValue)) names the step '\(entry.step ?? "")', "
                    + "which the run's definition does not have")
        }
        return index
    }

    package mutating func setStatus(_ status: StepStatus, of index: Int) {
        counts[steps[index].status] -= 1
        counts[status] += 1
        steps[index].status = status
    }
}

// MARK: - Run

extension RunState {
    private mutating func applyRunStart(_ entry: Entry) {
        let data = entry.data
        id = data["run"]?.stringValue ?? ""
        commit = data["commit"]?.stringValue
        inputs = Payload.read("inputs", from: data) ?? .inline(.object(Object()))
        context = data["context"]?.objectValue ?? Object()
        goal = data["goal"] ?? .null
        labels = data["labels"]?.objectValue ?? Object()
        trigger = data["trigger"] ?? .null
        startedBy = entry.by
        parent = data["parent"] ?? .null
        session = data["session"] ?? .null
        durability = Durability(rawValue: data["durability"]?.stringValue ?? "") ?? .full
        startDigest = data["startDigest"]?.stringValue ?? ""
        startedAt = entry.ts
        phase = .running
        variables = Object(definition.variables.map { ($0.name, $0.defaultValue) })
        switch definition.plan.shape {
        case .graph:
            for index in steps.indices where unsettledNeeds[index] == 0 { ready.insert(index) }
        case .machine(let start): nextState = start
        }
    }

    private mutating func applyRunEnd(_ entry: Entry) {
        let status = RunPhase(rawValue: entry.data["status"]?.stringValue ?? "") ?? .failed
        phase = status.isEnded ? status : .failed
        outputs = Payload.read("outputs", from: entry.data)
        error = Failure(entry.data["error"])
        endedAt = entry.ts
    }

    private mutating func applySnapshot(_ entry: Entry) {
        guard let name = entry.data["name"]?.stringValue else { return }
        snapshots[name] = SnapshotRecord(
            name: name, description: entry.data["description"]?.stringValue,
            tags: entry.data["tags"]?.listValue?.compactMap(\.stringValue) ?? [],
            seq: entry.seq, at: entry.ts, step: entry.step, by: entry.by)
    }
}

// MARK: - Steps

extension RunState {
    private mutating func applyTaskStart(_ entry: Entry) throws(EngineError) {
        let index = try stepIndex(entry)
        setStatus(.running, of: index)
        ready.remove(index)
        if nextState == index { nextState = nil }
        let attempt = entry.attempt ?? 1
        steps[index].visit = entry.visit ?? 1
        steps[index].attempt = attempt
        steps[index].since = entry.ts
        steps[index].endedAt = nil
        if attempt == 1 {
            steps[index].startedAt = entry.ts
            steps[index].output = nil
            steps[index].exitCode = nil
            steps[index].error = nil
            steps[index].artifacts = []
            steps[index].answers = []
            steps[index].isFailureHandled = false
        }
        // Only an attempt outside the engine can be interrupted, so only its intent must be kept.
        steps[index].intent = entry.data["action"]?.stringValue == "run" ? entry.data : nil
    }

    private mutating func applyTaskEnd(_ entry: Entry) throws(EngineError) {
        let index = try stepIndex(entry)
        let data = entry.data
        let status = StepStatus(rawValue: data["status"]?.stringValue ?? "") ?? .failed
        setStatus(status.isSettled ? status : .failed, of: index)
        ready.remove(index)
        if nextState == index { nextState = nil }
        steps[index].visit = entry.visit ?? max(steps[index].visit, 1)
        steps[index].attempt = entry.attempt ?? steps[index].attempt
        steps[index].intent = nil
        steps[index].since = entry.ts
        steps[index].endedAt = entry.ts
        steps[index].output = Payload.read("output", from: data)
        steps[index].exitCode = data["exitCode"]?.intValue.map(Int.init)
        steps[index].error = Failure(data["error"])
        steps[index].artifacts = data["artifacts"]?.listValue?.compactMap(ArtifactRecord.init) ?? []
        steps[index].isFailureHandled = data["handled"]?.boolValue ?? false
        if entry.attempt != nil {
            usage.steps += 1
            checkpoint.stepsSince += 1
        } else {
            // This visit never began; what the one before it left is not its own.
            steps[index].attempt = 0
            steps[index].startedAt = nil
            steps[index].answers = []
        }
        usage.activeMicroseconds += data["activeMicroseconds"]?.intValue ?? 0
        if let updates = data["update"]?.objectValue { merge(updates) }
        if status == .failed, !steps[index].isFailureHandled, ending == nil {
            ending = .failure
            error = steps[index].error
        }
        if data["finish"]?.boolValue == true, ending == nil {
            ending = .finish
            outputs = Payload.read("finishOutputs", from: data)
        }
        if definition.plan.shape == .graph {
            for dependant in definition.plan.dependants[index] {
                unsettledNeeds[dependant] -= 1
                if unsettledNeeds[dependant] == 0 { ready.insert(dependant) }
            }
        }
    }

    private mutating func merge(_ updates: Object) {
        for (name, value) in updates {
            let rule = definition.variables.first { $0.name == name }?.merge ?? .replace
            if rule == .append, case .list(let old)? = variables[name], case .list(let new) = value {
                variables[name] = .list(old + new)
            } else {
                variables[name] = value
            }
        }
    }

    private mutating func applyTaskRetry(_ entry: Entry) throws(EngineError) {
        let index = try stepIndex(entry)
        setStatus(.pending, of: index)
        usage.retries += 1
        // Its intent stays, and says that this is to be started again rather than visited anew.
        if definition.plan.shape == .graph { ready.insert(index) } else { nextState = index }
    }

    private mutating func applyTaskWaiting(_ entry: Entry) throws(EngineError) {
        let index = try stepIndex(entry)
        let data = entry.data
        let key = data["key"]?.stringValue ?? steps[index].waitKey(address: entry.step ?? "")
        var wait = WaitState(
            key: key, step: entry.step ?? "", visit: entry.visit ?? 1,
            reason: WaitReason(rawValue: data["reason"]?.stringValue ?? "") ?? .user, since: entry.ts)
        wait.until = data["until"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
        wait.prompt = data["prompt"]?.stringValue
        wait.choices = data["choices"]?.listValue?.compactMap(\.stringValue)
        wait.schema = data["schema"]
        wait.attachments = data["attach"]?.listValue ?? []
        wait.defaultAnswer = data["default"]
        wait.reply = data["reply"]?.stringValue.flatMap(ReplyForm.init(rawValue:))
        waits[key] = wait
        steps[index].since = entry.ts
        if wait.reply != .unknown { setStatus(.waiting, of: index) }
    }

    private mutating func applyTaskResumed(_ entry: Entry) throws(EngineError) {
        let index = try stepIndex(entry)
        setStatus(.running, of: index)
        guard let key = entry.data["key"]?.stringValue else { return }
        if entry.data["by"]?.stringValue == "deadline", waits[key]?.defaultAnswer != nil {
            steps[index].answers.append(
                ["at": .string(entry.ts.description), "by": .null, "sha256": .null, "source": "default"])
        }
        waits[key] = nil
        if closedWaits[key] == nil {
            closedWaits.insert(
                ClosedWait(
                    key: key, answer: nil, seq: entry.seq, isExpired: entry.data["by"]?.stringValue == "deadline"))
        }
    }
}

// MARK: - Answers

extension RunState {
    private mutating func applyAnswerAccepted(_ entry: Entry) throws(EngineError) {
        let data = entry.data
        guard let key = data["key"]?.stringValue else { return }
        if key.hasPrefix("@") {
            if key == ControlKind.pause.key { isPauseRequested = true }
            return
        }
        let digest = data["sha256"]?.stringValue.flatMap(Digest.init(hex:))
        closedWaits.insert(ClosedWait(key: key, answer: digest, seq: entry.seq, isExpired: false))
        let index = try stepIndex(entry)
        // What somebody says of an attempt is no answer of the step.
        if waits[key]?.reply == .unknown { return }
        var answer: Object = ["at": .string(entry.ts.description), "source": "person"]
        answer["by"] = entry.by.map(Value.string) ?? .null
        answer["sha256"] = data["sha256"]
        steps[index].answers.append(.object(answer))
    }

    private mutating func applyAnswerRejected(_ entry: Entry) {
        if let count = entry.data["count"]?.intValue {
            rejections.counted += Int(count)
            rejections.lastCountedAt = entry.ts
        } else {
            rejections.recorded += 1
        }
    }
}

extension StepState {
    /// The key under which a visit of this step waits: its address, and the visit from the second on.
    package func waitKey(address: String) -> String { visit > 1 ? "\(address).\(visit)" : address }
}
