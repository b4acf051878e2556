import WaybillCore

/// What a scan of a ledger found.
package enum LedgerVerdict: Hashable, Sendable {
    /// Every byte belongs to a whole decision that verifies.
    case whole(LedgerHead)
    /// The tail behind `head` is an unfinished write: it may be saved aside and cut.
    case torn(LedgerHead, tailBytes: Int, reason: LedgerError)
    /// Something no unfinished write explains; `head` is the end of what still verifies.
    case damaged(LedgerHead, reason: LedgerError)

    /// The end of the last whole decision that verifies.
    package var head: LedgerHead {
        switch self {
        case .whole(let head), .torn(let head, _, _), .damaged(let head, _): head
        }
    }
}

/// Decides between an unfinished write and damage, from the first bad line on. Shared by both scans.
///
/// The rules, for a bad line behind the last whole decision:
/// - A head known from elsewhere (`run.json`, a checkpoint, the journal, a signature) that the good part does not
///   hold makes it damage: what was acknowledged is missing.
/// - Else, if no well-formed entry stands behind the bad line, it is torn.
/// - Else it is damage, unless the bad lines hold NUL bytes near the end: after a power loss, pages of the last
///   write that never reached the disk read as zeros, and entries behind such a hole were never acknowledged.
package struct LedgerTrouble {
    /// No write that waits for its sync is larger, so that holes further up are no unfinished write.
    package static let largestUnsyncedWrite = 1 << 20

    let reason: LedgerError
    private var hasHole = false
    private(set) var hasEntryBehind = false

    init(_ reason: LedgerError, line: UnsafeRawBufferPointer) {
        self.reason = reason
        hasHole = line.contains(0)
    }

    /// Looks at one more line behind the bad one.
    mutating func examine(_ line: UnsafeRawBufferPointer) {
        if hasEntryBehind && hasHole { return }
        if line.contains(0) {
            hasHole = true
        } else if !hasEntryBehind, (try? EntryCodec.parse(line)) != nil {
            hasEntryBehind = true
        }
    }

    func verdict(head: LedgerHead, length: Int) -> LedgerVerdict {
        let tail = length - head.length
        let isUnfinishedWrite = !hasEntryBehind || (hasHole && tail <= Self.largestUnsyncedWrite)
        // A first entry of another genesis is whole, and wrong.
        if reason.code == .genesis || !isUnfinishedWrite { return .damaged(head, reason: reason) }
        return .torn(head, tailBytes: tail, reason: reason)
    }
}
