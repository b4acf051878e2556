package import WaybillCore
package import WaybillEngine

/// The tree's own ledger: what no single run can know. Many threads and processes write it.
package protocol JournalStore: AnyObject, Sendable {
    /// Decides under the journal's lock, on all that is recorded so far, and records the decision durably.
    ///
    /// Calls that come while one is being written share the next write and sync. `decide` may be called again
    /// after a failure, and must not call the journal.
    /// - Returns: the entries; none if nothing was decided.
    /// - Throws: `.locked` with the owner if another process does not give the lock back; `.noSpace` and
    ///   `.notDurable`, after which nothing of it counts; `.damaged`.
    func decide(
        at time: Timestamp, _ decide: @escaping @Sendable (JournalIndex) -> [EntryDraft]
    ) throws(StoreError) -> [Entry]

    /// Looks something up in what is known, as of the last time the journal was read. Nothing is copied; `body` must be
    /// quick, and must not call the journal.
    /// - Parameter following: whether to read first what other processes have added.
    func query<Answer: Sendable>(
        following: Bool, _ body: (JournalIndex) -> Answer
    ) throws(StoreError) -> Answer

    /// Reads one entry where the index says that it is, without the lock.
    /// - Throws: `.damaged` if something else stands there, `.missing` if the segment is gone.
    func entry(at place: JournalPlace) throws(StoreError) -> Entry

    /// Reads entries in order, without the lock; memory is bounded. An unfinished tail is left out.
    /// - Returns: where to go on reading later.
    func read(from cursor: JournalCursor, _ body: (LedgerScanner.Item) -> Void) throws(StoreError) -> JournalCursor

    /// Checks the whole chain at the speed of the hash, without the lock.
    func verify(knownHeads: [Int: Digest]) throws(StoreError) -> LedgerVerdict
}

extension JournalStore {
    /// Records one decision that needs to know nothing.
    @discardableResult
    package func append(_ drafts: [EntryDraft], at time: Timestamp) throws(StoreError) -> [Entry] {
        try decide(at: time) { _ in drafts }
    }

    /// What is known of one run; nil if nothing is.
    package func run(_ run: RunID, following: Bool) throws(StoreError) -> JournalIndex.Run? {
        try query(following: following) { $0.runs[run] }
    }

    /// A copy of all that is known. As long as it lives, the next entry makes the journal copy its own.
    package func index(following: Bool) throws(StoreError) -> JournalIndex { try query(following: following) { $0 } }
}

/// A place between two entries of the journal.
package struct JournalCursor: Hashable, Sendable {
    /// The number of the first entry of the segment the place is in.
    package var segment: Int
    /// The end of the chain there; its length counts from the beginning of the segment.
    package var head: LedgerHead

    package init(segment: Int, head: LedgerHead) {
        self.segment = segment
        self.head = head
    }

    /// Before the first entry.
    package static let beginning = JournalCursor(segment: 1, head: .start(genesis: .zero))
}
