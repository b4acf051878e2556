import SystemPackage
package import WaybillCore
package import WaybillEngine
import WaybillExpressions
package import WaybillManifests
import WaybillPorts
import WaybillStore

/// A run that a request led to.
package struct StartedRun: Sendable {
    package var run: RunID
    /// False if the same request had started it before.
    package var isNew: Bool { made != nil }
    /// What a new one was made as. Its first decision's checkpoint is there; everything else that follows from that is for
    /// whoever opens it.
    var made: MadeRun?
}

/// A run as its first decision left it, open: nobody else can have had it. The state is kept apart, because it is large:
/// every lane's stack would be deeper by 24 KiB with room for it in each call.
final class MadeRun: Sendable {
    let state: RunState
    let definition: RunDefinition
    let folder: RunFolder
    /// Its lock goes with the last that has this, or when it is closed.
    let ledger: any Ledger

    init(_ state: RunState, _ definition: RunDefinition, _ folder: RunFolder, _ ledger: any Ledger) {
        self.state = state
        self.definition = definition
        self.folder = folder
        self.ledger = ledger
    }
}

extension LedgerStore {
    /// Takes over the ledger of a run that was made just now as this state has it.
    func take(_ ledger: NewLedger, of run: RunID, upTo state: RunState) -> any Ledger {
        take(ledger, of: run, upTo: state.ledgerHead, durability: state.definition.ledgerDurability)
    }
}

extension RunFolders {
    /// Makes a run's folder of its first decision, with all that it shows of the state behind that.
    func create(
        _ run: RunID, _ frozen: FrozenDefinition, _ decision: Decision, _ state: RunState,
        preparing: @escaping @Sendable () throws(FileSystemError) -> Void = {}
    ) throws(StoreError) -> NewRun? {
        var projections = state.projections
        for case .writeCheckpoint(let seq, let bytes) in decision.effects {
            projections.append(Projection(path: RunFolder.checkpoint(seq), bytes: bytes))
        }
        return try create(
            run, definition: frozen, lines: decision.lines, blobs: decision.blobs.map(\.bytes),
            projections: projections, preparing: preparing)
    }
}

/// Starts runs: checks the request, freezes the definition, and makes the folder by one rename.
package struct RunStarter: Sendable {
    private let tree: Tree
    private let sources: SourceTree
    private let limits: EngineLimits
    private let definitions: DefinitionCache

    /// - Parameter definitions: remembers what was compiled for another start.
    package init(
        tree: Tree, sources: SourceTree, limits: EngineLimits = EngineLimits(),
        definitions: DefinitionCache? = nil
    ) {
        self.tree = tree
        self.sources = sources
        self.limits = limits
        self.definitions = definitions ?? DefinitionCache(manifests: sources.manifests)
    }

    /// Starts a run, or finds the one that the same request started before. When this returns, the start is durable.
    ///
    /// - Parameters:
    ///   - random: tells apart runs of one workflow that start in the same second.
    ///   - journalSeq: the journal's last entry when the request came: the run hears of events from there on. Nil: as it
    ///     is now.
    /// - Throws: `unknownWorkflow`, `invalidManifest`, `invalidInputs`, `conflict` where the id is taken by other
    ///   inputs or was used and pruned, `policy`, `skipped`, `storage`. Nothing was started then.
    package func start(
        _ request: StartRequest, random: UInt64 = .random(in: 0 ... .max), after journalSeq: Int? = nil
    ) throws(RuntimeError) -> StartedRun {
        let started = try start(request, random: random, after: journalSeq, preparing: {})
        // Whoever goes on with it opens it.
        started.made?.ledger.close()
        return started
    }

    /// As above, and leaves a new run open.
    ///
    /// - Parameter preparing: makes durable what has to be before there is a run.
    func start(
        _ request: StartRequest, random: UInt64 = .random(in: 0 ... .max), after journalSeq: Int?,
        preparing: @escaping @Sendable () throws(FileSystemError) -> Void
    ) throws(RuntimeError) -> StartedRun {
        let workflow = try workflow(request.workflow)
        try tree.signing.use(sources.catalog.settings)
        let inputs = try Self.check(request.inputs, of: workflow)
        let retry = try Self.check(retry: request.retry, of: workflow)
        let now = tree.clock.now()
        let run = request.id.flatMap(RunID.init) ?? RunID.make(workflow: workflow.name, at: now, random: random)
        let digest = RunStart.digest(workflow: workflow.name, inputs: inputs)
        if let known = try known(run, digest) { return known }
        let frozen = try sources.freeze(workflow) { tree.git.commit(of: $0, in: tree) }
        let definition = try definitions.definition(frozen, run, zones: tree.zones)
        var engine = RunEngine(
            definition: definition, state: RunState(definition: definition.workflow, genesis: frozen.digest),
            payloads: RunPayloads(tree: tree, run: run), limits: limits)
        var start = RunStart(
            id: run.text, commit: frozen.commit, inputs: inputs, trigger: trigger(of: request), actor: .user,
            by: request.by ?? tree.user, labels: request.labels, diagnostics: warnings(about: workflow))
        start.retry = retry.source
        start.starter = Answerer(
            uid: Int(request.userID ?? Accounts.ownUserID), user: request.userID == nil ? tree.user : request.by)
        if let denial = engine.admission(of: start, at: now).denial { throw RuntimeError(denial: denial) }
        start.group = try RunGroups(tree: tree).join(definition.workflow, start, now: now)
        do {
            // What other processes have written was read when the id was looked up.
            start.journalSeq = try journalSeq ?? tree.events.lastSeq(following: false)
            let moment = Moment(now: now, boot: tree.boot)
            let decision = try engine.signed(
                try engine.handle(.start(start), at: moment), by: tree.signing.sign, at: moment)
            // The effects are carried out by whoever opens the run: they follow from the state.
            let (tree, state) = (tree, engine.state)
            let new = try RunGroups(tree: tree).make(state) { () throws(StoreError) in
                try tree.runs.create(run, frozen, decision, state, preparing: preparing)
            }
            guard let new else { return try existing(run, digest) }
            let ledger = tree.ledgers.take(new.ledger, of: run, upTo: state)
            try Self.recordStart(ofNew: state, in: tree)
            return StartedRun(run: run, made: MadeRun(state, definition, new.folder, ledger))
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    private func trigger(of request: StartRequest) -> Object {
        ["type": .string(request.trigger), "by": .string(request.by ?? tree.user)]
    }

    private func warnings(about workflow: WorkflowDefinition) -> [Diagnostic] {
        sources.catalog.diagnostics.filter { $0.place?.file == workflow.sourcePath && $0.level == .warning }
    }

    // MARK: - Checks

    private func workflow(_ name: String) throws(RuntimeError) -> WorkflowDefinition {
        let rules = sources.catalog.brokenRules
        guard rules.isEmpty else {
            let files = rules.sorted().joined(separator: ", ")
            throw RuntimeError(
                .invalidManifest,
                "nothing starts while policies or settings have mistakes (\(files)); `waybill validate` lists them",
                diagnostics: sources.catalog.diagnostics.filter {
                    $0.level == .error && rules.contains($0.place?.file ?? "")
                })
        }
        if let workflow = sources.catalog.workflows[name] { return workflow }
        let broken = sources.catalog.diagnostics.filter { $0.level == .error }
        if sources.catalog.setAside.contains(name) {
            throw RuntimeError(
                .invalidManifest, "the workflow '\(name)' has mistakes; `waybill validate` lists them",
                diagnostics: broken)
        }
        let names = sources.catalog.workflows.keys
        let hint = Suggestion.hint(for: name, among: names).map { "; \($0)" } ?? ""
        let known =
            names.isEmpty ? "there is none under workflows/" : Suggestion.list(names.sorted())
        throw RuntimeError(.unknownWorkflow, "there is no workflow '\(name)'\(hint) (\(known))", diagnostics: broken)
    }

    /// Fills in defaults, and checks every input against its schema.
    package static func check(
        _ given: Object, of workflow: WorkflowDefinition
    ) throws(RuntimeError) -> Object {
        do throws(GivenInputs.Problems) {
            return try GivenInputs.check(given, against: workflow.inputs, of: workflow.name)
        } catch {
            throw RuntimeError(.invalidInputs, "the inputs do not fit: " + error.messages.joined(separator: "; "))
        }
    }

    /// Reads the `retry` of a request as a manifest's.
    package static func check(
        retry given: Object, of workflow: WorkflowDefinition
    ) throws(RuntimeError) -> RetryOverride {
        guard !given.isEmpty else { return RetryOverride() }
        do throws(RetryOverride.Problems) {
            return try RetryOverride(.object(given), for: workflow)
        } catch {
            throw RuntimeError(.invalidInputs, "retry: " + error.messages.joined(separator: "; "))
        }
    }

    // MARK: - Ids

    /// The run that has this id already, if it is the same one.
    private func known(_ run: RunID, _ digest: Digest) throws(RuntimeError) -> StartedRun? {
        do {
            if let entry = try tree.journal.run(run, following: true) {
                guard entry.inputs == digest, !entry.isPruned else { throw conflict(run, isPruned: entry.isPruned) }
                if try tree.runs.open(run) != nil { return StartedRun(run: run) }
                throw RuntimeError(.conflict, "the id \(run) was used by a run whose folder is gone")
            }
            return try tree.runs.open(run) == nil ? nil : existing(run, digest)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    /// A run that is there and not in the journal: its starter was interrupted, or is a moment ahead of us.
    private func existing(_ run: RunID, _ digest: Digest) throws(RuntimeError) -> StartedRun {
        let isSame = try Self.adopt(run, digest, in: tree) { sources.catalog.workflows[$0]?.concurrency }
        guard isSame else { throw conflict(run, isPruned: false) }
        return StartedRun(run: run)
    }

    /// Sees to it that a run whose folder is there is durable and in the journal: whoever made it may have been stopped
    /// before.
    ///
    /// - Returns: false if it is not the run with this digest.
    static func adopt(
        _ run: RunID, _ digest: Digest, in tree: Tree, concurrency: (_ workflow: String) -> ConcurrencyDefinition?
    ) throws(RuntimeError) -> Bool {
        guard let first = try Self.firstEntry(of: run, in: tree),
            first.data["startDigest"] == .string(digest.hex)
        else { return false }
        do throws(FileSystemError) {
            try tree.runsDirectory.synchronize()
        } catch {
            throw RuntimeError(StoreError(error))
        }
        let workflow = first.data["workflow"]?.stringValue ?? ""
        try record(
            startDraft(
                run, workflow: workflow, digest, first.data["trigger"] ?? .null,
                group: first.data["group"]?.stringValue, concurrency(workflow)),
            of: run, in: tree)
        return true
    }

    private func conflict(_ run: RunID, isPruned: Bool) -> RuntimeError {
        RuntimeError(
            .conflict,
            isPruned
                ? "the id \(run) was used by a run that was pruned; an id never starts twice"
                : "the id \(run) is taken by a run with another workflow or other inputs")
    }

    static func firstEntry(of run: RunID, in tree: Tree) throws(RuntimeError) -> Entry? {
        do throws(StoreError) {
            let frozen = try tree.runs.definition(of: run)
            var first: Entry?
            _ = try tree.ledgers.scan(run, from: .start(genesis: frozen.digest), knownHeads: [:]) { item in
                if item.entry.seq == 1 { first = item.entry }
            }
            return first
        } catch {
            throw RuntimeError(error)
        }
    }

    // MARK: - Journal

    /// The same for a run that was made just now: that its folder's name is durable was a part of making it.
    static func recordStart(ofNew state: RunState, in tree: Tree) throws(RuntimeError) {
        guard let run = RunID(state.id) else { return }
        try record(startDraft(of: state), of: run, in: tree)
    }

    /// Notes in the journal that a run started; nothing happens if it says so already.
    ///
    /// Whoever made the run's folder may have been killed before the folder's name was durable, so it is made durable
    /// first: neither the journal nor the world may know of a run that a power loss can take back.
    static func recordStart(of state: RunState, in tree: Tree) throws(RuntimeError) {
        guard let run = RunID(state.id) else { return }
        do {
            if try tree.journal.query(following: true, { ($0.runs[run]?.started ?? 0) > 0 }) { return }
            try tree.runsDirectory.synchronize()
        } catch {
            throw RuntimeError(wrapping: error)
        }
        try record(startDraft(of: state), of: run, in: tree)
    }

    private static func record(
        _ draft: @escaping @Sendable (JournalIndex) -> [EntryDraft], of run: RunID, in tree: Tree
    ) throws(RuntimeError) {
        try decide(in: tree) { $0.runs[run].map { $0.started == 0 } ?? true ? draft($0) : [] }
    }

    /// Makes of what the journal says the entry about a run's start.
    static func startDraft(of state: RunState) -> @Sendable (JournalIndex) -> [EntryDraft] {
        guard let run = RunID(state.id), let digest = Digest(hex: state.startDigest) else { return { _ in [] } }
        return startDraft(
            run, workflow: state.definition.name, digest, state.trigger, group: state.group,
            state.definition.concurrency)
    }

    private static func startDraft(
        _ run: RunID, workflow: String, _ digest: Digest, _ trigger: Value, group: String?,
        _ concurrency: ConcurrencyDefinition?
    ) -> @Sendable (JournalIndex) -> [EntryDraft] {
        let limit = concurrency?.limit ?? 1
        let endsOldest = concurrency?.onLimit == .cancelOldest
        return { index in
            // Each start ends one run, so that none is told twice: the one that is as many places ahead as there are.
            let members = group.flatMap { index.groups[$0] } ?? []
            let isCrowded = endsOldest && members.count >= limit && limit > 0
            return [
                EntryDraft.runStarted(
                    run, workflow: workflow, inputs: digest, trigger: trigger, group: group.map { ($0, limit) },
                    cancels: isCrowded ? members[members.count - limit] : Optional.none)
            ]
        }
    }

    /// Notes in the journal that a run ended, with its final head.
    static func recordEnd(of state: RunState, in tree: Tree) throws(RuntimeError) {
        guard let run = RunID(state.id) else { return }
        let draft = EntryDraft.runEnded(run, status: state.status.rawValue, head: state.ledgerHead)
        // Nearly always the start is there, and one turn at the journal is enough.
        let entries = try decide(in: tree) { index in
            guard let known = index.runs[run], known.started > 0 else { return [] }
            return known.ended == nil ? [draft] : []
        }
        guard entries.isEmpty else { return }
        try recordStart(of: state, in: tree)
        try decide(in: tree) { $0.runs[run]?.ended == nil ? [draft] : [] }
    }

    /// Notes in the journal that a start was refused that came as no file.
    package static func recordRefusal(
        of request: StartRequest, _ error: RuntimeError, actor: Actor = .user, in tree: Tree
    ) throws(RuntimeError) {
        var data: Object = [
            "workflow": .string(request.workflow), "kind": .string(error.code.rawValue),
            "message": .string(error.message),
        ]
        data["run"] = request.id.map(Value.string)
        data["verdict"] = error.verdict.map(Value.object)
        let draft = EntryDraft(.startRefused, actor: actor, by: request.by ?? tree.user, data: data)
        try decide(in: tree) { _ in [draft] }
    }

    @discardableResult
    private static func decide(
        in tree: Tree, _ body: @escaping @Sendable (JournalIndex) -> [EntryDraft]
    ) throws(RuntimeError) -> [Entry] {
        do throws(StoreError) {
            return try tree.journal.decide(at: tree.clock.now(), body)
        } catch {
            throw RuntimeError(error)
        }
    }
}
