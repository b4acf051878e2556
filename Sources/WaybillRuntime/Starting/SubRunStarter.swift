import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Starts what `call` steps call: runs of workflows that were frozen with their parent, under ids that the parent
/// recorded before. Starting one twice starts it once.
struct SubRunStarter {
    let tree: Tree
    let definitions: DefinitionCache
    let limits: EngineLimits

    /// Makes sure that a sub-run is there and in the journal.
    ///
    /// - Throws: `conflict` where the id belongs to a run of another workflow or with other inputs; `policy`, `skipped` and
    ///   `invalidInputs` where it is not let in, and was not made.
    func start(_ start: ChildStart, _ run: RunID, of parent: RunID) throws(RuntimeError) {
        do {
            if let undone = start.undoes {
                guard let undone = RunID(undone) else { throw RuntimeError(.unknownRun, "'\(undone)' is no run id") }
                try undo(undone, start, run)
            } else {
                try call(start, run, of: parent)
            }
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    private func call(_ start: ChildStart, _ run: RunID, of parent: RunID) throws {
        // The parent's sources hold everything that it may come to call.
        let sources = try tree.runs.definition(of: parent)
        let frozen = FrozenDefinition(workflow: start.workflow, commit: sources.commit, sources: sources.sources)
        let definition = try definitions.definition(frozen, run, zones: tree.zones)
        var begin = RunStart(
            id: run.text, commit: frozen.commit, inputs: start.inputs,
            trigger: ["type": "parent", "by": .string(parent.text)], actor: .parent, by: parent.text)
        begin.parent = start.parent
        begin.grant = start.grant
        begin.starter = start.starter
        begin.journalSeq = try tree.events.lastSeq(following: true)
        let digest = RunStart.digest(workflow: definition.workflow.name, inputs: start.inputs)
        // One that was made before was let in then.
        guard try tree.runs.open(run) == nil else { return try adopt(run, digest, definition.workflow) }
        let now = tree.clock.now()
        var engine = RunEngine(
            definition: definition, state: RunState(definition: definition.workflow, genesis: frozen.digest),
            payloads: RunPayloads(tree: tree, run: run), limits: limits)
        // The present policies that bind running runs may say more than those its parent was started with.
        engine.runningPolicies = definitions.running
        if let denial = engine.admission(of: begin, at: now).denial { throw RuntimeError(denial: denial) }
        begin.group = try RunGroups(tree: tree).join(definition.workflow, begin, now: now)
        let moment = Moment(now: now, boot: tree.boot)
        let decision = try engine.signed(
            try engine.handle(.start(begin), at: moment), by: tree.signing.sign, at: moment)
        let tree = tree
        let state = engine.state
        let new = try RunGroups(tree: tree).make(state) { () throws(StoreError) in
            try tree.runs.create(run, frozen, decision, state)
        }
        guard let new else { return try adopt(run, digest, definition.workflow) }
        // Whoever wakes it opens it: only that it is durable need not be found out again.
        tree.ledgers.take(new.ledger, of: run, upTo: state).close()
        try RunStarter.recordStart(ofNew: engine.state, in: tree)
    }

    private func adopt(_ run: RunID, _ digest: Digest, _ workflow: WorkflowDefinition) throws(RuntimeError) {
        guard try RunStarter.adopt(run, digest, in: tree, concurrency: { _ in workflow.concurrency }) else {
            throw RuntimeError(.conflict, "the id \(run) is taken by a run with another workflow or other inputs")
        }
    }

    // MARK: - Undoing

    /// Makes the run that undoes another one: that one's past, byte for byte, with `FORKED` in the place of `RUN_END`.
    private func undo(_ undone: RunID, _ start: ChildStart, _ run: RunID) throws {
        let frozen = try tree.runs.definition(of: undone)
        let definition = try definitions.definition(frozen, undone, zones: tree.zones)
        let payloads = RunPayloads(tree: tree, run: undone)
        var past = Past(
            engine: RunEngine(
                definition: definition, state: RunState(definition: definition.workflow, genesis: frozen.digest),
                payloads: payloads, limits: limits))
        _ = try tree.ledgers.scan(undone, from: .start(genesis: frozen.digest), knownHeads: [:]) { past.take($0) }
        if let fault = past.fault { throw fault }
        guard past.isEnded, let folder = try tree.runs.open(undone),
            let ledger = try folder.read(RunFolder.ledger, limit: .max), ledger.count >= past.length
        else { throw RuntimeError(.unknownRun, "\(undone) has not ended, or its ledger is gone") }
        let moment = Moment(now: tree.clock.now(), boot: tree.boot)
        let decision = try past.engine.signed(
            try past.engine.handle(.undo(start), at: moment), by: tree.signing.sign, at: moment)
        var blobs: [[UInt8]] = []
        for payload in past.payloads {
            // What was erased is missing here as it is there.
            if let bytes = try tree.artifacts.get(payload.digest, run: undone, limit: payload.size) {
                blobs.append(bytes)
            }
        }
        let lines = Array(ledger[..<past.length]) + decision.lines
        _ = try tree.runs.create(run, definition: frozen, lines: lines, blobs: blobs)
        try RunStarter.recordStart(of: past.engine.state, in: tree)
    }

    /// A run's entries before its `RUN_END`.
    private struct Past {
        var engine: RunEngine
        /// Bytes.
        var length = 0
        var isEnded = false
        var payloads: [(digest: Digest, size: Int)] = []
        var fault: RuntimeError?

        mutating func take(_ item: LedgerScanner.Item) {
            if item.entry.type == .runEnd { isEnded = true }
            guard !isEnded, fault == nil else { return }
            do throws(EngineError) {
                try engine.replay(SealedEntry(entry: item.entry, digest: item.digest), byteCount: item.length)
            } catch {
                fault = RuntimeError(.quarantined, error.message, seq: item.entry.seq)
            }
            length += item.length
            for (name, value) in item.entry.data where name.hasSuffix("Ref") {
                guard let digest = value["sha256"]?.stringValue.flatMap(Digest.init(hex:)),
                    let size = value["size"]?.intValue
                else { continue }
                payloads.append((digest, Int(size)))
            }
        }
    }
}
