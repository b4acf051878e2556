internal import Synchronization
package import WaybillCore
package import WaybillEngine
package import WaybillPorts
package import WaybillStore

/// Ledgers as byte arrays.
package final class MemoryLedgerStore: LedgerStore {
    fileprivate struct Line: Sendable {
        var bytes: [UInt8]
        var isOpen = false
    }

    fileprivate let ledgers = Mutex<[RunID: Line]>([:])

    package init() {}

    /// Puts a ledger there, as starting a run does, or replaces its bytes behind its owner's back.
    package func set(_ run: RunID, _ bytes: [UInt8]) {
        ledgers.withLock { $0[run] = Line(bytes: bytes, isOpen: $0[run]?.isOpen ?? false) }
    }

    package func bytes(_ run: RunID) -> [UInt8]? { ledgers.withLock { $0[run]?.bytes } }

    package func open(
        _ run: RunID, from head: LedgerHead, checkpoint: Digest?, knownHeads: [Int: Digest], durability: Durability,
        _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> any Ledger {
        guard let line = ledgers.withLock({ $0[run] }) else { throw missing(run) }
        if line.isOpen { throw StoreError(.locked, "the ledger of run \(run) is open") }
        var scanner = LedgerScanner(after: head, knownHeads: knownHeads)
        var isVouchedFor = checkpoint == nil
        scanner.feed(Array(line.bytes.dropFirst(head.length))) { item in
            if let checkpoint, item.entry.seq == head.seq + 1 { isVouchedFor = item.vouches(for: checkpoint) }
            body(item)
        }
        guard isVouchedFor else { throw StoreError(.damaged, "no entry vouches for the checkpoint", seq: head.seq) }
        let verdict = scanner.finish()
        if case .damaged(_, let reason) = verdict { throw StoreError(.damaged, "\(reason)", seq: reason.seq) }
        let kept = Array(line.bytes.prefix(verdict.head.length))
        ledgers.withLock { $0[run] = Line(bytes: kept, isOpen: true) }
        return MemoryLedger(self, run, verdict.head)
    }

    package func scan(
        _ run: RunID, from head: LedgerHead, knownHeads: [Int: Digest], _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> LedgerVerdict {
        guard let bytes = bytes(run) else { throw missing(run) }
        var scanner = LedgerScanner(after: head, knownHeads: knownHeads)
        scanner.feed(Array(bytes.dropFirst(head.length)), body)
        return scanner.finish()
    }

    /// What `set` put there is the new ledger.
    package func take(
        _ ledger: NewLedger, of run: RunID, upTo head: LedgerHead, durability: Durability
    ) -> any Ledger {
        ledgers.withLock { $0[run]?.isOpen = true }
        return MemoryLedger(self, run, head)
    }

    package func forget(_ run: RunID) {}

    package func verify(
        _ run: RunID, from head: LedgerHead, knownHeads: [Int: Digest]
    ) throws(StoreError) -> LedgerVerdict {
        guard let bytes = bytes(run) else { throw missing(run) }
        var verifier = LedgerVerifier(after: head, knownHeads: knownHeads)
        verifier.feed(Array(bytes.dropFirst(head.length)))
        return verifier.finish()
    }

    private func missing(_ run: RunID) -> StoreError { StoreError(.missing, "run \(run) has no ledger") }
}

private final class MemoryLedger: Ledger {
    private struct State {
        var head: LedgerHead
        var isClosed = false
    }

    private let store: MemoryLedgerStore
    private let run: RunID
    private let state: Mutex<State>

    init(_ store: MemoryLedgerStore, _ run: RunID, _ head: LedgerHead) {
        self.store = store
        self.run = run
        state = Mutex(State(head: head))
    }

    deinit { close() }

    var head: LedgerHead { state.withLock { $0.head } }

    func append(lines: [UInt8], upTo newHead: LedgerHead) throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            let length = state.head.length
            let isDone = store.ledgers.withLock { ledgers in
                guard ledgers[run]?.bytes.count == length else { return false }
                ledgers[run]?.bytes += lines
                return true
            }
            guard isDone else { throw StoreError(.changedBehind, "somebody else wrote to the ledger of run \(run)") }
            state.head = newHead
        }
    }

    func close() {
        let wasOpen = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if wasOpen { store.ledgers.withLock { $0[run]?.isOpen = false } }
    }
}
