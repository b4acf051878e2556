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

    /// The group that a run is about to join, as text; nil where its workflow has none. Sub-runs join none: they work in
    /// their root's place.
    ///
    /// - Throws: `invalidInputs` where the expression cannot be evaluated, `skipped` where the group is full and its
    ///   runs do not queue.
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
        if concurrency.onLimit == .skip {
            let limit = concurrency.limit
            let holders = try query { index in Array((index.groups[group] ?? []).prefix(limit)) }
            if holders.count >= limit {
                throw RuntimeError(
                    .skipped,
                    "the group '\(group)' is full (\(holders.map(\.text).joined(separator: ", "))), "
                        + "and the workflow \(workflow.name) skips then")
            }
        }
        return group
    }

    /// Tells the run that has to make room for this one, where the workflow wants that: each start tells one, so that
    /// none is told twice.
    func makeRoom(for run: RunID, in group: String, _ concurrency: ConcurrencyDefinition?) throws(RuntimeError) {
        guard let concurrency, concurrency.onLimit == .cancelOldest else { return }
        let limit = concurrency.limit
        let oldest = try query { index -> RunID? in
            guard let runs = index.groups[group], let position = runs.firstIndex(of: run), position >= limit else {
                return nil
            }
            return runs[position - limit]
        }
        guard let oldest else { return }
        do {
            guard let inbox = try tree.runsDirectory.openDirectory(FilePath(oldest.text).pushing(RunFolder.inbox))
            else { return }
            let reason: Value = ["reason": .string("\(run) takes its place in the group '\(group)'")]
            try Mailbox.drop("\(ControlKind.cancel.key)--\(run.text).json", JSON.compact(reason), into: inbox)
        } catch {
            throw RuntimeError(wrapping: error)
        }
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
