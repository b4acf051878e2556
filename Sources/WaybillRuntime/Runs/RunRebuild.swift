import SystemPackage
package import WaybillCore
package import WaybillEngine
package import WaybillManifests
import WaybillPorts
package import WaybillStore

/// Folds a whole ledger and says what every projection of it is.
package struct RunRebuild {
    private let tree: Tree
    private let folder: RunFolder
    private let definition: WorkflowDefinition
    private let genesis: Digest

    package init(tree: Tree, folder: RunFolder, definition: WorkflowDefinition, genesis: Digest) {
        self.tree = tree
        self.folder = folder
        self.definition = definition
        self.genesis = genesis
    }

    /// The outcome of a fold.
    package struct Report: Sendable {
        package var verdict: LedgerVerdict
        /// The state at the end of what verifies.
        package var state: RunState
        /// An entry that does not fit the definition, or a `CHECKPOINT` that does not fit the fold.
        package var fault: StoreError?
    }

    /// Folds, and hands every projection but `run.json`'s and the open waits' to `body` as it comes up: checkpoints and
    /// receipts in the ledger's order. Memory does not grow with the ledger.
    ///
    /// - Parameter visit: sees each entry before it is folded, those behind a fault as well.
    package func fold(
        visiting visit: (Entry) -> Void = { _ in }, _ body: (Projection) -> Void
    ) throws(StoreError) -> Report {
        // A fold decides nothing, so it asks for no policies, settings or other workflows.
        var engine = RunEngine(
            definition: RunDefinition(workflow: definition, of: Catalog(), digest: genesis),
            state: RunState(definition: definition, genesis: genesis),
            payloads: RunPayloads(tree: tree, run: folder.run))
        var fault: StoreError?
        let verdict = try tree.ledgers.scan(folder.run, from: .start(genesis: genesis), knownHeads: [:]) { item in
            visit(item.entry)
            guard fault == nil else { return }
            if item.entry.type == .checkpoint {
                // As this build writes it, or else as earlier ones did.
                let state = engine.state
                let named = [false, true].lazy.map { state.checkpointBytes(isIndented: $0) }
                    .first { item.entry.data["sha256"] == .string(Digest.sha256($0).hex) }
                let bytes = named ?? state.checkpointBytes()
                if named == nil {
                    fault = StoreError(
                        .damaged, "the checkpoint of entry \(engine.state.seq) does not follow from the ledger",
                        seq: item.entry.seq)
                }
                body(Projection(path: RunFolder.checkpoint(engine.state.seq), bytes: bytes))
            }
            do throws(EngineError) {
                try engine.replay(SealedEntry(entry: item.entry, digest: item.digest), byteCount: item.length)
            } catch {
                fault = StoreError(.damaged, error.message, seq: item.entry.seq)
            }
            for projection in receipts(of: item.entry) { body(projection) }
        }
        return Report(verdict: verdict, state: engine.state, fault: fault)
    }

    /// An accepted answer's bytes and its receipt.
    private func receipts(of entry: Entry) -> [Projection] {
        guard let content = AcceptedAnswer.content(of: entry), let receipt = Receipt(accepting: entry),
            let name = AcceptedName.of(entry)
        else { return [] }
        let path = RunFolder.inbox.appending("accepted")
        var projections = [Projection(path: path.appending(name + ".reason.json"), bytes: receipt.json)]
        switch content {
        case .inline(let bytes): projections.append(Projection(path: path.appending(name), bytes: bytes))
        case .artifact(let digest):
            if let bytes = try? tree.artifacts.get(digest, run: folder.run, limit: 256 << 20) {
                projections.append(Projection(path: path.appending(name), bytes: bytes))
            }
        }
        return projections
    }

    /// Writes what is missing or differs, `run.json` and waits aside.
    ///
    /// - Throws: what kept one of them from being written. The others are, but for checkpoints behind one that is missing:
    ///   whoever opens the run looks for the newest one, and would not see that another is owed.
    func restore() throws(StoreError) {
        var failure: StoreError?
        _ = try fold { projection in
            guard failure == nil || !projection.path.starts(with: RunFolder.checkpoints) else { return }
            do throws(StoreError) {
                try folder.projectIfChanged(projection.path, projection.bytes)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    // MARK: - All of them

    /// Every projection of a run, `run.json` and the waits at the end.
    ///
    /// - Parameter visit: sees each entry, in order.
    /// - Throws: what keeps the ledger from being read; damage is in the report.
    package func everything(
        visiting visit: (Entry) -> Void = { _ in }, _ body: (Projection) -> Void
    ) throws(StoreError) -> Report {
        let report = try fold(visiting: visit, body)
        for projection in report.state.projections { body(projection) }
        return report
    }
}

extension RunState {
    /// What a run shows of where it stands. `run.json` is the last, so that whoever sees a run wait also sees what it waits
    /// for.
    var projections: [Projection] {
        let waits = waits.map { key, wait in
            Projection(path: RunFolder.wait(key), bytes: WaitProjection.bytes(wait, run: id))
        }
        let snapshots = snapshots.map { name, snapshot in
            Projection(
                path: RunFolder.snapshot(name),
                bytes: SnapshotProjection.bytes(snapshot, run: id, workflow: definition.name))
        }
        return waits + snapshots + [Projection(path: RunFolder.glance, bytes: RunProjection.bytes(self))]
    }
}

/// The file name of an accepted answer.
enum AcceptedName {
    static func of(_ entry: Entry) -> String? {
        guard let key = entry.data["key"]?.stringValue, let file = entry.data["file"]?.stringValue,
            let component = FilePath.Component(file)
        else { return nil }
        return InboxReceipts.acceptedName(seq: entry.seq, key: key, file: component)
    }
}

extension Receipt {
    /// The receipt that an `ANSWER_ACCEPTED` entry stands for.
    init?(accepting entry: Entry) {
        guard entry.type == .answerAccepted else { return nil }
        self.init(entry, .accepted)
    }

    /// What an entry says of a file.
    init(_ entry: Entry, _ verdict: Verdict) {
        let data = entry.data
        self.init(
            file: data["file"]?.stringValue ?? "", sha256: data["sha256"]?.stringValue.flatMap(Digest.init(hex:)),
            size: data["size"]?.intValue ?? 0, verdict: verdict,
            kind: data["kind"]?.stringValue, message: data["message"]?.stringValue,
            userID: data["uid"]?.intValue.flatMap { UInt32(exactly: $0) }, user: data["user"]?.stringValue,
            signer: data["signer"]?.stringValue, at: entry.ts, seq: entry.seq)
    }
}
