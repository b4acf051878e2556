import Synchronization
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillExpressions
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Concurrency groups: who is in one, and whose turn it is. All of it follows from the journal, so any number of
/// processes come to the same answer.
struct RunGroups: Sendable {
    let tree: Tree

    /// The group that a run is about to join, as text; nil where its workflow has none, and for a sub-run whose caller
    /// waits for it in a place of the same group: it works in that place, or neither would ever go on.
    ///
    /// - Throws: `invalidInputs` where the expression cannot be evaluated.
    func join(_ workflow: WorkflowDefinition, _ start: RunStart, now: Timestamp) throws(RuntimeError) -> String? {
        guard let concurrency = workflow.concurrency else { return nil }
        let variables: Object = [
            "context": .object(workflow.context), "trigger": .object(start.trigger),
            "run": [
                "id": .string(start.id), "startedAt": .string(now.description),
                "startedBy": start.by.map(Value.string) ?? .null,
            ],
        ]
        let inputs = start.inputs
        let scope = PolicyScope(variables: variables, zones: tree.zones) { .object(inputs) }
        let group: String
        do throws(ExpressionError) {
            group = try concurrency.group.text(in: scope) ?? ""
        } catch {
            throw RuntimeError(.invalidInputs, "concurrency.group: \(error.message)")
        }
        let held = start.parent?["groups"]?.listValue ?? []
        return held.contains(.string(group)) ? nil : group
    }

    // MARK: - Making runs

    /// What came of making a run under the journal's lock.
    private enum Making: Sendable {
        case made(NewRun?)
        case full([RunID])
        case failed(StoreError)
    }

    private final class MakingBox: Sendable {
        let making = Mutex<Making?>(nil)
    }

    /// Makes a run's folder. Where its group lets nobody queue, whether there is room is decided under the journal's lock,
    /// and the run is made and recorded before that is given back: of runs that start at once no more get in than the group
    /// has places.
    ///
    /// - Parameter create: makes the folder; nil if the id is taken.
    /// - Throws: `skipped` where the group is full and its runs do not queue.
    func make(
        _ state: RunState, _ create: @escaping @Sendable () throws(StoreError) -> NewRun?
    ) throws(RuntimeError) -> NewRun? {
        guard let group = state.group, let concurrency = state.definition.concurrency, concurrency.onLimit == .skip,
            let run = RunID(state.id)
        else {
            do throws(StoreError) {
                return try create()
            } catch {
                throw RuntimeError(error)
            }
        }
        let limit = concurrency.limit
        let draft = RunStarter.startDraft(of: state)
        let box = MakingBox()
        do throws(StoreError) {
            _ = try tree.journal.decide(at: tree.clock.now()) { index in
                let holders = index.groups[group] ?? []
                guard holders.count < limit else {
                    box.making.withLock { $0 = .full(holders) }
                    return []
                }
                do throws(StoreError) {
                    let new = try create()
                    box.making.withLock { $0 = .made(new) }
                    return new != nil && index.runs[run]?.started ?? 0 == 0 ? draft(index) : []
                } catch {
                    box.making.withLock { $0 = .failed(error) }
                    return []
                }
            }
        } catch {
            throw RuntimeError(error)
        }
        switch box.making.withLock({ $0 }) {
        case .made(let new)?: return new
        case .full(let holders)?:
            throw RuntimeError(
                .skipped,
                "the group '\(group)' is full (\(holders.prefix(limit).map(\.text).joined(separator: ", "))), "
                    + "and the workflow \(state.definition.name) skips then")
        case .failed(let error)?: throw RuntimeError(error)
        case nil: throw RuntimeError(.internal, "the journal decided nothing about the start of \(run)")
        }
    }

    // MARK: - Turns

    /// Tells the run to end that the journal says has to make room for this one. Telling it twice does no harm: an order
    /// that comes while it ends is refused.
    ///
    /// - Returns: that run, and the file in its inbox; nil if there is none, or it has ended.
    func makeRoom(for run: RunID) throws(RuntimeError) -> (run: RunID, file: FilePath.Component)? {
        let oldest = try query { index -> RunID? in
            guard let oldest = index.runs[run]?.cancels, index.runs[oldest]?.ended == nil else { return nil }
            return oldest
        }
        guard let oldest, let file = try tell(oldest, toMakeRoomFor: run) else { return nil }
        return (oldest, file)
    }

    /// Tells a run itself that it has to end, where the journal says so: the run that is to have its place may have been
    /// stopped, or be over, before it did.
    ///
    /// - Returns: the file in its inbox; nil if the run may go on.
    func makeRoom(by run: RunID) throws(RuntimeError) -> FilePath.Component? {
        guard let successor = try query({ $0.successors[run] }) else { return nil }
        return try tell(run, toMakeRoomFor: successor)
    }

    private func tell(_ oldest: RunID, toMakeRoomFor run: RunID) throws(RuntimeError) -> FilePath.Component? {
        let name = "\(ControlKind.cancel.key)--\(run.text).json"
        guard let file = FilePath.Component(name) else { return nil }
        do {
            guard let inbox = try tree.runsDirectory.openDirectory(FilePath(oldest.text).pushing(RunFolder.inbox))
            else { return nil }
            let order: Value = [
                "reason": .string("\(run) takes its place in its concurrency group"), "room": .string(run.text),
            ]
            try Mailbox.drop(name, JSON.compact(order), into: inbox)
        } catch let error as StoreError where error.code == .exists {
            // It lies there unread.
            return file
        } catch {
            throw RuntimeError(wrapping: error)
        }
        return file
    }

    /// Whether a run's turn has come.
    func isAdmitted(_ state: RunState) throws(RuntimeError) -> Bool {
        guard let run = RunID(state.id) else { return false }
        // Its starter may have been stopped before the journal knew.
        try RunStarter.recordStart(of: state, in: tree)
        let limit = state.definition.concurrency?.limit ?? 1
        return try query { $0.isAdmitted(run, limit: limit) }
    }

    private func query<Answer: Sendable>(
        _ body: (JournalIndex) -> Answer
    ) throws(RuntimeError) -> Answer {
        do throws(StoreError) {
            return try tree.journal.query(following: true, body)
        } catch {
            throw RuntimeError(error)
        }
    }
}
