package import WaybillCore
import WaybillManifests

// What can be undone, and what became of undoing it.

extension RunState {
    /// Notes what a `TASK_END` says can be undone, and lets a pivot make it final.
    mutating func noteCompensable(_ entry: Entry, _ id: InstanceID, intent: Object?) {
        if entry.data["undo"] == true || entry.data["standing"] == true {
            let output = Payload.read("output", from: entry.data) ?? Payload.read("rejected", from: entry.data)
            var record = compensation(of: id, entry, output: output)
            if definition(of: id).compensation == nil { record.inputs = intent?["with"] }
            // What a sub-run left undone stands: it tried itself, and nobody tries again.
            if entry.data["undo"] != true { record.status = .failed }
            compensations.append(record)
            if record.status == .pending {
                undoCursor = compensations.count
                pin(id.frame)
            }
        }
        guard entry.data["pivot"] == true else { return }
        for index in undoFloor..<compensations.count where compensations[index].status == .pending {
            compensations[index].status = .discharged
        }
        undoFloor = compensations.count
    }

    /// What is undone next: the newest of what was done.
    var nextCompensation: Int? {
        var index = min(undoCursor, compensations.count)
        while index > undoFloor {
            index -= 1
            if compensations[index].status == .pending { return index }
        }
        return nil
    }

    mutating func applyCompensation(_ entry: Entry) throws(EngineError) {
        if entry.data["reason"] == "rejected" { return try applyRejection(entry) }
        guard let index = nextCompensation, compensations[index].step == entry.step,
            compensations[index].visit == entry.visit
        else { throw EngineError(.foreignEntry, "entry \(entry.seq) undoes what was not done, or not last") }
        if stage == .main {
            stage = .undoing
            ready.removeAll()
        }
        undoCursor = index
        let record = compensations[index]
        guard let plan = definition.step(at: record.step)?.undoPlan else {
            throw EngineError(.foreignEntry, "entry \(entry.seq) undoes \(record.step), which nothing undoes")
        }
        compensations[index].status = .running
        undoing = index
        let visit = takeUndoVisit(of: record)
        let frame = openFrame(
            .auxiliary(Frame.compensate), plan, under: record.instance, base: record.step, compensation: index)
        frames[frame]?.steps[0].visit = visit - 1
    }

    /// The visit under which something is undone: its own, unless a rejected result was undone under that.
    private mutating func takeUndoVisit(of record: CompensationRecord) -> Int {
        guard record.isOfRejected || takenUndoVisits[record.step] != nil else { return record.visit }
        var taken = takenUndoVisits[record.step] ?? []
        var visit = record.visit
        if taken.contains(visit) { visit = max(taken.max() ?? 0, self[record.instance].visit, visit) + 1 }
        taken.insert(visit)
        takenUndoVisits[record.step] = taken
        return visit
    }

    // MARK: - Rejected results

    /// A result was rejected and the run goes on: it is undone before the visit ends.
    private mutating func applyRejection(_ entry: Entry) throws(EngineError) {
        let id = try instance(of: entry)
        guard let plan = definition(of: id).undoPlan else {
            throw EngineError(.foreignEntry, "entry \(entry.seq) undoes \(entry.step ?? ""), which nothing undoes")
        }
        outstanding.remove(id)
        ready.remove(id)
        closeServants(of: id)
        var record = compensation(of: id, entry, output: Payload.read("rejected", from: entry.data))
        if definition(of: id).compensation == nil { record.inputs = self[id].intent?["with"] }
        record.isOfRejected = true
        record.status = .running
        compensations.append(record)
        setStatus(.running, of: id)
        self[id].rejection = entry.data
        let visit = takeUndoVisit(of: record)
        let frame = openFrame(
            .auxiliary(Frame.compensate), plan, under: id, base: record.step, compensation: compensations.count - 1)
        frames[frame]?.steps[0].visit = visit - 1
    }

    /// The frame in which a step's rejected result is undone, before the step's visit ends.
    func undoing(rejectedOf id: InstanceID) -> Frame? {
        self[id].rejection == nil ? nil : servant(Frame.compensate, of: id)
    }

    /// Leaves what was to be undone at once to the end of the run, because that came before.
    mutating func postpone(_ index: Int) {
        compensations[index].isOfRejected = false
        compensations[index].status = .pending
        undoCursor = compensations.count
        pin(compensations[index].instance.frame)
    }

    private func compensation(of id: InstanceID, _ entry: Entry, output: Payload?) -> CompensationRecord {
        var record = CompensationRecord(
            instance: id, step: entry.step ?? "", visit: entry.visit ?? 1, seq: entry.seq, output: output)
        record.run = self[id].run
        record.item = Payload.read("item", from: entry.data)
        return record
    }

    /// What a frame undoes; nil for one that does something else.
    func compensation(of frame: Int) -> CompensationRecord? {
        guard frame != Frame.root else { return nil }
        return frames[frame]?.compensation.map { compensations[$0] }
    }

    /// Whether what is done in a frame can be undone: not what undoes, checks or polls, and not what cleans up.
    func isUndoable(in frame: Int) -> Bool {
        var next: Int? = frame
        while let id = next {
            if id == Frame.root { return true }
            guard let frame = frames[id] else { return false }
            switch frame.kind {
            case .root: return true
            case .onFailure, .finally, .auxiliary: return false
            case .group, .item: next = frame.parent?.frame
            }
        }
        return false
    }

    mutating func finishCompensation(_ index: Int, as step: StepState) {
        let isDone = step.status == .completed || step.status == .skipped
        // The end of the run came between: it is undone with the rest. A run that completes undoes nothing more.
        if compensations[index].isOfRejected, !isDone, ending != nil, ending != .finish, stage == .main {
            return postpone(index)
        }
        compensations[index].status = isDone ? .completed : .failed
        compensations[index].error = step.error
        undoing = nil
        let record = compensations[index]
        guard isDone, frames[record.instance.frame] != nil, self[record.instance].visit == record.visit,
            self[record.instance].status.isSettled
        else { return }
        setStatus(.compensated, of: record.instance)
    }

    /// What follows from the records, after they were read from a checkpoint.
    mutating func recountCompensations() {
        undoCursor = compensations.count
        undoFloor = 0
        undoing = compensations.lastIndex { $0.status == .running && !$0.isOfRejected }
    }

    // MARK: - The report

    /// `run.json`'s `compensation`: null until something was undone or a run ended that something was done in.
    package var compensationReport: Value { compensationReport(endingAs: phase) }

    /// The report of a run that has this phase, or is about to.
    func compensationReport(endingAs phase: RunPhase) -> Value {
        let isOver = phase.isEnded
        let wasTried = compensations.contains { [.running, .completed, .failed].contains($0.status) }
        guard wasTried || (isOver && phase != .completed && !compensations.isEmpty) else { return .null }
        // What a pause rolled back was done again since.
        if phase == .completed, !compensations.contains(where: { $0.isOfRejected || $0.status == .failed }) {
            return .null
        }
        // What a completed run did is its purpose; of any other one everything that was not undone stands.
        let standing: Set<CompensationRecord.Status> =
            isOver && phase != .completed ? [.pending, .running, .failed] : [.failed]
        let status: String
        if !isOver,
            compensations.contains(where: { $0.status == .running }) || (stage == .undoing && nextCompensation != nil)
        {
            status = "running"
        } else if compensations.contains(where: { standing.contains($0.status) }) {
            status = wasTried ? "failed" : "none"
        } else {
            status = "completed"
        }
        return [
            "status": .string(status), "compensated": addresses([.completed]), "standing": addresses(standing),
            "final": addresses([.discharged]),
        ]
    }

    /// The newest first, and how many are left out.
    private func addresses(_ statuses: Set<CompensationRecord.Status>) -> Value {
        var list: [Value] = []
        var rest = 0
        for record in compensations.reversed() where statuses.contains(record.status) {
            guard list.count < Self.reportLimit else {
                rest += 1
                continue
            }
            list.append(.string(record.visit > 1 ? "\(record.step).\(record.visit)" : record.step))
        }
        if rest > 0 { list.append(["more": .int(Int64(rest))]) }
        return .list(list)
    }

    /// Whether effects of a run stand that nobody wanted.
    package var hasStandingEffects: Bool {
        phase.isEnded && phase != .completed
            && compensations.contains { [.pending, .running, .failed].contains($0.status) }
    }

    /// Whether a completed run did something that it could undo.
    package var canBeUndone: Bool { phase == .completed && nextCompensation != nil }

    /// How many steps each list of the report names at most.
    private static let reportLimit = 100
}

extension StepDefinition {
    /// What undoes the step: its own `compensate`, its capability's, or, of a call, the sub-run itself.
    var undoPlan: Plan? {
        if let compensation = effectiveCompensation { return compensation.plan }
        guard case .call(let action) = action else { return nil }
        let step = StepDefinition(
            id: Frame.compensate, place: place, action: .call(CallAction(workflow: action.workflow, place: place)))
        return Plan(shape: .graph, steps: [step])
    }
}
