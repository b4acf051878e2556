package import WaybillCore

/// One line of a ledger or of the journal.
package struct Entry: Hashable, Sendable {
    /// From 1, without gaps.
    package var seq: Int
    /// Never before that of the entry above.
    package var ts: Timestamp
    package var type: EntryType
    package var actor: Actor
    /// Which one of the actor's kind: a user's name, a hook's, a parent run's id.
    package var by: String?
    /// The address of the step instance the entry is about.
    package var step: String?
    /// From 1.
    package var visit: Int?
    /// From 1.
    package var attempt: Int?
    /// On the first entry of a decision of several entries: how many there are.
    package var of: Int?
    package var data: Object
    /// The SHA-256 of the line above, or the genesis.
    package var prev: Digest

    package init(
        seq: Int, ts: Timestamp, type: EntryType, actor: Actor = .engine, by: String? = nil, step: String? = nil,
        visit: Int? = nil, attempt: Int? = nil, of: Int? = nil, data: Object = Object(), prev: Digest
    ) {
        self.seq = seq
        self.ts = ts
        self.type = type
        self.actor = actor
        self.by = by
        self.step = step
        self.visit = visit
        self.attempt = attempt
        self.of = of
        self.data = data
        self.prev = prev
    }
}

/// An entry before it has its place in a chain.
package struct EntryDraft: Hashable, Sendable {
    package var type: EntryType
    package var actor: Actor
    package var by: String?
    package var step: String?
    package var visit: Int?
    package var attempt: Int?
    package var data: Object

    package init(
        _ type: EntryType, actor: Actor = .engine, by: String? = nil, step: String? = nil, visit: Int? = nil,
        attempt: Int? = nil, data: Object = Object()
    ) {
        self.type = type
        self.actor = actor
        self.by = by
        self.step = step
        self.visit = visit
        self.attempt = attempt
        self.data = data
    }
}
