internal import Synchronization
package import WaybillCore
package import WaybillEngine

/// An event that somebody wants to be accepted, and who that is.
package struct EventSubmission: Hashable, Sendable {
    package var event: CloudEvent
    /// `user` for files and commands, `engine` for `emit`.
    package var actor: Actor
    /// The user's name, or the run's id.
    package var by: String?
    /// The name of the file it came in.
    package var file: String?

    package init(_ event: CloudEvent, actor: Actor, by: String?, file: String? = nil) {
        self.event = event
        self.actor = actor
        self.by = by
        self.file = file
    }

    fileprivate var draft: EntryDraft {
        var data: Object = ["event": event.value]
        if let file { data["file"] = .string(file) }
        return EntryDraft(.eventAccepted, actor: actor, by: by, data: data)
    }
}

/// What became of an event.
package enum EventAcceptance: Hashable, Sendable {
    /// It is in the journal for good, under this number.
    case accepted(seq: Int)
    /// The same event was accepted before.
    case duplicate(seq: Int)
    /// Another event was accepted before with the same `source` and `id`. Nothing was recorded.
    case conflict(seq: Int)

    /// Of the entry that holds the identity.
    package var seq: Int {
        switch self {
        case .accepted(let seq), .duplicate(let seq), .conflict(let seq): seq
        }
    }
}

/// What a search found, and how far it looked.
package struct EventSearch: Hashable, Sendable {
    package var seq: Int?
    /// The event, complete.
    package var event: Value?
    /// When it was accepted.
    package var acceptedAt: Timestamp?
    /// Where to go on looking: no event up to here is wanted but the one that was found.
    package var examined: Int

    package init(seq: Int? = nil, event: Value? = nil, acceptedAt: Timestamp? = nil, examined: Int) {
        self.seq = seq
        self.event = event
        self.acceptedAt = acceptedAt
        self.examined = examined
    }
}

/// Accepted events: the journal, seen by those who send them and those who wait for them.
///
/// Any number of threads use it. What it has in memory is bounded; payloads are read where the journal holds them.
package final class EventLog: Sendable {
    /// Bytes of the lines of one decision: less than `JournalWriter.enoughBytes`.
    private static let batchBytes = 256 << 10
    /// What about surrounds an event in its line.
    private static let envelopeBytes = 512
    /// Places that are looked up at once.
    private static let slice = 64
    /// Payloads that are remembered: many runs often wait for one event.
    private static let remembered = 16

    private struct Payload: Sendable {
        var seq: Int
        var event: Value
        var acceptedAt: Timestamp
    }

    private let journal: any JournalStore
    private let recent = Mutex<[Payload]>([])

    package init(_ journal: any JournalStore) { self.journal = journal }

    // MARK: Accepting

    /// Accepts events in this order. Those that are new share writes and syncs.
    /// - Returns: what became of each.
    /// - Throws: as `JournalStore.decide`. The call may be repeated: what was accepted by then is a duplicate.
    package func accept(
        _ submissions: [EventSubmission], at time: Timestamp
    ) throws(StoreError) -> [EventAcceptance] {
        var acceptances: [EventAcceptance] = []
        var rest = submissions[...]
        while !rest.isEmpty {
            var bytes = 0
            let batch = rest.prefix { submission in
                bytes += submission.event.size + Self.envelopeBytes
                return bytes <= Self.batchBytes
            }
            acceptances += try acceptAtOnce(Array(batch), at: time)
            rest = rest.dropFirst(batch.count)
        }
        return acceptances
    }

    private func acceptAtOnce(
        _ submissions: [EventSubmission], at time: Timestamp
    ) throws(StoreError) -> [EventAcceptance] {
        let judgement = Mutex<Judgement>(Judgement())
        let identities = submissions.map { ($0.event.identity, $0.event.content) }
        let entries = try journal.decide(at: time) { index in
            // It may be called again after a failure, and then by itself.
            let new = Judgement(identities, index.events)
            judgement.withLock { $0 = new }
            return new.accepted.map { submissions[$0].draft }
        }
        return judgement.withLock { $0.acceptances(entries.map(\.seq)) }
    }

    /// What became of an event that somebody submitted: nil if it is not in the journal.
    package func find(_ event: CloudEvent) throws(StoreError) -> EventAcceptance? {
        let (identity, content) = (event.identity, event.content)
        return try journal.query(following: true) { index in
            guard let known = index.events.known(identity) else { return nil }
            return known.content == content ? .duplicate(seq: known.seq) : .conflict(seq: known.seq)
        }
    }

    // MARK: Waiting

    /// The first event of a type behind a cursor that fits: `key` is compared before `match` is asked.
    /// - Parameter excluded: events that are passed over without being read.
    package func next(
        type: String, key: String?, after cursor: Int, except excluded: Set<Int> = [], match: (Value) -> Bool
    ) throws(StoreError) -> EventSearch {
        var examined = cursor
        while true {
            let (hits, last) = try journal.query(following: false) { index in
                (index.events.hits(type: type, key: key, after: examined, limit: Self.slice), index.lastSeq)
            }
            for hit in hits {
                if excluded.contains(hit.seq) {
                    examined = hit.seq
                    continue
                }
                let payload = try payload(of: hit)
                let event = payload.event
                examined = hit.seq
                guard Self.isSame(event["type"], type), key.map({ Self.isSame(event["key"], $0) }) ?? true,
                    match(event)
                else { continue }
                return EventSearch(seq: hit.seq, event: event, acceptedAt: payload.acceptedAt, examined: hit.seq)
            }
            if hits.count < Self.slice { return EventSearch(examined: max(examined, last)) }
        }
    }

    private static func isSame(_ value: Value?, _ text: String) -> Bool {
        value?.stringValue?.isIdenticalUTF8(to: text) ?? false
    }

    /// The event with this number; nil if the entry is no event.
    package func event(_ seq: Int) throws(StoreError) -> Value? {
        guard let hit = try journal.query(following: false, { $0.events.hit(seq) }) else { return nil }
        return try payload(of: hit).event
    }

    /// The number of the journal's last entry: where a wait begins that only wants what comes.
    /// - Parameter following: whether what other processes wrote counts; it costs taking the journal's lock.
    package func lastSeq(following: Bool) throws(StoreError) -> Int {
        try journal.query(following: following) { $0.lastSeq }
    }

    /// The number of the newest event of a type, and of a key if one is given; 0 if there is none.
    package func last(type: String, key: String?) throws(StoreError) -> Int {
        try journal.query(following: false) { $0.events.last(type: type, key: key) }
    }

    /// The first events behind a cursor, whatever their type.
    package func arrivals(
        after cursor: Int, limit: Int, following: Bool
    ) throws(StoreError) -> [EventIndex.Arrival] {
        try journal.query(following: following) { $0.events.arrivals(after: cursor, limit: limit) }
    }

    // MARK: Payloads

    private func payload(of hit: EventIndex.Hit) throws(StoreError) -> Payload {
        if let known = recent.withLock({ recent in recent.first { $0.seq == hit.seq } }) { return known }
        let entry = try journal.entry(at: hit.place)
        guard entry.seq == hit.seq, entry.type == .eventAccepted, let event = entry.data["event"] else {
            throw StoreError(.damaged, "the journal no longer holds event \(hit.seq) where it was", seq: hit.seq)
        }
        let payload = Payload(seq: hit.seq, event: event, acceptedAt: entry.ts)
        recent.withLock { recent in
            if recent.count >= Self.remembered { recent.removeFirst() }
            recent.append(payload)
        }
        return payload
    }
}

/// Which of several events are new, decided under the journal's lock.
private struct Judgement: Sendable {
    private enum Verdict: Sendable {
        /// The n-th of those that are accepted.
        case accepted(Int)
        /// The same as the n-th of those that are accepted now.
        case same(Int, isConflict: Bool)
        case known(Int, isConflict: Bool)
    }

    private var verdicts: [Verdict] = []
    /// Positions of those that are to be recorded, in order.
    private(set) var accepted: [Int] = []

    init() {}

    init(_ identities: [(identity: UInt128, content: UInt128)], _ index: EventIndex) {
        var taken: [UInt128: Int] = [:]
        for (position, event) in identities.enumerated() {
            if let known = index.known(event.identity) {
                verdicts.append(.known(known.seq, isConflict: known.content != event.content))
            } else if let number = taken[event.identity] {
                let isConflict = identities[accepted[number]].content != event.content
                verdicts.append(.same(number, isConflict: isConflict))
            } else {
                taken[event.identity] = accepted.count
                verdicts.append(.accepted(accepted.count))
                accepted.append(position)
            }
        }
    }

    /// - Parameter seqs: of the entries that were recorded.
    func acceptances(_ seqs: [Int]) -> [EventAcceptance] {
        verdicts.map { verdict in
            switch verdict {
            case .accepted(let number): .accepted(seq: seqs[number])
            case .same(let number, let isConflict):
                isConflict ? .conflict(seq: seqs[number]) : .duplicate(seq: seqs[number])
            case .known(let seq, let isConflict): isConflict ? .conflict(seq: seq) : .duplicate(seq: seq)
            }
        }
    }
}
