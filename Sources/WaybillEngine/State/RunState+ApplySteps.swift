import WaybillCore
import WaybillManifests

// What entries say of steps.

extension RunState {
    mutating func applyTaskStart(_ entry: Entry) throws(EngineError) {
        let id = try instance(of: entry)
        setStatus(.running, of: id)
        ready.remove(id)
        usage.started += 1
        preserve(id, before: entry.visit)
        self[id].begin(entry)
        if let key = entry.data["key"]?.stringValue { nameItem(of: id, key) }
        switch entry.data["action"]?.stringValue {
        // Only an attempt outside the engine can be interrupted, so only its intent must be kept.
        case "run", "http", "emit":
            self[id].intent = entry.data
            outstanding.insert(id)
        case "call":
            self[id].intent = entry.data
            self[id].run = entry.data["run"]?.stringValue
            if let grant = entry.data["grant"]?.objectValue { granted.add(grant) }
        case "steps":
            let step = definition(of: id)
            guard case .steps(let plan) = step.action else { return }
            if step.retry != nil { self[id].intent = entry.data }
            openFrame(.group, plan, under: id)
        case "forEach":
            let items = Payload.read("items", from: entry.data) ?? .inline([])
            self[id].loop = LoopState(items: items, count: Int(entry.data["count"]?.intValue ?? 0))
            ready.insert(id)
        default: break
        }
    }

    mutating func applyTaskEnd(_ entry: Entry) throws(EngineError) {
        let id = try instance(of: entry)
        let data = entry.data
        var status = StepStatus(rawValue: data["status"]?.stringValue ?? "") ?? .failed
        if !status.isSettled { status = .failed }
        outstanding.remove(id)
        ready.remove(id)
        let intent = self[id].intent
        releaseGrant(of: id, isKept: status == .completed)
        if let inner = groupFrame(of: id) { closeFrame(inner.id, isCounted: data["again"] != true) }
        closeServants(of: id)
        takeResult(entry, of: id)
        if let updates = data["update"]?.objectValue { merge(updates) }
        if let used = data["usage"]?.objectValue {
            usage.tokens += used["tokens"]?.intValue ?? 0
            usage.cost += used["cost"]?.numberValue ?? 0
        }
        takeUse(ofChild: data)
        if data["again"] == true {
            setStatus(.pending, of: id)
            if frames[id.frame]?.isHalted == false { ready.insert(id) }
            noteCompensable(entry, id, intent: intent)
            return
        }
        setStatus(status, of: id)
        noteCompensable(entry, id, intent: intent)
        if data["finish"]?.boolValue == true, ending == nil {
            ending = .finish
            outputs = Payload.read("finishOutputs", from: data)
            halt(Frame.root)
        }
        if status == .failed, !self[id].isFailureHandled { fail(id) }
        if data["final"] == true { failRun(with: self[id].error) }
        settleDependants(of: id)
        reportToParent(of: id, entry)
    }

    /// What a visit came to. One that never began has no attempt, and what the visit before it left is not its own.
    private mutating func takeResult(_ entry: Entry, of id: InstanceID) {
        preserve(id, before: entry.visit)
        self[id].end(entry)
        if entry.attempt != nil {
            usage.steps += 1
            checkpoint.stepsSince += 1
        }
        usage.activeMicroseconds += entry.data["activeMicroseconds"]?.intValue ?? 0
    }

    /// A sub-run's use is its parent's too; its call was counted as an attempt of its own.
    private mutating func takeUse(ofChild data: Object) {
        guard let used = data["childUsage"]?.objectValue else { return }
        usage.steps += Int(used["steps"]?.intValue ?? 0)
        usage.started += Int(used["started"]?.intValue ?? 0)
        usage.retries += Int(used["retries"]?.intValue ?? 0)
        usage.tokens += used["tokens"]?.intValue ?? 0
        usage.cost += used["cost"]?.numberValue ?? 0
    }

    /// What the sub-run of a call was granted is free again; a detached one that is there keeps it.
    private mutating func releaseGrant(of id: InstanceID, isKept: Bool) {
        guard let grant = self[id].intent?["grant"]?.objectValue, case .call(let call) = definition(of: id).action
        else {
            return
        }
        granted.release(grant, isKept: call.detach && isKept)
        self[id].intent?["grant"] = nil
    }

    private mutating func merge(_ updates: Object) {
        for (name, value) in updates {
            preserve(variable: name)
            variables[name] = merged(name, value)
        }
    }

    /// The `vars` as they will be once a step's `update` is recorded.
    func variables(after updates: Object) -> Object {
        guard !updates.isEmpty else { return variables }
        var variables = variables
        for (name, value) in updates { variables[name] = merged(name, value) }
        return variables
    }

    private func merged(_ name: String, _ value: Value) -> Value {
        let rule = definition.variables.first { $0.name == name }?.merge ?? .replace
        guard rule == .append, case .list(let old)? = variables[name], case .list(let new) = value else { return value }
        return .list(old + new)
    }

    private mutating func settleDependants(of id: InstanceID) {
        // Only the plan is held on to: a copy of the frame would make each change a copy of its tables.
        let plan = plan(of: id.frame)
        guard plan.shape == .graph else { return }
        let isHalted = frames[id.frame]?.isHalted ?? true
        for dependant in plan.dependants[id.step] {
            frames[id.frame]?.unsettledNeeds[dependant] -= 1
            if !isHalted, frames[id.frame]?.unsettledNeeds[dependant] == 0 {
                ready.insert(InstanceID(frame: id.frame, step: dependant))
            }
        }
    }

    // MARK: - Failing

    /// A failure that nothing passes over: nothing new starts beside it, and what it is in fails with it.
    private mutating func fail(_ id: InstanceID) {
        guard let frame = frames[id.frame] else { return }
        let failure = self[id].error
        if frame.failure == nil { frames[id.frame]?.failure = failure }
        switch frame.kind {
        case .root: failRun(with: self[id].error)
        case .group, .onFailure, .finally: halt(id.frame)
        case .item, .auxiliary: break
        }
    }

    private mutating func failRun(with failure: Failure?) {
        guard ending == nil else { return }
        ending = .failure
        error = failure
        halt(Frame.root)
    }

    /// Lets nothing new start in a frame and in those inside it. Groups and loops in them end once nothing runs in them.
    mutating func halt(_ frame: Int) {
        var halted = [frame]
        var next = 0
        while next < halted.count {
            halted += frames[halted[next]]?.children.sorted() ?? []
            next += 1
        }
        for id in halted {
            frames[id]?.isHalted = true
            for step in frames[id]?.steps.indices ?? 0..<0 { ready.remove(InstanceID(frame: id, step: step)) }
        }
        for id in halted {
            for step in frames[id]?.steps.indices ?? 0..<0 { windUp(InstanceID(frame: id, step: step)) }
        }
    }

    /// Lets a step end that goes on for others which will not come any more.
    private mutating func windUp(_ id: InstanceID) {
        switch self[id].status {
        case .running where self[id].loop != nil:
            if !keepsWhatBegan { self[id].loop?.isStopped = true }
            reviseLoop(id)
        case .running, .unknown:
            let inner =
                undoing(rejectedOf: id) ?? groupFrame(of: id) ?? servant(Frame.poll, of: id)
                ?? servant(Frame.check, of: id)
            if let inner, inner.isDone, !isKept(inner) { ready.insert(id) }
            abandon(id)
        case .waiting: abandon(id)
        default: break
        }
    }

    /// Whether the steps that nothing has begun of a frame begin once a held run goes on.
    private func isKept(_ frame: Frame) -> Bool {
        keepsWhatBegan && frame.failure == nil && frame.unsettled > 0 && frame.kind != .auxiliary(Frame.check)
    }

    /// Makes whatever is around a step go on: the loop of an item, the group that is done, the compensation.
    private mutating func reportToParent(of id: InstanceID, _ entry: Entry) {
        guard id.frame != Frame.root, let frame = frames[id.frame] else { return }
        switch frame.kind {
        case .root, .onFailure, .finally: break
        case .group: if frame.isDone, !isKept(frame), let parent = frame.parent { ready.insert(parent) }
        case .item(let index):
            guard let parent = frame.parent else { return }
            takeItem(index, of: parent, from: self[id], key: entry.data["key"]?.stringValue)
            closeFrame(id.frame)
            reviseLoop(parent)
        case .auxiliary:
            if let record = frame.compensation {
                finishCompensation(record, as: self[id])
                closeFrame(id.frame)
                if let parent = frame.parent, self[parent].rejection != nil { ready.insert(parent) }
            } else if let parent = frame.parent {
                ready.insert(parent)
            }
        }
    }

    // MARK: - Retries

    mutating func applyTaskRetry(_ entry: Entry) throws(EngineError) {
        let id = try instance(of: entry)
        outstanding.remove(id)
        releaseGrant(of: id, isKept: false)
        takeUse(ofChild: entry.data)
        if let inner = groupFrame(of: id) { closeFrame(inner.id, isCounted: false) }
        closeServants(of: id)
        ready.remove(id)
        self[id].rejection = nil
        setStatus(.pending, of: id)
        usage.steps += 1
        usage.retries += 1
        usage.activeMicroseconds += entry.data["activeMicroseconds"]?.intValue ?? 0
        if let failure = Failure(entry.data["error"]) { self[id].error = failure }
        if entry.data["rejected"] == true { self[id].intent?["rejected"] = true }
        // Its intent stays, and says that this is to be started again rather than visited anew.
        if frames[id.frame]?.isHalted == false { ready.insert(id) }
    }
}

// Each takes an entry as a whole: a step is found once, and changed in its place.

extension StepState {
    /// What a `TASK_START` says.
    fileprivate mutating func begin(_ entry: Entry) {
        visit = entry.visit ?? 1
        attempt = entry.attempt ?? 1
        since = entry.ts
        endedAt = nil
        if attempt == 1 {
            startedAt = entry.ts
            output = nil
            exitCode = nil
            error = nil
            artifacts = []
            answers = []
            items = nil
            run = nil
            isFailureHandled = false
            inside = StepCounts()
            rejection = nil
        }
        intent = nil
    }

    /// What a `TASK_END` says.
    fileprivate mutating func end(_ entry: Entry) {
        let data = entry.data
        visit = entry.visit ?? max(visit, 1)
        attempt = entry.attempt ?? 0
        intent = nil
        loop = nil
        rejection = nil
        approvals = []
        since = entry.ts
        endedAt = entry.ts
        output = Payload.read("output", from: data)
        items = Payload.read("items", from: data)
        exitCode = data["exitCode"]?.intValue.map(Int.init)
        error = Failure(data["error"])
        artifacts = data["artifacts"]?.listValue?.compactMap(ArtifactRecord.init) ?? []
        isFailureHandled = data["handled"]?.boolValue ?? false
        if entry.attempt == nil {
            startedAt = nil
            answers = []
        }
    }
}
