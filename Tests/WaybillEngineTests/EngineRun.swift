import Synchronization
import Testing
import WaybillCore
import WaybillEngine
import WaybillExpressions
import WaybillManifests

/// A run made of YAML, without disk, clock or processes: stimuli go in, entries come out.
///
/// Every decision is checked on its way: each line parses back to its entry, times never go back, the chain holds.
struct EngineRun {
    static let start = Timestamp(rfc3339: "2026-11-20T10:00:00Z") ?? .earliest
    static let id = "w-20261120T100000-abcdef"

    let definition: RunDefinition
    let store = BlobShelf()
    private(set) var engine: RunEngine
    /// What the tests' clock says; an entry may have a later time.
    var now = EngineRun.start
    private(set) var entries: [Entry] = []
    private(set) var lines: [UInt8] = []
    /// The effects of the newest decision.
    private(set) var effects: [Effect] = []
    private(set) var checkpoints: [(seq: Int, bytes: [UInt8])] = []
    private(set) var hasMore = false
    /// Signs the head behind a decision with which the run comes to rest.
    var sign: HeadSigner = { _ in nil }
    /// Whether decisions that were cut short are gone on with at once.
    var goesOn = true
    private var shown = 0

    var state: RunState { engine.state }

    /// - Parameter yaml: documents of one file: a workflow named `w`, and policies or settings beside it.
    init(
        _ yaml: String, limits: EngineLimits = EngineLimits(), zones: any TimeZoneSource = UniversalTime()
    ) throws {
        let catalog = Catalog.load([SourceFile(path: "workflows/w.yaml", bytes: Array(yaml.utf8))]) { _ in true }
        let errors = catalog.diagnostics.filter { $0.level == .error }
        try #require(errors.isEmpty, "\(errors.map(\.text))")
        definition = RunDefinition(
            workflow: try #require(catalog.workflows["w"]), of: catalog, digest: Digest.sha256("index"), zones: zones)
        engine = RunEngine(
            definition: definition, state: RunState(definition: definition.workflow, genesis: definition.digest),
            payloads: store, limits: limits)
    }

    /// A run that was started and did all it can do at once.
    static func started(
        _ yaml: String, inputs: Object = Object(), limits: EngineLimits = EngineLimits()
    ) throws -> EngineRun {
        var run = try EngineRun(yaml, limits: limits)
        try run.begin(inputs: inputs)
        return run
    }

    mutating func begin(
        inputs: Object = Object(), labels: Object = Object(), diagnostics: [Diagnostic] = [], parent: Object? = nil,
        retry: Object = Object()
    ) throws {
        var start = RunStart(
            id: Self.id, commit: "c0ffee", inputs: inputs, trigger: ["type": "manual", "by": "alice"], actor: .user,
            by: "alice", labels: labels, diagnostics: diagnostics)
        start.parent = parent
        start.retry = retry
        try send(.start(start))
    }

    /// The run as it is, read back from its ledger.
    func reread() throws -> EngineRun { try past(entries.count) }

    /// The run as it was before its last entry of a type, with its ledger up to there.
    func before(_ type: EntryType) throws -> EngineRun {
        try past(try #require(entries.lastIndex { $0.type == type }))
    }

    private func past(_ count: Int) throws -> EngineRun {
        var past = self
        past.engine = RunEngine(
            definition: definition, state: RunState(definition: definition.workflow, genesis: definition.digest),
            payloads: store)
        past.entries = Array(entries[..<count])
        past.lines = []
        for entry in past.entries {
            let line = EntryCodec.line(entry)
            past.lines += line + [0x0A]
            try past.engine.replay(SealedEntry(entry: entry, digest: Digest.sha256(line)), byteCount: line.count + 1)
        }
        return past
    }
    /// Lets the tree's present policies apply.
    mutating func bind(_ policies: [PolicyDefinition]) { engine.runningPolicies = policies }

    // MARK: - Stimuli

    @discardableResult
    mutating func send(_ stimulus: Stimulus) throws -> Decision {
        let decision = try decide(stimulus)
        while hasMore, goesOn {
            let more = try decide(.resume)
            effects = decision.effects + more.effects
        }
        return decision
    }

    private mutating func decide(_ stimulus: Stimulus) throws -> Decision {
        let before = state.head
        let moment = Moment(now: now, boot: "boot-1")
        let decision = try engine.signed(try engine.handle(stimulus, at: moment), by: sign, at: moment)
        try check(decision, after: before)
        for blob in decision.blobs { store.put(blob) }
        entries += decision.entries.map(\.entry)
        lines += decision.lines
        effects = decision.effects
        for case .writeCheckpoint(let seq, let bytes) in decision.effects { checkpoints.append((seq, bytes)) }
        hasMore = decision.hasMore
        return decision
    }

    private func check(_ decision: Decision, after head: Digest) throws {
        let parts = decision.lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).map(Array.init)
        try #require(parts.count == decision.entries.count)
        var head = head
        var time = entries.last?.ts ?? .earliest
        for (line, sealed) in zip(parts, decision.entries) {
            #expect(try EntryCodec.parse(line) == sealed.entry)
            #expect(sealed.digest == Digest.sha256(line))
            #expect(sealed.entry.prev == head)
            #expect(sealed.entry.ts >= time)
            head = sealed.digest
            time = sealed.entry.ts
        }
        // A signature is a decision of its own, in the same write.
        let own = decision.entries.count - (decision.entries.last?.entry.type == .signed ? 1 : 0)
        #expect(decision.entries.first?.entry.of == (own > 1 ? own : nil))
        #expect(state.head == head)
    }

    /// The attempt that a step is in.
    func attempt(_ step: String) throws -> Attempt {
        try #require(state.outstandingAttempts.first { $0.reference.step == step }, "\(step) is not running")
    }

    mutating func end(
        _ step: String, _ outcome: AttemptResult.Outcome = .exited(0), _ output: AttemptResult.Output = .none,
        artifacts: [ArtifactRecord] = [], artifactProblem: String? = nil, secretProblem: String? = nil,
        after: Duration = .seconds(1)
    ) throws {
        let attempt = try attempt(step)
        now = now + after
        var result = AttemptResult(
            outcome: outcome, output: output, artifacts: artifacts, artifactProblem: artifactProblem,
            startedAt: now - after, endedAt: now)
        result.secretProblem = secretProblem
        try send(.attemptEnded(attempt.reference, result))
    }

    /// Ends an attempt with this on its standard output.
    mutating func end(_ step: String, printing text: String) throws {
        try end(step, .exited(0), .bytes(Array(text.utf8)))
    }

    mutating func lose(_ step: String) throws {
        try send(.attemptLost(try attempt(step).reference, reason: "gone"))
    }

    mutating func tick(after duration: Duration = .zero) throws {
        now = now + duration
        try send(.tick)
    }

    static func file(_ name: String, _ bytes: [UInt8], changedAt: Timestamp) -> InboxFile {
        InboxFile(
            name: AnswerName(file: name), content: .bytes(bytes), digest: Digest.sha256(bytes), size: bytes.count,
            uid: 1000, user: "bob", changedAt: changedAt)
    }

    mutating func drop(_ name: String, _ text: String = "", changedAt: Timestamp? = nil) throws {
        try send(.file(Self.file(name, Array(text.utf8), changedAt: changedAt ?? now)))
    }

    /// A file that was refused before its bytes were read.
    mutating func dropRefused(_ name: String, _ kind: RefusalKind, size: Int = 0) throws {
        let file = InboxFile(
            name: AnswerName(file: name), content: .refused(kind, "refused"), digest: nil, size: size, uid: 1000,
            user: nil, changedAt: now)
        try send(.file(file))
    }

    // MARK: - What came of it

    /// Everything since the last call, a line an entry (see `Entry.summary`), without checkpoints.
    mutating func news() -> [String] {
        defer { shown = entries.count }
        return entries[shown...].filter { $0.type != .checkpoint }.map(\.summary)
    }

    /// The addresses of the attempts that the newest decision starts.
    var launched: [String] {
        effects.compactMap { if case .launch(let attempt) = $0 { attempt.reference.step } else { nil } }
    }

    var settlement: Settlement? {
        effects.lazy.compactMap { if case .settle(let settlement) = $0 { settlement } else { nil } }.last
    }

    /// The argv of the attempt that a step is in.
    func argv(_ step: String) throws -> [String] {
        try attempt(step).intent["argv"]?.listValue?.compactMap(\.stringValue) ?? []
    }

    /// What `RUN_END` says was undone, stands and is final.
    var report: Value? { entries(.runEnd).last?.data["compensation"] }

    func entries(_ type: EntryType) -> [Entry] { entries.filter { $0.type == type } }

    func step(_ id: String) -> StepState? { state.instance(at: id).map { state[$0] } }

    func status(_ id: String) -> StepStatus? { step(id)?.status }

    /// A step's output as value.
    func output(_ id: String) -> Value? { step(id)?.output.flatMap(value) }

    /// The run's outputs.
    var outputs: Value? { state.outputs.flatMap(value) }

    func value(_ payload: Payload) -> Value? {
        switch payload {
        case .inline(let value): value
        case .artifact(let digest, _): store.payload(digest)
        case .sealed(let digest, _): Payload.opened(store.payload(digest))
        }
    }
}

/// Payloads in memory.
final class BlobShelf: PayloadSource {
    private let blobs = Mutex<[Digest: [UInt8]]>([:])
    private let count = Mutex(0)

    func put(_ blob: Blob) { blobs.withLock { $0[blob.digest] = blob.bytes } }
    func bytes(_ digest: Digest) -> [UInt8]? { blobs.withLock { $0[digest] } }
    func remove(_ digest: Digest) { blobs.withLock { $0[digest] = nil } }
    func payload(_ digest: Digest) -> Value? {
        count.withLock { $0 += 1 }
        return bytes(digest).flatMap { try? JSON.parse($0) }
    }
    /// How many payloads were asked for.
    var reads: Int { count.withLock { $0 } }
}

/// A workflow of steps, each a line in flow style.
func graph(_ steps: String..., also: String = "") -> String {
    "kind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined() + also
}

/// A workflow of states, each a line in flow style.
func machine(_ states: String..., also: String = "") -> String {
    "kind: Workflow\nname: w\nstates:\n" + states.map { "  \($0)\n" }.joined() + also
}
