package import WaybillCore
package import WaybillEngine
package import WaybillPorts

/// Where the ledgers of runs are.
///
/// A head that is handed in says where to begin: `.start(genesis:)`, or the one a verified checkpoint holds.
/// `knownHeads` are digests by entry number that are known from elsewhere (the journal, a signature); a ledger
/// that does not hold them is damaged, however well it verifies.
package protocol LedgerStore: Sendable {
    /// Takes the ledger's lock, reads what follows `head`, cuts a torn tail after saving it, and makes durable what
    /// an earlier owner may have left un-synced. `body` gets every entry behind `head`, in order.
    /// - Parameter checkpoint: of the checkpoint that `head` was read in; the entry behind it must name that. Somebody
    ///   else's head would make whole entries look like a torn tail.
    /// - Throws: `.missing`, `.locked` with the owner, `.damaged` with the entry's number (nothing is changed then).
    func open(
        _ run: RunID, from head: LedgerHead, checkpoint: Digest?, knownHeads: [Int: Digest], durability: Durability,
        _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> any Ledger

    /// Reads without the lock and changes nothing; memory is bounded. A torn tail may be a write in progress.
    /// - Throws: `.missing`; damage is in the verdict.
    func scan(
        _ run: RunID, from head: LedgerHead, knownHeads: [Int: Digest], _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> LedgerVerdict

    /// Takes over a ledger that this process has just made durable with its run, and has the lock of.
    /// - Parameter head: its end.
    func take(_ ledger: NewLedger, of run: RunID, upTo head: LedgerHead, durability: Durability) -> any Ledger

    /// Says that a run has ended, and its ledger is closed: nobody in this process will write to it again.
    func forget(_ run: RunID)

    /// Checks the chain at the speed of the hash, without the lock.
    func verify(_ run: RunID, from head: LedgerHead, knownHeads: [Int: Digest]) throws(StoreError) -> LedgerVerdict
}

/// An open ledger: the only one in the world that may be written.
package protocol Ledger: AnyObject, Sendable {
    /// The end of what is recorded.
    var head: LedgerHead { get }

    /// Records whole decisions: one write and one sync, after which they are durable.
    /// - Parameters:
    ///   - lines: the bytes of all lines, with their newlines.
    ///   - newHead: the head behind them, as `LedgerHead.append` made both.
    /// - Throws: `.noSpace` and `.notDurable` leave the ledger as it was and usable; `.changedBehind` does not.
    func append(lines: [UInt8], upTo newHead: LedgerHead) throws(StoreError)

    /// Gives the lock back. Whoever forgets to gives it back when the last reference goes.
    func close()
}

extension Ledger {
    /// Records one decision.
    @discardableResult
    package func append(_ drafts: [EntryDraft], at time: Timestamp) throws(StoreError) -> [Entry] {
        try append([drafts], at: time)
    }

    /// Records several decisions with one write and one sync; a crash may keep some of the first ones only.
    @discardableResult
    package func append(_ decisions: [[EntryDraft]], at time: Timestamp) throws(StoreError) -> [Entry] {
        var newHead = head
        var lines: [UInt8] = []
        var entries: [Entry] = []
        for drafts in decisions {
            for (entry, line) in newHead.append(drafts, at: time) {
                entries.append(entry)
                lines += line
            }
        }
        try append(lines: lines, upTo: newHead)
        return entries
    }
}

extension LedgerScanner.Item {
    /// Whether it vouches for a checkpoint's file.
    package func vouches(for checkpoint: Digest) -> Bool {
        entry.type == .checkpoint && entry.data["sha256"] == .string(checkpoint.hex)
    }
}

extension LedgerStore {
    /// As below, with full durability.
    package func open(
        _ run: RunID, from head: LedgerHead, _ body: (LedgerScanner.Item) -> Void = { _ in }
    ) throws(StoreError) -> any Ledger {
        try open(run, from: head, knownHeads: [:], durability: .full, body)
    }

    /// Opens from the beginning, or from a head that the caller trusts.
    package func open(
        _ run: RunID, from head: LedgerHead, knownHeads: [Int: Digest], durability: Durability,
        _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> any Ledger {
        try open(run, from: head, checkpoint: nil, knownHeads: knownHeads, durability: durability, body)
    }
}
