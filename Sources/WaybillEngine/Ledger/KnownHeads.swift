import WaybillCore

/// Heads of a ledger that are known from elsewhere: the ledger must hold each of them.
struct KnownHeads {
    private let digests: [Int: Digest]
    private let last: Int
    /// The first entry whose digest is another than the one that is known.
    private var mismatch: LedgerError?

    init(_ digests: [Int: Digest], after head: LedgerHead) {
        self.digests = digests
        last = digests.keys.max() ?? 0
        if let digest = digests[head.seq], digest != head.digest {
            mismatch = LedgerError(.head, "the chain begins at another head than the one that is known", seq: head.seq)
        }
    }

    func check(seq: Int, digest: Digest) throws(LedgerError) {
        guard seq <= last, let known = digests[seq] else { return }
        guard known == digest else { throw LedgerError(.head, "it is not the entry that was published before") }
    }

    /// The verdict of a scan, once what is known from elsewhere is taken into account.
    func verdict(head: LedgerHead, trouble: LedgerTrouble?, length: Int) -> LedgerVerdict {
        if let mismatch { return .damaged(head, reason: mismatch) }
        if let reason = trouble?.reason, reason.code == .head { return .damaged(head, reason: reason) }
        if head.seq < last {
            let seen = trouble.map { "; \($0.reason)" } ?? ""
            let reason = LedgerError(
                trouble?.reason.code ?? .head, "the ledger ends before entry \(last), which is known to exist\(seen)",
                seq: trouble?.reason.seq ?? head.seq + 1, offset: trouble?.reason.offset ?? head.length)
            return .damaged(head, reason: reason)
        }
        guard let trouble else { return .whole(head) }
        return trouble.verdict(head: head, length: length)
    }
}
