import SystemPackage
import WaybillCore
package import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// One run, opened for work: its ledger locked, its state folded, its projections kept up.
///
/// It is used by one lane at a time. When storing fails nothing of the decision counts, and the session is over: it is
/// closed, and opened again from the disk when the disk is better.
final class RunSession {
    let tree: Tree
    let run: RunID
    let folder: RunFolder
    let host: AttemptHost
    let door: InboxDoor
    let receipts: InboxReceipts
    private let ledger: any Ledger
    private let definitions: DefinitionCache
    private(set) var engine: RunEngine
    private var projector: RunProjector
    /// Is told every decision once it is durable.
    private let onDecision: (Decision, LedgerHead) -> Void
    /// Checkpoint files that were passed over because they are not what the ledger says.
    let rejectedCheckpoints: [Int]

    /// Keys of open waits for events; some of them may be closed.
    private(set) var eventWaits: Set<String>
    /// Whether an event counts or not depends on the moment at which a wait opens.
    private let waitsForLaterEvents: Bool

    /// Whether `vars` have changed since somebody asked.
    private var hasNewVars = false

    /// Whether the disk refused a checkpoint that the ledger names.
    private(set) var isCheckpointUnwritten = false

    /// How often the policies had changed when this session took them.
    private var policyChanges: Int?

    /// The answers that the last stimulus was accepted with.
    private var accepted: [Entry] = []

    var state: RunState { engine.state }

    func acceptedEntry(_ seq: Int) -> Entry? { accepted.first { $0.seq == seq } }

    /// Whether `vars` have changed since this was asked last.
    func takeNewsOfVars() -> Bool {
        defer { hasNewVars = false }
        return hasNewVars
    }

    /// Opens a run.
    ///
    /// - Parameters:
    ///   - left: the end of the ledger when this process closed it last.
    ///   - madeAs: what this process made the run as just now, and has had in hand since.
    /// - Throws: `busy` with the owner when another process works on it, `quarantined` with the entry's number when the
    ///   ledger is not what it should be, `unknownRun`.
    init(
        _ run: RunID, tree: Tree, definitions: DefinitionCache, limits: EngineLimits = EngineLimits(),
        uncountedRejections: Int = 0, verifiesWhole: Bool = false, left: LedgerHead? = nil,
        madeAs: MadeRun? = nil, onDecision: @escaping (Decision, LedgerHead) -> Void = { _, _ in }
    ) throws(RuntimeError) {
        var rejected: [Int] = []
        self.onDecision = onDecision
        var folder: RunFolder
        let definition: RunDefinition
        if let madeAs {
            (folder, definition) = (madeAs.folder, madeAs.definition)
        } else {
            folder = try Self.folder(of: run, in: tree)
            definition = try definitions.definition(of: folder, in: tree)
        }
        // What the group cannot be given keeps no run from going on; `doctor` says what is wrong.
        if let access = TreeAccess(definition.settings.accessGroup) {
            try? access.open(run, in: tree.runsDirectory)
            folder = try Self.folder(of: run, in: tree)
        }
        self.folder = folder
        do throws(StoreError) {
            let loader = RunLoader(
                tree: tree, run: run, folder: folder, definition: definition, limits: limits,
                uncountedRejections: uncountedRejections, verifiesWhole: verifiesWhole, left: left, madeAs: madeAs)
            (ledger, engine) = try loader.open { rejected.append($0) }
            let inbox = try Self.inbox(of: folder)
            door = tree.door(to: inbox, keeper: (try? folder.directory.status(RunFolder.inbox))?.userID)
            receipts = InboxReceipts(inbox)
            projector = RunProjector(tree: tree, folder: folder)
        } catch {
            throw RuntimeError(error)
        }
        self.tree = tree
        self.run = run
        eventWaits = Set(engine.state.waits.values.filter { $0.event != nil }.map(\.key))
        waitsForLaterEvents = definition.workflow.waitsForLaterEvents
        self.definitions = definitions
        host = AttemptHost(tree: tree, run: run, folder: folder, definition: definition)
        rejectedCheckpoints = rejected
    }

    private static func folder(of run: RunID, in tree: Tree) throws(RuntimeError) -> RunFolder {
        do throws(StoreError) {
            guard let folder = try tree.runs.open(run) else { throw StoreError(.missing, "there is no run \(run)") }
            return folder
        } catch {
            throw RuntimeError(error)
        }
    }

    private static func inbox(of folder: RunFolder) throws(StoreError) -> any Directory {
        do throws(FileSystemError) {
            if let inbox = try folder.directory.openDirectory(RunFolder.inbox) { return inbox }
            _ = try folder.directory.createDirectory(RunFolder.inbox, permissions: Permissions.folder)
            if let inbox = try folder.directory.openDirectory(RunFolder.inbox) { return inbox }
        } catch {
            throw StoreError(error)
        }
        throw StoreError(.missing, "run \(folder.run) has no inbox")
    }

    /// Decides upon a stimulus and makes the decision durable.
    ///
    /// - Returns: what is left to be done outside. Checkpoints and projections are taken care of.
    /// - Throws: `storage`, after which the session must be closed; `internal` where the stimulus does not fit.
    func handle(_ stimulus: Stimulus) throws(RuntimeError) -> [Effect] {
        var effects: [Effect] = []
        accepted = []
        var next: Stimulus? = stimulus
        while let stimulus = next {
            let decision = try decide(stimulus)
            next = decision.hasMore ? .resume : nil
            for effect in decision.effects {
                if case .writeCheckpoint(let seq, let bytes) = effect {
                    // Whoever opens the run next looks for the newest one only: none is written behind one that is missing.
                    guard !isCheckpointUnwritten else { continue }
                    // A checkpoint that cannot be written keeps nothing from going on; it is made again at the next rest.
                    do throws(StoreError) {
                        _ = try tree.checkpoints.write(bytes, run: run, seq: seq)
                    } catch {
                        isCheckpointUnwritten = true
                    }
                } else {
                    effects.append(effect)
                }
            }
            if !decision.entries.isEmpty {
                for sealed in decision.entries { note(sealed.entry) }
                onDecision(decision, engine.state.ledgerHead)
                projector.note()
                // The opening of a wait must not be late: people look for its file.
                if !decision.hasMore, isAtRest { project() }
            }
        }
        return effects
    }

    private func decide(_ stimulus: Stimulus) throws(RuntimeError) -> Decision {
        // What happened outside happened: it must be known, also where the disk has no room for anything else.
        let isOutcome = if case .attemptEnded = stimulus { true } else { false }
        return try commit(isOutcome: isOutcome) { (engine, moment) throws(EngineError) in
            try engine.handle(stimulus, at: moment)
        }
    }

    /// Makes a decision, signs its head where the run comes to rest, and makes both durable.
    private func commit(
        isOutcome: Bool = false, _ decide: (inout RunEngine, Moment) throws(EngineError) -> Decision
    ) throws(RuntimeError) -> Decision {
        var moment = Moment(now: tree.clock.now(), boot: tree.boot, salt: Salts.next())
        if waitsForLaterEvents { moment.journalSeq = try journalSeq() }
        let decision: Decision
        do throws(EngineError) {
            updatePolicies()
            decision = try engine.signed(try decide(&engine, moment), by: tree.signing.sign, at: moment)
        } catch {
            throw RuntimeError(.internal, error.message)
        }
        guard !decision.lines.isEmpty else { return decision }
        do throws(StoreError) {
            try isOutcome ? tree.reserve.lend { () throws(StoreError) in try write(decision) } : write(decision)
        } catch {
            throw RuntimeError(error)
        }
        return decision
    }

    /// Every decision is made under the policies of the moment, and all lanes ask for them.
    private func updatePolicies() {
        let changes = definitions.policyChanges
        guard changes != policyChanges else { return }
        policyChanges = changes
        engine.runningPolicies = definitions.running
    }

    private func write(_ decision: Decision) throws(StoreError) {
        _ = try tree.artifacts.put(decision.blobs.map { .bytes($0.bytes) }, run: run)
        try ledger.append(lines: decision.lines, upTo: engine.state.ledgerHead)
    }

    /// Records what was done to the run from outside, and brings the projections up to it.
    func note(_ draft: EntryDraft) throws(RuntimeError) -> Entry? {
        let decision = try commit { (engine, moment) throws(EngineError) in try engine.record(draft, at: moment) }
        projector.note()
        project()
        return decision.entries.first?.entry
    }

    /// The journal's last entry, whoever wrote it.
    private func journalSeq() throws(RuntimeError) -> Int {
        do throws(StoreError) {
            return try tree.events.lastSeq(following: true)
        } catch {
            throw RuntimeError(error)
        }
    }

    private func note(_ entry: Entry) {
        switch entry.type {
        case .taskEnd: hasNewVars = hasNewVars || entry.data["update"] != nil
        case .answerAccepted: accepted.append(entry)
        case .taskWaiting:
            if entry.data["event"] != nil, let key = entry.data["key"]?.stringValue { eventWaits.insert(key) }
        case .taskResumed: if let key = entry.data["key"]?.stringValue { eventWaits.remove(key) }
        default: break
        }
    }

    // MARK: - Projections

    /// When the projections should be written, if they are behind the ledger.
    func projectionsDue(now: Timestamp) -> Timestamp? { projector.dueAt(state, now: now) }

    private var isAtRest: Bool { engine.state.phase != .running || engine.state.outstanding.isEmpty }

    /// Whether they are up to date then.
    @discardableResult
    func project() -> Bool { projector.write(engine.state, now: tree.clock.now()) }

    /// Everything that follows from the ledger is there: the run was made with it.
    func noteNew() { projector.noteNew(state) }

    /// Makes everything that follows from the ledger look the way it should, also what was deleted or changed.
    ///
    /// - Parameter isUncertain: whether every file may be wrong, not only those that are likely to be.
    /// - Throws: where it is uncertain, and stays so.
    func restoreProjections(isUncertain: Bool = false) throws(RuntimeError) {
        if !projector.restore(engine.state, missingCheckpoint: !isUncertain && isCheckpointMissing) {
            isCheckpointUnwritten = true
        }
        guard isUncertain else { return }
        do throws(StoreError) {
            try restoreReceipts()
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Writes the checkpoints that the disk refused when they were due.
    func completeCheckpoints() throws(RuntimeError) {
        guard isCheckpointUnwritten else { return }
        do throws(StoreError) {
            try restoreReceipts()
        } catch {
            throw RuntimeError(error)
        }
        isCheckpointUnwritten = false
    }

    /// Makes `accepted/`, artifacts and checkpoints anew from the ledger.
    func restoreReceipts() throws(StoreError) {
        try RunRebuild(tree: tree, folder: folder, definition: state.definition, genesis: state.definitionDigest)
            .restore()
    }

    private var isCheckpointMissing: Bool {
        guard state.checkpoint.seq > 0 else { return false }
        let present = (try? tree.checkpoints.numbers(run: run)) ?? []
        return !present.contains(state.checkpoint.seq) || !rejectedCheckpoints.isEmpty
    }

    /// Makes the folders of the inbox while nobody waits for them. What fails here is done again by the claim, which says
    /// so. `accepted/` that somebody took away after an answer is not made again, or nobody would see that it was.
    func prepareForAnswers() {
        guard (try? door.prepare()) == true else { return }
        try? receipts.prepare()
    }

    func close() { ledger.close() }
}

/// Salts that nobody can guess, and of which none tells anything of another.
///
/// They are digests of one secret of the process and a number: a draw from the kernel for each costs 4 calls, and few are
/// ever used.
private enum Salts {
    private static let secret: [UInt8] = {
        var random = SystemRandomNumberGenerator()
        return (0..<4).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
    }()
    private static let count = SharedCounter()

    static func next() -> Digest { Digest.sha256(secret + withUnsafeBytes(of: count.increment()) { Array($0) }) }
}

extension RunState {
    /// The end of the ledger as the store names it.
    package var ledgerHead: LedgerHead {
        seq == 0
            ? .start(genesis: definitionDigest)
            : LedgerHead(seq: seq, digest: head, ts: lastTimestamp, length: ledgerBytes)
    }
}
