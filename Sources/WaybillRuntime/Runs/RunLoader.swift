import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Brings a run's state back: from the newest checkpoint that the ledger vouches for, and the entries behind it.
struct RunLoader {
    let tree: Tree
    let run: RunID
    let folder: RunFolder
    let definition: RunDefinition
    let limits: EngineLimits
    var uncountedRejections = 0
    /// Whether the whole chain is checked first, not only what follows a checkpoint: once in a process for each run.
    var verifiesWhole = false
    /// The end of the ledger when this process closed it last.
    var left: LedgerHead?
    /// What this process made the run as just now, and has had in hand since.
    var madeAs: MadeRun?

    /// Takes the ledger's lock.
    func open(
        rejected: (Int) -> Void
    ) throws(StoreError) -> (ledger: any Ledger, engine: RunEngine) {
        if let madeAs { return (madeAs.ledger, engine(madeAs.state)) }
        let known = knownHeads()
        if verifiesWhole, case .damaged(_, let reason) = try verify(known) {
            throw StoreError(.damaged, reason.description, seq: reason.seq)
        }
        if let found = newestCheckpoint(rejected: rejected) {
            do throws(StoreError) {
                return try open(from: found.state, checkpoint: found.mark, known: known)
            } catch  where error.code != .locked && error.code != .missing {
                // What stands before the checkpoint may tell more; the whole ledger decides.
                rejected(found.state.seq)
            }
        }
        return try open(
            from: RunState(definition: definition.workflow, genesis: definition.digest), known: known)
    }

    /// Takes the ledger's lock, and the entries behind a state into it.
    ///
    /// - Parameter checkpoint: what an entry behind the state must vouch for.
    private func open(
        from state: RunState, checkpoint: Digest? = nil, known: [Int: Digest]
    ) throws(StoreError) -> (ledger: any Ledger, engine: RunEngine) {
        var fold = Fold(engine: engine(state))
        let ledger = try tree.ledgers.open(
            run, from: state.ledgerHead, checkpoint: checkpoint, knownHeads: known.filter { $0.key >= state.seq },
            durability: definition.workflow.ledgerDurability
        ) { fold.take($0) }
        if let fault = fold.fault {
            ledger.close()
            throw fault
        }
        return (ledger, fold.engine)
    }

    private func verify(_ known: [Int: Digest]) throws(StoreError) -> LedgerVerdict {
        try tree.ledgers.verify(run, from: .start(genesis: definition.digest), knownHeads: known)
    }

    private func engine(_ state: RunState) -> RunEngine {
        RunEngine(
            definition: definition, state: state, payloads: RunPayloads(tree: tree, run: run), limits: limits,
            uncountedRejections: uncountedRejections)
    }

    /// Heads that are known beside the ledger: where this process left it, if nobody has worked on it since; else the
    /// journal's of a run that ended, and `run.json`'s, where the run is durable. A file that is missing or unreadable
    /// vouches for nothing.
    ///
    /// Whoever asks the journal waits for those that write to it, and `run.json` costs as much to read as the ledger does.
    private func knownHeads() -> [Int: Digest] {
        if let left, !verifiesWhole, let ledger = try? folder.directory.status(RunFolder.ledger),
            ledger.size == Int64(left.length)
        {
            return [left.seq: left.digest]
        }
        var known = glanceHead()
        let end = (try? tree.journal.query(following: false) { $0.runs[run]?.ended }) ?? nil
        if let end { known[end.headSeq] = end.head }
        return known
    }

    private func glanceHead() -> [Int: Digest] {
        guard definition.workflow.ledgerDurability == .full,
            let bytes = try? folder.read(RunFolder.glance, limit: 16 << 20),
            let glance = try? JSON.parse(bytes), let seq = glance["ledger"]?["seq"]?.intValue,
            let head = glance["ledger"]?["head"]?.stringValue.flatMap(Digest.init(hex:)), seq > 0
        else { return [:] }
        return [Int(seq): head]
    }

    /// The newest checkpoint that can be read, and the digest that the entry behind it must name.
    private func newestCheckpoint(
        rejected: (Int) -> Void
    ) -> (state: RunState, mark: Digest)? {
        guard let numbers = try? tree.checkpoints.numbers(run: run) else { return nil }
        for seq in numbers.reversed() {
            if let bytes = try? tree.checkpoints.read(run: run, seq: seq),
                let state = try? RunState(checkpoint: bytes, definition: definition.workflow),
                state.seq == seq, state.definitionDigest == definition.digest, state.id == run.text
            {
                return (state, Digest.sha256(bytes))
            }
            rejected(seq)
        }
        return nil
    }
}

extension WorkflowDefinition {
    /// What the store makes of `durability`.
    var ledgerDurability: WaybillPorts.Durability { durability == .full ? .full : .relaxed }
}

/// Takes entries into an engine, one after the other.
struct Fold {
    private(set) var engine: RunEngine
    private(set) var fault: StoreError?

    init(engine: RunEngine) { self.engine = engine }

    mutating func take(_ item: LedgerScanner.Item) {
        guard fault == nil else { return }
        do throws(EngineError) {
            try engine.replay(SealedEntry(entry: item.entry, digest: item.digest), byteCount: item.length)
        } catch {
            fault = StoreError(.damaged, error.message, seq: item.entry.seq)
        }
    }
}

/// Reads the payloads of a run from its artifacts.
final class RunPayloads: PayloadSource {
    private let tree: Tree
    private let run: RunID

    init(tree: Tree, run: RunID) {
        self.tree = tree
        self.run = run
    }

    func payload(_ digest: Digest) -> Value? {
        guard let bytes = try? tree.artifacts.get(digest, run: run, limit: 256 << 20) else { return nil }
        return try? JSON.parse(bytes, limits: JSON.Limits(bytes: .max))
    }
}
