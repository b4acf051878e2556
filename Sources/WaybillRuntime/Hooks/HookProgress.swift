import WaybillCore
import WaybillEngine

/// How far one run's events have been delivered: from that follows its cursor.
///
/// The cursor moves behind a decision when every event up to there was tried. So it needs no sync: whatever a power
/// loss takes from the spool lies behind the cursor, and is found in the ledger.
struct HookProgress: Sendable {
    /// Decisions whose events are under way.
    private struct Batch {
        var head: LedgerHead
        var open: Int
    }

    /// More are kept together as one, so that a backlog costs no memory.
    private static let finest = 64

    /// Everything up to here was tried with every hook.
    private(set) var done: LedgerHead?
    /// What the cursor's file says.
    var written: LedgerHead?
    /// The run has ended, and its cursor goes when the last event is delivered.
    var isEnded = false
    private var batches: [Batch] = []

    init(done: LedgerHead?) {
        self.done = done
        written = done
    }

    /// Everything up to here is known: delivered, under way or of no interest.
    var end: LedgerHead? { batches.last?.head ?? done }
    var isIdle: Bool { batches.isEmpty }
    /// Whether events could not be spooled: then the cursor stays before them, and they are found in the ledger again.
    private(set) var hasLost = false
    /// Entries that the file is behind.
    var lag: Int { (done?.seq ?? 0) - (written?.seq ?? 0) }

    /// Notes decisions up to `head`: so many of their events wait for delivery, and so many could not be spooled.
    mutating func add(_ events: Int, lost: Int, upTo head: LedgerHead) {
        if lost > 0 { hasLost = true }
        let events = events + lost
        if batches.isEmpty && events == 0 {
            done = head
        } else if !batches.isEmpty && (events == 0 || batches.count >= Self.finest) {
            batches[batches.count - 1].head = head
            batches[batches.count - 1].open += events
        } else {
            batches.append(Batch(head: head, open: events))
        }
    }

    /// Notes that the event of an entry was tried with every hook.
    mutating func finish(_ seq: Int) {
        guard let index = batches.firstIndex(where: { $0.head.seq >= seq }), batches[index].open > 0 else { return }
        batches[index].open -= 1
        while let first = batches.first, first.open == 0 {
            done = first.head
            batches.removeFirst()
        }
    }
}
