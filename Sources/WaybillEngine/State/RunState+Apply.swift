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
        // Types are texts, and compared one after the other: those that come with every step come first.
        case .taskStart: try applyTaskStart(entry)
        case .taskEnd: try applyTaskEnd(entry)
        case .branchTaken: applyBranchTaken(entry)
        case .runStart: applyRunStart(entry)
        case .runEnd: applyRunEnd(entry)
        case .runPaused:
            phase = .paused
            pausedAt = entry.ts
            isHeld = entry.data["reason"] == "hold"
        case .runResumed: applyRunResumed(entry)
        case .runAdmitted: isQueued = false
        case .limitWarning:
            let parts = [entry.data["source"]?.stringValue, entry.data["limit"]?.stringValue].compactMap { $0 }
            limitWarnings.insert((parts + [String(entry.data["percent"]?.intValue ?? 0)]).joined(separator: " "))
        case .runCancelled: applyRunCancelled()
        case .taskRetry: try applyTaskRetry(entry)
        case .taskWaiting: try applyTaskWaiting(entry)
        case .taskResumed: try applyTaskResumed(entry)
        case .eventReceived:
            let id = try instance(of: entry)
            if let seq = entry.data["seq"]?.intValue { self[id].eventsTaken.insert(Int(seq)) }
        case .taskUnknown:
            let id = try instance(of: entry)
            outstanding.remove(id)
            setStatus(.unknown, of: id)
            guard entry.data["rule"] == "check", case .check(let plan) = definition(of: id).effectiveUnknownRule
            else { return }
            openFrame(.auxiliary(Frame.check), plan, under: id)
        case .compensation: try applyCompensation(entry)
        case .answerAccepted: try applyAnswerAccepted(entry)
        case .answerRejected: applyAnswerRejected(entry)
        case .snapshot: applySnapshot(entry)
        case .forked: applyForked(entry)
        // What was lost may have been done outside: somebody looks before the run goes on.
        case .repaired: if entry.data["lost"] != nil, !phase.isEnded { isPauseRequested = true }
        case .error:
            if entry.data["admission"] == true { isUnadmitted = true }
            guard ending == nil || ending == .finish else { return }
            outputs = nil
            ending = .failure
            error = Failure(entry.data["error"])
            halt(Frame.root)
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
        // These come before the start of a step, and may be the first that is heard of an item.
        case .policyPre, .guardEval: if entry.step != nil { _ = try instance(of: entry) }
        default: break
        }
    }

    /// Takes an entry's place in the chain: the digest of its line and the line's length with its newline.
    package mutating func seal(_ entry: Entry, digest: Digest, byteCount: Int) {
        head = digest
        ledgerBytes += byteCount
        if entry.type == .taskWaiting, let key = entry.data["key"]?.stringValue { waits[key]?.token = digest }
        guard !control.isEmpty else { return }
        let isControl = entry.type == .answerAccepted && entry.data["key"]?.stringValue?.hasPrefix("@") == true
        if entry.type == .runStart || isControl { controlToken = digest }
    }

    /// The step that an entry is about. The item of a loop begins with the first entry that names it.
    mutating func instance(of entry: Entry) throws(EngineError) -> InstanceID {
        let address = entry.step ?? ""
        if let id = instance(at: address) ?? openItem(at: address) { return id }
        throw EngineError(
            .foreignEntry,
            "entry \(entry.seq) (\(entry.type.rawValue)) names the step '\(address)', "
                + "which the run does not have at that point")
    }

    package mutating func setStatus(_ status: StepStatus, of id: InstanceID) {
        guard let old = frames[id.frame]?.setStatus(status, of: id.step) else { return }
        counts[old] -= 1
        counts[status] += 1
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
        starter = Answerer(data["starter"]?.objectValue)
        control = (data["control"]?.listValue ?? []).compactMap { AnswererRule($0) }
        parent = data["parent"] ?? .null
        session = data["session"] ?? .null
        durability = Durability(rawValue: data["durability"]?.stringValue ?? "") ?? .full
        startDigest = data["startDigest"]?.stringValue ?? ""
        retryOverride = RetryOverride(recorded: data["retry"]?.objectValue ?? Object(), for: definition)
        journalSeq = Int(data["journal"]?.intValue ?? 0)
        grant = data["grant"]?.objectValue ?? Object()
        group = data["group"]?.stringValue
        isQueued = group != nil
        startedAt = entry.ts
        phase = .running
        begin()
    }

    private mutating func applyRunEnd(_ entry: Entry) {
        let status = RunPhase(rawValue: entry.data["status"]?.stringValue ?? "") ?? .failed
        phase = status.isEnded ? status : .failed
        stage = .done
        outputs = Payload.read("outputs", from: entry.data)
        error = Failure(entry.data["error"])
        endedAt = entry.ts
    }

    private mutating func applyRunResumed(_ entry: Entry) {
        let wasPaused = phase == .paused
        phase = .running
        pausedAt = nil
        isPauseRequested = false
        isPausedByParent = false
        // A run that is resumed while it still undoes begins anew once that is done.
        if ending == .rollback, wasPaused, entry.data["cancel"] != true { startOver() }
        guard isHeld else { return }
        isHeld = false
        if entry.data["retry"] == true { releaseHold() }
    }

    /// What was done is undone after a cancellation as after a failure. A second one, or one of a run that cleans up
    /// already, ends that as well.
    private mutating func applyRunCancelled() {
        if ending == .cancellation || stage == .onFailure || stage == .finally {
            isAborted = true
            for id in frames.keys { frames[id]?.isHalted = true }
            ready.removeAll()
        } else if stage == .main {
            // What a failure would have held for another try is not kept any more.
            if ending == .failure { ending = .cancellation }
            halt(Frame.root)
        }
        if stage == .main || stage == .undoing || ending != .failure { ending = .cancellation }
    }

    private mutating func applySnapshot(_ entry: Entry) {
        guard let name = entry.data["name"]?.stringValue else { return }
        snapshots[name] = SnapshotRecord(
            name: name, description: entry.data["description"]?.stringValue,
            tags: entry.data["tags"]?.listValue?.compactMap(\.stringValue) ?? [],
            seq: entry.seq, at: entry.ts, step: entry.step, by: entry.by)
    }

    /// From here on this is another run, which undoes what the entries before this one did.
    private mutating func applyForked(_ entry: Entry) {
        guard entry.data["mode"] == "undo", let run = entry.data["run"]?.stringValue else { return }
        undoes = id
        id = run
        parent = entry.data["parent"] ?? .null
        trigger = ["type": "parent", "by": entry.by.map(Value.string) ?? .null]
        startedBy = entry.by
        usage = Usage()
        granted = Grants()
        // It undoes in whatever place there is: it waits for no turn, and nobody ends it to have its own.
        group = nil
        outputs = nil
        ending = .cancellation
        stage = .main
        halt(Frame.root)
        ready.removeAll()
    }

    /// The next state of a machine, or, without a step, the next part of the run's life.
    private mutating func applyBranchTaken(_ entry: Entry) {
        guard let target = entry.data["to"]?.stringValue else { return }
        guard entry.step == nil else {
            if let step = definition.plan.index(of: target) {
                ready.insert(InstanceID(frame: Frame.root, step: step))
            }
            return
        }
        if target != RunStage.undoing.rawValue { ready.removeAll() }
        switch RunStage(rawValue: target) {
        case .main?: startOver()
        case .undoing?:
            ending = .rollback
            halt(Frame.root)
        case .onFailure?:
            stage = .onFailure
            if let plan = definition.onFailure { openFrame(.onFailure, plan, under: nil) }
        case .finally?:
            stage = .finally
            // What was evaluated before anything was cleaned up is what the run gives back.
            if let evaluated = Payload.read("outputs", from: entry.data) { outputs = evaluated }
            if let plan = definition.finally { openFrame(.finally, plan, under: nil) }
        default: break
        }
    }
}
