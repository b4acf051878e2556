internal import Synchronization
package import WaybillCore
package import WaybillEngine
package import WaybillStore

/// The journal as a byte array.
package final class MemoryJournal: JournalStore {
    private struct State {
        var bytes: [UInt8] = []
        var head = LedgerHead.start(genesis: .zero)
        var index = JournalIndex()
    }

    private let state = Mutex(State())

    package init() {}

    package func decide(
        at time: Timestamp, _ decide: @escaping @Sendable (JournalIndex) -> [EntryDraft]
    ) throws(StoreError) -> [Entry] {
        state.withLock { state in
            var entries: [Entry] = []
            for (entry, line) in state.head.append(decide(state.index), at: time) {
                entries.append(entry)
                let place = JournalPlace(segment: 1, offset: state.bytes.count, length: line.count)
                state.bytes += line
                state.index.apply(entry, at: place)
            }
            return entries
        }
    }

    package func query<Answer: Sendable>(
        following: Bool, _ body: (JournalIndex) -> Answer
    ) throws(StoreError) -> Answer {
        state.withLock { body($0.index) }
    }

    package func entry(at place: JournalPlace) throws(StoreError) -> Entry {
        let bytes = state.withLock { $0.bytes }
        return try JournalLine.entry(Array(bytes.dropFirst(place.offset).prefix(place.length)), at: place)
    }

    package func read(
        from cursor: JournalCursor, _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> JournalCursor {
        let bytes = state.withLock { $0.bytes }
        var scanner = LedgerScanner(after: cursor.head)
        scanner.feed(Array(bytes.dropFirst(cursor.head.length)), body)
        return JournalCursor(segment: 1, head: scanner.finish().head)
    }

    package func verify(knownHeads: [Int: Digest]) throws(StoreError) -> LedgerVerdict {
        let bytes = state.withLock { $0.bytes }
        var verifier = LedgerVerifier(after: .start(genesis: .zero), knownHeads: knownHeads)
        verifier.feed(bytes)
        return verifier.finish()
    }
}
