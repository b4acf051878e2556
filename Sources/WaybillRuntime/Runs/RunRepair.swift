package import SystemPackage
package import WaybillCore
package import WaybillEngine
import WaybillPorts
package import WaybillStore

/// Finds out what is wrong with a run's ledger and what can be done about it, and does it when it is told to.
///
/// Nothing that was acknowledged is given up unless somebody accepts that in so many words, and the bytes as they were
/// are always kept.
package struct RunRepair {
    /// A head that is known beside the ledger.
    package struct KnownHead: Sendable, Hashable {
        package var seq: Int
        package var digest: Digest
        /// `the journal`, `run.json`, `checkpoints/17.json`.
        package var source: String
    }

    package enum Remedy: Sendable {
        case nothing
        /// The ledger is sound: what follows from it is written anew.
        case projections
        /// The end of a write that was never acknowledged is saved aside and cut.
        case cutTail(bytes: Int)
        /// Another file holds what is missing.
        case restore(pieces: [LedgerSurgery.Piece], head: LedgerHead, from: String)
        /// Only by giving up what is known to have been there: the run goes on from `head`.
        case loss(head: LedgerHead, lost: [KnownHead])
        /// The definition is not what it was: without it nothing can be judged.
        case none(String)
    }

    package struct Diagnosis: Sendable {
        package var verdict: LedgerVerdict?
        package var known: [KnownHead] = []
        package var remedy: Remedy
    }

    let tree: Tree
    let folder: RunFolder
    /// Another ledger of the run, such as a backup's: where it lies in the run's folder, and how people know it.
    let backup: (path: FilePath, name: String)?
    let definitions = DefinitionCache()

    package init(tree: Tree, folder: RunFolder, backup: (path: FilePath, name: String)? = nil) {
        self.tree = tree
        self.folder = folder
        self.backup = backup
    }

    private var run: RunID { folder.run }

    // MARK: - Looking

    /// Changes nothing, and takes no lock for longer than it looks.
    ///
    /// - Throws: `busy` while somebody works on the run.
    package func diagnose() throws(RuntimeError) -> Diagnosis {
        do {
            let surgery = try LedgerSurgery(folder)
            defer { surgery.close() }
            return try diagnose(surgery)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    private func diagnose(_ surgery: LedgerSurgery) throws -> Diagnosis {
        let genesis: Digest
        do {
            genesis = try tree.runs.definition(of: run).digest
        } catch {
            return Diagnosis(
                remedy: .none("\(error.message); put definition/ back from the commit it was taken from, or a backup"))
        }
        let start = LedgerHead.start(genesis: genesis)
        let known = knownHeads()
        let heads = Dictionary(known.map { ($0.seq, $0.digest) }, uniquingKeysWith: { first, _ in first })
        let whole = [LedgerSurgery.Piece(path: nil, length: nil)]
        let verdict = try surgery.verify(whole, from: start, knownHeads: heads)
        var diagnosis = Diagnosis(verdict: verdict, known: known, remedy: .nothing)
        switch verdict {
        case .whole: diagnosis.remedy = remedy(ofSound: genesis)
        case .torn(_, let bytes, _): diagnosis.remedy = .cutTail(bytes: bytes)
        case .damaged:
            // The longest part that is consistent in itself, whatever is known from elsewhere.
            let sound = try surgery.verify(whole, from: start, knownHeads: [:]).head
            if let restoration = try restoration(surgery, start, heads, sound) {
                diagnosis.remedy = restoration
            } else if sound.seq == 0 {
                diagnosis.remedy = .none("not even its first entry is left; a backup of ledger.jsonl (--from) helps")
            } else {
                diagnosis.remedy = .loss(head: sound, lost: try lost(known, surgery, start, sound))
            }
        }
        return diagnosis
    }

    private func remedy(ofSound genesis: Digest) -> Remedy {
        guard let definition = try? definitions.definition(of: run, in: tree) else {
            return .none("the frozen workflow cannot be read by this version")
        }
        let rebuild = RunRebuild(tree: tree, folder: folder, definition: definition.workflow, genesis: genesis)
        guard let report = try? rebuild.fold({ _ in }) else { return .none("the ledger cannot be read") }
        if let fault = report.fault {
            return .none("the chain holds, and \(fault.message) (entry \(fault.seq ?? 0)): another version wrote it")
        }
        let glance = (try? folder.read(RunFolder.glance, limit: 64 << 20)).flatMap { $0 }
        return glance == RunProjection.bytes(report.state) ? .nothing : .projections
    }

    /// The journal's, `run.json`'s, and those of the checkpoints, in this order of trust.
    private func knownHeads() -> [KnownHead] {
        var known: [KnownHead] = []
        if let end = try? tree.journal.run(run, following: true)?.ended {
            known.append(KnownHead(seq: end.headSeq, digest: end.head, source: "the journal"))
        }
        if let glance = value(RunFolder.glance), glance["durability"]?.stringValue != "relaxed",
            let seq = glance["ledger"]?["seq"]?.intValue, seq > 0,
            let head = glance["ledger"]?["head"]?.stringValue.flatMap(Digest.init(hex:))
        {
            known.append(KnownHead(seq: Int(seq), digest: head, source: "run.json"))
        }
        return known
    }

    private func value(_ path: FilePath) -> Value? {
        guard let bytes = try? folder.read(path, limit: 64 << 20) else { return nil }
        return try? JSON.parse(bytes)
    }

    // MARK: - What would help

    /// A file beside the ledger, or the backup, with which all that is known is there again; the longest of them.
    private func restoration(
        _ surgery: LedgerSurgery, _ start: LedgerHead, _ heads: [Int: Digest], _ sound: LedgerHead
    ) throws -> Remedy? {
        var known = heads
        // What verifies now stays what it is.
        if sound.seq > 0, heads[sound.seq] == nil, !heads.keys.contains(where: { $0 <= sound.seq }) {
            known[sound.seq] = sound.digest
        }
        var best: (pieces: [LedgerSurgery.Piece], head: LedgerHead, from: String)?
        for (name, pieces) in try candidates(sound) {
            let verdict = try? surgery.verify(pieces, from: start, knownHeads: known)
            guard case .whole(let head)? = verdict, head.seq > best?.head.seq ?? 0 else { continue }
            best = (pieces, head, name)
        }
        return best.map { .restore(pieces: $0.pieces, head: $0.head, from: $0.from) }
    }

    private func candidates(_ sound: LedgerHead) throws -> [(String, [LedgerSurgery.Piece])] {
        var candidates: [(String, [LedgerSurgery.Piece])] = []
        if let backup { candidates.append((backup.name, [LedgerSurgery.Piece(path: backup.path, length: nil)])) }
        for name in try folder.names(in: FilePath()) where name.hasPrefix("ledger.") && name != RunFolder.ledger.string
        {
            let path = FilePath(name)
            // A whole copy, or the tail that was cut once.
            candidates.append((name, [LedgerSurgery.Piece(path: path, length: nil)]))
            let pieces = [
                LedgerSurgery.Piece(path: nil, length: sound.length), LedgerSurgery.Piece(path: path, length: nil),
            ]
            candidates.append((name, pieces))
        }
        for number in try folder.names(in: "damaged") {
            let path = FilePath("damaged").appending(number).appending(RunFolder.ledger.components)
            candidates.append((path.string, [LedgerSurgery.Piece(path: path, length: nil)]))
        }
        return candidates
    }

    /// The known heads that the sound part does not hold.
    private func lost(
        _ known: [KnownHead], _ surgery: LedgerSurgery, _ start: LedgerHead, _ sound: LedgerHead
    ) throws -> [KnownHead] {
        try known.filter { head in
            let part = [LedgerSurgery.Piece(path: nil, length: sound.length)]
            guard case .whole = try surgery.verify(part, from: start, knownHeads: [head.seq: head.digest]) else {
                return true
            }
            return false
        }
    }

    // MARK: - Doing it

    /// What was done.
    package struct Outcome: Sendable {
        package var status: RunStatus
        package var head: LedgerHead
        /// Where the old bytes are, relative to the run's folder.
        package var evidence: FilePath?
    }

    /// Does what the diagnosis calls for.
    ///
    /// - Parameter acceptsLoss: whether what is known to have been there may be given up.
    /// - Throws: `busy`; `quarantined` where nothing may be done, and then nothing was.
    package func repair(acceptsLoss: Bool, by user: String) throws(RuntimeError) -> Outcome {
        do {
            let surgery = try LedgerSurgery(folder)
            var isOpen = true
            defer { if isOpen { surgery.close() } }
            var note: EntryDraft?
            var evidence: FilePath?
            switch try diagnose(surgery).remedy {
            case .nothing, .projections, .cutTail: break
            case .none(let reason): throw RuntimeError(.quarantined, reason)
            case .restore(let pieces, let head, let from):
                evidence = try keepEvidence(surgery, head)
                note = draft("restored", head, evidence, user, ["from": .string(from)])
                try record(note, head)
                try surgery.replace(with: pieces)
            case .loss(let head, let lost):
                guard acceptsLoss else {
                    throw RuntimeError(.quarantined, "what is known to have been there is gone; nothing was changed")
                }
                evidence = try keepEvidence(surgery, head)
                let heads = lost.map { head -> Value in
                    [
                        "seq": .int(Int64(head.seq)), "head": .string(head.digest.hex),
                        "source": .string(head.source),
                    ]
                }
                note = draft("loss", head, evidence, user, ["lost": .list(heads)])
                try record(note, head)
                try surgery.replace(with: [LedgerSurgery.Piece(path: nil, length: head.length)])
            }
            surgery.close()
            isOpen = false
            var outcome = try takeUp(note)
            outcome.evidence = evidence
            return outcome
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    private func keepEvidence(_ surgery: LedgerSurgery, _ head: LedgerHead) throws -> FilePath {
        try surgery.keepEvidence(after: head.seq, checkpoints: try tree.checkpoints.numbers(run: run))
    }

    private func draft(
        _ kind: String, _ head: LedgerHead, _ evidence: FilePath?, _ user: String, _ more: Object
    ) -> EntryDraft {
        var data: Object = [
            "kind": .string(kind), "seq": .int(Int64(head.seq)), "head": .string(head.digest.hex),
        ]
        data["evidence"] = evidence.map { .string($0.string) }
        for (name, value) in more { data[name] = value }
        return EntryDraft(.repaired, actor: .user, by: user, data: data)
    }

    /// In the journal first: what it knows of the run's end must not speak against the ledger that comes.
    private func record(_ note: EntryDraft?, _ head: LedgerHead) throws(StoreError) {
        guard var data = note?.data else { return }
        data["run"] = .string(run.text)
        try tree.journal.append(
            [EntryDraft(.runRepaired, actor: .user, by: note?.by, data: data)], at: tree.clock.now())
    }

    /// Opens the run as any owner would, says in its ledger what was done, and writes what follows from it.
    private func takeUp(_ note: EntryDraft?) throws(RuntimeError) -> Outcome {
        let session = try RunSession(run, tree: tree, definitions: definitions, verifiesWhole: true)
        defer { session.close() }
        // Behind its end nothing but signatures and erasures follows; there the journal alone says it.
        if let note, !session.state.phase.isEnded {
            _ = try session.note(note)
            // What was lost has it paused; nothing else comes of this.
            _ = try session.handle(.resume)
        }
        try session.restoreProjections()
        if note != nil, session.state.phase.isEnded { try RunStarter.recordEnd(of: session.state, in: tree) }
        return Outcome(status: session.state.status, head: session.state.ledgerHead)
    }
}
