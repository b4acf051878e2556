package import WaybillCore

/// Reads a ledger from chunks of bytes, checks it, and hands on the entries of whole decisions.
///
/// ```swift
/// var scanner = LedgerScanner(after: .start(genesis: digest))
/// while let chunk = try read() { scanner.feed(chunk) { item in state.apply(item.entry) } }
/// switch scanner.finish() { ... }
/// ```
/// Entries are handed on in order and only when all of their decision verifies; after the first bad line none is.
package struct LedgerScanner {
    /// An entry that verifies, with what its line says about the chain.
    package struct Item: Hashable, Sendable {
        package var entry: Entry
        /// Of the line's bytes: the next entry's `prev`, and the token of a wait.
        package var digest: Digest
        /// Where the line begins.
        package var offset: Int
        /// With the newline.
        package var length: Int
    }

    /// No decision has more entries.
    package static let largestDecision = 1_000_000

    private var splitter: LineSplitter
    private var head: LedgerHead
    /// The end of the chain so far, which may be inside a decision.
    private var tip: LedgerHead
    /// The entries of the decision that is not whole yet.
    private var pending: [Item] = []
    private var trouble: LedgerTrouble?
    private var heads: KnownHeads

    /// - Parameters:
    ///   - head: where to begin: `.start(genesis:)`, or the head a checkpoint holds with the bytes behind it.
    ///   - knownHeads: digests that the ledger must hold at those numbers, known from elsewhere.
    package init(after head: LedgerHead, knownHeads: [Int: Digest] = [:]) {
        splitter = LineSplitter(offset: head.length)
        self.head = head
        tip = head
        heads = KnownHeads(knownHeads, after: head)
    }

    package mutating func feed(_ chunk: UnsafeRawBufferPointer, _ body: (Item) -> Void) {
        // The splitter leaves this value while it calls back, so that both can be changed.
        var splitter = self.splitter
        splitter.feed(chunk) { line, offset in take(line, at: offset, body) }
        self.splitter = splitter
    }

    package mutating func feed(_ chunk: [UInt8], _ body: (Item) -> Void) {
        chunk.withUnsafeBytes { feed($0, body) }
    }

    /// The verdict over everything that was fed.
    package mutating func finish() -> LedgerVerdict {
        let length = splitter.offset
        var unfinished: [UInt8] = []
        splitter.unfinished { unfinished = Array($0) }
        if trouble == nil, !unfinished.isEmpty {
            unfinished.withUnsafeBytes { line in
                trouble = LedgerTrouble(
                    LedgerError(
                        .incomplete, "the last line does not end", seq: tip.seq + 1, offset: splitter.lineOffset),
                    line: line)
            }
        }
        if trouble == nil, let first = pending.first {
            let reason = LedgerError(
                .decision, "\(pending.count) of \(first.entry.of ?? 1) entries of the decision are there",
                seq: tip.seq + 1, offset: length)
            trouble = LedgerTrouble(reason, line: UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return heads.verdict(head: head, trouble: trouble, length: length)
    }

    private mutating func take(_ line: UnsafeRawBufferPointer, at offset: Int, _ body: (Item) -> Void) {
        guard trouble == nil else {
            trouble?.examine(line)
            return
        }
        do throws(LedgerError) {
            let item = try verify(line, at: offset)
            pending.append(item)
            guard pending.count == pending[0].entry.of ?? 1 else { return }
            for item in pending { body(item) }
            pending.removeAll(keepingCapacity: true)
            head = tip
        } catch {
            var error = error
            error.seq = tip.seq + 1
            error.offset = offset
            trouble = LedgerTrouble(error, line: line)
            pending.removeAll()
        }
    }

    private mutating func verify(_ line: UnsafeRawBufferPointer, at offset: Int) throws(LedgerError) -> Item {
        let entry = try EntryCodec.parse(line)
        let digest = Digest.sha256(line)
        try tip.check(seq: entry.seq, prev: entry.prev)
        guard entry.ts >= tip.ts else { throw LedgerError(.time, "its time is before that of the entry above") }
        if let of = entry.of, !pending.isEmpty || of < 2 || of > Self.largestDecision {
            throw LedgerError(.decision, "it begins a decision where none may begin")
        }
        try heads.check(seq: entry.seq, digest: digest)
        tip = LedgerHead(seq: entry.seq, digest: digest, ts: entry.ts, length: offset + line.count + 1)
        return Item(entry: entry, digest: digest, offset: offset, length: line.count + 1)
    }
}

extension LedgerHead {
    /// Whether an entry with this number and this predecessor may follow.
    func check(seq: Int, prev: Digest) throws(LedgerError) {
        guard seq == self.seq + 1 else {
            throw LedgerError(.sequence, "entry \(self.seq + 1) was expected here, and entry \(seq) found")
        }
        guard prev == digest else {
            throw self.seq == 0
                ? LedgerError(.genesis, "it does not follow from this run's definition")
                : LedgerError(.chain, "it does not follow from the line above: one of the two was changed")
        }
    }
}
