package import WaybillCore
package import WaybillManifests

/// The run as a state machine: one stimulus in, one decision out. It reads no clock, no disk and no environment.
///
/// Every entry is applied to the state by the fold that also replays ledgers, so live and replayed runs cannot differ.
package struct RunEngine: Sendable {
    package internal(set) var state: RunState
    package let definition: RunDefinition
    package let limits: EngineLimits
    let payloads: any PayloadSource
    private let cache = PayloadCache()
    /// The tree's present policies that bind running runs. They are input like the clock: what came of them is recorded.
    package var runningPolicies: [PolicyDefinition] = []

    /// The decision being made.
    var draft = Draft()
    /// Files refused beyond the limit and not yet said in the ledger. It is lost in a crash, as only a number can be;
    /// who lets go of an engine hands it on to the next one.
    package internal(set) var uncountedRejections: Int

    package init(
        definition: RunDefinition, state: RunState, payloads: any PayloadSource, limits: EngineLimits = EngineLimits(),
        uncountedRejections: Int = 0
    ) {
        self.uncountedRejections = uncountedRejections
        self.definition = definition
        self.state = state
        self.payloads = payloads
        self.limits = limits
    }

    /// Decides.
    ///
    /// - Throws: where the stimulus does not fit the state. Nothing is changed then. What a workflow does wrong is an
    ///   entry, never an error.
    package mutating func handle(_ stimulus: Stimulus, at moment: Moment) throws(EngineError) -> Decision {
        draft = Draft()
        draft.moment = moment
        draft.endingBefore = state.ending
        let orderBefore = state.childOrder
        switch stimulus {
        case .start(let start): try begin(start)
        case .resume, .tick: break
        case .attemptEnded(let reference, let result): try end(reference, result)
        case .attemptLost(let reference, let reason): try lose(reference, reason: reason)
        case .emitted(let reference, let seq): try acknowledgeEvent(reference, seq: seq)
        case .event(let key, let seq, let event): try receive(event, seq: seq, for: key)
        case .childStarted(let key): try noteChildStarted(key)
        case .childEnded(let key, let end): try endChild(key, end)
        case .undo(let start):
            // Alone, because it takes the place of one entry.
            try undo(start)
            return seal()
        case .admitted: try admit()
        case .file(let file): try judge(file)
        }
        guard state.phase != .pending else { return Decision() }
        if !state.phase.isEnded { try sayRejections() }
        // Only the clock's own stimulus lets deadlines fire: whoever sends it has read the inbox before.
        if case .tick = stimulus { try expireWaits() }
        try advance()
        if let order = state.childOrder, order != orderBefore, orderBefore != nil || order != .resume {
            draft.effects.append(.instructChildren)
        }
        return seal()
    }

    /// When a `tick` is due: at a deadline, or when refused files are to be counted in the ledger.
    package var nextTick: Timestamp? {
        let counting = uncountedRejections > 0 && !state.phase.isEnded ? rejectionsDue : nil
        return [state.nextDeadline, counting].compactMap { $0 }.min()
    }

    var rejectionsDue: Timestamp? { state.rejections.lastCountedAt.map { $0 + RejectionLimits.countedEvery } }
}

/// What a decision is made of until it is sealed.
struct Draft: Sendable {
    var moment = Moment(now: Timestamp(microseconds: 0), boot: "")
    var entries: [Entry] = []
    var blobs: [Blob] = []
    var effects: [Effect] = []
    var steps = 0
    var hasMore = false
    /// The state that a `CHECKPOINT` entry of this decision describes, and that entry's index.
    var checkpoint: (state: RunState, index: Int)?
    /// Whether something happened at which a checkpoint is due.
    var isMilestone = false
    var verifications: [PendingVerification] = []
    /// What the run gives back, where this decision evaluated it.
    var outputs: Object?
    /// Whether the run was being brought to its end before this decision.
    var endingBefore: Ending?
}

extension RunEngine {
    /// Adds an entry to the decision and applies it.
    mutating func emit(
        _ type: EntryType, actor: Actor = .engine, by: String? = nil, step: String? = nil, visit: Int? = nil,
        attempt: Int? = nil, _ data: Object
    ) throws(EngineError) {
        let entry = Entry(
            seq: state.seq + 1, ts: max(draft.moment.now, state.lastTimestamp), type: type, actor: actor, by: by,
            step: step, visit: visit, attempt: attempt, of: nil, data: data, prev: Digest.zero)
        try state.apply(entry)
        draft.entries.append(entry)
    }

    /// Writes a payload into an entry's data: inline, or as a reference to a blob that is stored first.
    mutating func write(_ value: Value, as name: String, into data: inout Object) {
        guard !ValueLimits.fits(value, in: Payload.inlineLimit) else {
            data[name] = value
            return
        }
        let blob = Blob(JSON.compact(value))
        draft.blobs.append(blob)
        Payload.artifact(blob.digest, size: blob.bytes.count).write(as: name, into: &data)
    }

    /// Writes something sensitive into an entry's data, which gets nothing but a salted digest.
    mutating func writeSealed(_ value: Value, as name: String, into data: inout Object) {
        // One salt tells nothing of another, should one of two payloads of a decision be erased.
        let salt = Digest.sha256("\(draft.moment.salt.hex) \(state.seq) \(draft.blobs.count)")
        let blob = Payload.sealed(value, salt: salt)
        draft.blobs.append(blob)
        Payload.sealed(blob.digest, size: blob.bytes.count).write(as: name, into: &data)
    }

    var payloadReader: PayloadReader { PayloadReader(blobs: draft.blobs, source: payloads, cache: cache) }

    /// The value of a payload, wherever it is.
    func value(of payload: Payload) -> Value? { payloadReader.value(of: payload) }

    /// For the code that replays a ledger into this engine.
    package mutating func replay(_ sealed: SealedEntry, byteCount: Int) throws(EngineError) {
        try state.apply(sealed.entry)
        state.seal(sealed.entry, digest: sealed.digest, byteCount: byteCount)
    }

    // MARK: - Sealing

    /// Chains the entries, and asks for the checkpoint if one belongs to them.
    mutating func seal() -> Decision {
        var decision = Decision()
        decision.blobs = draft.blobs
        decision.effects = draft.effects
        decision.hasMore = draft.hasMore
        let count = draft.entries.count
        if count > 1 { draft.entries[0].of = count }
        for index in draft.entries.indices {
            var entry = draft.entries[index]
            entry.prev = state.head
            if let checkpoint = draft.checkpoint, checkpoint.index == index {
                var described = checkpoint.state
                described.head = state.head
                described.ledgerBytes = state.ledgerBytes
                for (key, wait) in state.waits { described.waits[key]?.token = wait.token }
                described.controlToken = state.controlToken
                let bytes = described.checkpointBytes()
                entry.data["sha256"] = .string(Digest.sha256(bytes).hex)
                entry.data["size"] = .int(Int64(bytes.count))
                entry.data["bytes"] = .int(Int64(state.ledgerBytes))
                decision.effects.append(.writeCheckpoint(seq: described.seq, bytes: bytes))
                state.checkpoint.size = bytes.count
                state.checkpoint.ledgerBytes = state.ledgerBytes
            }
            let line = EntryCodec.line(entry)
            let digest = Digest.sha256(line)
            decision.lines.append(contentsOf: line)
            decision.lines.append(UInt8(ascii: "\n"))
            decision.entries.append(SealedEntry(entry: entry, digest: digest))
            state.seal(entry, digest: digest, byteCount: line.count + 1)
        }
        draft = Draft()
        return decision
    }

    /// Describes the state as it is in a checkpoint, if one is due.
    mutating func checkpointIfDue() throws(EngineError) {
        guard draft.checkpoint == nil, state.seq > state.checkpoint.seq + 1 else { return }
        // The lines of this decision are not encoded yet; the previous decisions' bytes are near enough.
        let tail = state.ledgerBytes - state.checkpoint.ledgerBytes
        let isWeighty = tail > max(limits.tail, limits.tailPerCheckpoint * state.checkpoint.size)
        let isAsked = definition.workflow.checkpointEvery.map { state.checkpoint.stepsSince >= $0 } ?? false
        let isAtRest =
            draft.isMilestone
            && (state.checkpoint.size <= limits.smallCheckpoint || tail >= state.checkpoint.size)
        guard isWeighty || isAsked || isAtRest else { return }
        let described = state
        try emit(.checkpoint, ["seq": .int(Int64(state.seq))])
        draft.checkpoint = (described, draft.entries.count - 1)
    }
}
