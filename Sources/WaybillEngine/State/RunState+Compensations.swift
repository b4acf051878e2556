package import WaybillCore
import WaybillManifests

// What can be undone, and what became of undoing it.

extension RunState {
    /// Notes what a `TASK_END` says can be undone, and lets a pivot make it final.
    mutating func noteCompensable(_ entry: Entry, _ id: InstanceID, intent: Object?) {
        if entry.data["undo"] == true {
            var record = CompensationRecord(
                instance: id, step: entry.step ?? "", visit: entry.visit ?? 1, seq: entry.seq,
                output: Payload.read("output", from: entry.data))
            record.run = self[id].run
            if definition(of: id).compensation == nil { record.inputs = intent?["with"] }
            compensations.append(record)
            pin(id.frame)
        }
        guard entry.data["pivot"] == true else { return }
        for index in compensations.indices where compensations[index].status == .pending {
            compensations[index].status = .discharged
        }
    }

    /// What is undone next: the newest of what was done.
    var nextCompensation: Int? { compensations.lastIndex { $0.status == .pending } }

    mutating func applyCompensation(_ entry: Entry) throws(EngineError) {
        guard
            let index = compensations.lastIndex(where: {
                $0.step == entry.step && $0.visit == entry.visit && $0.status == .pending
            })
        else { throw EngineError(.foreignEntry, "entry \(entry.seq) undoes what was not done") }
        if stage == .main {
            stage = .undoing
            ready.removeAll()
        }
        let record = compensations[index]
        compensations[index].status = .running
        guard let plan = definition.step(at: record.step)?.effectiveCompensation?.plan else { return }
        let frame = openFrame(
            .auxiliary(Frame.compensate), plan, under: record.instance, base: record.step, compensation: index)
        frames[frame]?.steps[0].visit = record.visit - 1
    }

    /// What a frame undoes; nil for one that does something else.
    func compensation(of frame: Int) -> CompensationRecord? {
        frames[frame]?.compensation.map { compensations[$0] }
    }

    mutating func finishCompensation(_ index: Int, as step: StepState) {
        let isDone = step.status == .completed || step.status == .skipped
        compensations[index].status = isDone ? .completed : .failed
        compensations[index].error = step.error
        let record = compensations[index]
        guard isDone, frames[record.instance.frame] != nil, self[record.instance].visit == record.visit,
            self[record.instance].status.isSettled
        else { return }
        setStatus(.compensated, of: record.instance)
    }

    /// `run.json`'s `compensation`: null until something was undone or a run ended that something was done in.
    package var compensationReport: Value {
        let isOver = phase.isEnded
        guard
            compensations.contains(where: { [.running, .completed, .failed].contains($0.status) })
                || (isOver && phase != .completed && !compensations.isEmpty)
        else { return .null }
        func addresses(_ statuses: Set<CompensationRecord.Status>) -> Value {
            .list(
                compensations.filter { statuses.contains($0.status) }.suffix(Self.reportLimit).reversed().map {
                    .string($0.visit > 1 ? "\($0.step).\($0.visit)" : $0.step)
                })
        }
        let standing: Set<CompensationRecord.Status> = isOver ? [.pending, .running, .failed] : [.failed]
        let hasFailed = compensations.contains { standing.contains($0.status) }
        return [
            "status": .string(!isOver && stage == .undoing ? "running" : hasFailed ? "failed" : "completed"),
            "compensated": addresses([.completed]), "standing": addresses(standing),
            "final": addresses([.discharged]),
        ]
    }

    /// How many steps each list of the report names at most: the newest.
    private static let reportLimit = 100
}
