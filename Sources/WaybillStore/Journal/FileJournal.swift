internal import Synchronization
internal import SystemPackage
package import WaybillCore
package import WaybillEngine
package import WaybillPorts

/// The journal as files in the folder of runs.
package final class FileJournal: JournalStore {
    package struct Options: Sendable {
        /// A segment is closed once it has so many bytes.
        package var segmentSize: Int
        package var durability: Durability
        /// Called when another process has the lock, with the number of the attempt; false gives up. It waits.
        package var waitForLock: @Sendable (Int) -> Bool
        /// Signs the head behind what is written, in the same write.
        package var sign: HeadSigner

        package init(
            segmentSize: Int = 64 << 20, durability: Durability = .full,
            waitForLock: @escaping @Sendable (Int) -> Bool = LockPatience.standard,
            sign: @escaping HeadSigner = { _ in nil }
        ) {
            self.segmentSize = segmentSize
            self.durability = durability
            self.waitForLock = waitForLock
            self.sign = sign
        }
    }

    /// A call that waits to be written.
    private final class Ticket: Sendable {
        let time: Timestamp
        let decide: @Sendable (JournalIndex) -> [EntryDraft]
        let outcome = Mutex<Result<[Entry], StoreError>?>(nil)

        init(time: Timestamp, decide: @escaping @Sendable (JournalIndex) -> [EntryDraft]) {
            self.time = time
            self.decide = decide
        }
    }

    /// The name of the file that is written, in the folder of runs.
    package static let openSegment = "journal.jsonl"

    /// The most calls that share one write: bounds the time the lock is held.
    private static let largestBatch = 1_024

    private let folder: any Directory
    private let options: Options
    private let queue = Mutex<[Ticket]>([])
    /// Held while the journal is read or written: who gets it next finds its own call done, or does all that wait.
    private let writer: Mutex<JournalWriter>

    /// - Parameter folder: `runs/`. Nothing is read before the first call.
    package init(in folder: any Directory, options: Options = Options()) {
        self.folder = folder
        self.options = options
        writer = Mutex(JournalWriter(folder: folder, options: options))
    }

    package func decide(
        at time: Timestamp, _ decide: @escaping @Sendable (JournalIndex) -> [EntryDraft]
    ) throws(StoreError) -> [Entry] {
        let ticket = Ticket(time: time, decide: decide)
        queue.withLock { $0.append(ticket) }
        while true {
            let outcome = writer.withLock { writer -> Result<[Entry], StoreError>? in
                if let outcome = ticket.outcome.withLock({ $0 }) { return outcome }
                commitBatch(&writer)
                return ticket.outcome.withLock { $0 }
            }
            if let outcome { return try outcome.get() }
        }
    }

    private func commitBatch(_ writer: inout JournalWriter) {
        let batch = queue.withLock { queue in
            let batch = Array(queue.prefix(Self.largestBatch))
            queue.removeFirst(batch.count)
            return batch
        }
        var rest = batch[...]
        while !rest.isEmpty {
            do throws(StoreError) {
                let outcomes = try writer.commit(rest.map { ($0.time, $0.decide) })
                for (ticket, entries) in zip(rest, outcomes) { ticket.outcome.withLock { $0 = .success(entries) } }
                rest = rest.dropFirst(outcomes.count)
            } catch {
                for ticket in rest { ticket.outcome.withLock { $0 = .failure(error) } }
                return
            }
        }
    }

    package func query<Answer: Sendable>(
        following: Bool, _ body: (JournalIndex) -> Answer
    ) throws(StoreError) -> Answer {
        try writer.withLock { (writer) throws(StoreError) in
            if following ? !writer.isUpToDate : !writer.isLoaded { _ = try writer.commit([]) }
            return body(writer.index)
        }
    }

    package func entry(at place: JournalPlace) throws(StoreError) -> Entry {
        try JournalReader(folder: folder).entry(at: place)
    }

    package func read(
        from cursor: JournalCursor, _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> JournalCursor {
        try JournalReader(folder: folder).scan(from: cursor, body)
    }

    package func verify(knownHeads: [Int: Digest]) throws(StoreError) -> LedgerVerdict {
        try JournalReader(folder: folder).verify(knownHeads: knownHeads)
    }
}

/// How long to wait for a lock that is held for moments only.
package enum LockPatience {
    /// About ten seconds: a thousand tries, the first ones after half a millisecond, later ones after ten.
    package static let standard: @Sendable (Int) -> Bool = { attempt in
        guard attempt < 1_000 else { return false }
        pauseThread(microseconds: min(500 * UInt32(attempt + 1), 10_000))
        return true
    }

    /// Not at all.
    package static let none: @Sendable (Int) -> Bool = { _ in false }
}
