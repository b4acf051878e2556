package import WaybillCore
import WaybillManifests

// What can be undone, and what became of undoing it.

extension RunState {
    /// Notes what a `TASK_END` says can be undone, and lets a pivot make it final.
    mutating func noteCompensable(_ entry: Entry, _ id: InstanceID, intent: Object?) {
        if entry.data["undo"] == true || entry.data["standing"] == true {
            var record = CompensationRecord(
                instance: id, step: entry.step ?? "", visit: entry.visit ?? 1, seq: entry.seq,
                output: Payload.read("output", from: entry.data) ?? Payload.read("rejected", from: entry.data))
            record.run = self[id].run
            record.item = Payload.read("item", from: entry.data)
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
        let frame = openFrame(
            .auxiliary(Frame.compensate), plan, under: record.instance, base: record.step, compensation: index)
        frames[frame]?.steps[0].visit = record.visit - 1
    }

    /// What a frame undoes; nil for one that does something else.
    func compensation(of frame: Int) -> CompensationRecord? {
        frames[frame]?.compensation.map { compensations[$0] }
    }

    /// Whether what is done in a frame can be undone: not what undoes, checks or polls, and not what cleans up.
    func isUndoable(in frame: Int) -> Bool {
        var next: Int? = frame
        while let id = next, let frame = frames[id] {
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
        undoing = compensations.lastIndex { $0.status == .running }
    }

    // MARK: - The report

    /// `run.json`'s `compensation`: null until something was undone or a run ended that something was done in.
    package var compensationReport: Value { compensationReport(endingAs: phase) }

    /// The report of a run that has this phase, or is about to.
    func compensationReport(endingAs phase: RunPhase) -> Value {
        let isOver = phase.isEnded
        let wasTried = compensations.contains { [.running, .completed, .failed].contains($0.status) }
        guard wasTried || (isOver && phase != .completed && !compensations.isEmpty) else { return .null }
        // What a completed run did is its purpose; of any other one everything that was not undone stands.
        let standing: Set<CompensationRecord.Status> =
            isOver && phase != .completed ? [.pending, .running, .failed] : [.failed]
        let status: String
        if !isOver, undoing != nil || (stage == .undoing && nextCompensation != nil) {
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
