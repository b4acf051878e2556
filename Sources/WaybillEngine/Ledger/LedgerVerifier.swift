package import WaybillCore

/// Checks a ledger's chain at the speed of the hash, without reading the values in it.
///
/// It looks at the members with a fixed place in a line: `seq` and `ts` at the beginning, `of` before `data`, `prev`
/// at the end. What it accepts may still not be an entry (`LedgerScanner` tells), but nobody who knows a head can
/// have changed it. Memory is bounded by the longest line.
package struct LedgerVerifier {
    private var splitter: LineSplitter
    private var head: LedgerHead
    private var tip: LedgerHead
    /// How many entries of the open decision are still to come.
    private var missing = 0
    private var trouble: LedgerTrouble?
    private var heads: KnownHeads

    /// - Parameters: as for `LedgerScanner`.
    package init(after head: LedgerHead, knownHeads: [Int: Digest] = [:]) {
        splitter = LineSplitter(offset: head.length)
        self.head = head
        tip = head
        heads = KnownHeads(knownHeads, after: head)
    }

    package mutating func feed(_ chunk: UnsafeRawBufferPointer) {
        var splitter = self.splitter
        splitter.feed(chunk) { line, offset in take(line, at: offset) }
        self.splitter = splitter
    }

    package mutating func feed(_ chunk: [UInt8]) {
        chunk.withUnsafeBytes { feed($0) }
    }

    package mutating func finish() -> LedgerVerdict {
        let length = splitter.offset
        if trouble == nil, splitter.lineOffset < length {
            splitter.unfinished { line in
                trouble = LedgerTrouble(
                    LedgerError(
                        .incomplete, "the last line does not end", seq: tip.seq + 1, offset: splitter.lineOffset),
                    line: line)
            }
        }
        if trouble == nil, missing > 0 {
            let reason = LedgerError(
                .decision, "\(missing) entries of the last decision are missing", seq: tip.seq + 1, offset: length)
            trouble = LedgerTrouble(reason, line: UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return heads.verdict(head: head, trouble: trouble, length: length)
    }

    private mutating func take(_ line: UnsafeRawBufferPointer, at offset: Int) {
        guard trouble == nil else {
            trouble?.examine(line)
            return
        }
        do throws(LedgerError) {
            try verify(line, at: offset)
            if missing == 0 { head = tip }
        } catch {
            var error = error
            error.seq = tip.seq + 1
            error.offset = offset
            trouble = LedgerTrouble(error, line: line)
        }
    }

    private mutating func verify(_ line: UnsafeRawBufferPointer, at offset: Int) throws(LedgerError) {
        guard line.count <= EntryCodec.longestLine, let frame = EntryFrame(line) else {
            throw LedgerError(.malformed, "the line is no entry")
        }
        try tip.check(seq: frame.seq, prev: frame.prev)
        guard let ts = Timestamp(spelling: frame.time) else { throw LedgerError(.malformed, "its time is none") }
        guard ts >= tip.ts else { throw LedgerError(.time, "its time is before that of the entry above") }
        if let of = frame.of {
            guard missing == 0, of >= 2, of <= LedgerScanner.largestDecision else {
                throw LedgerError(.decision, "it begins a decision where none may begin")
            }
            missing = of
        }
        let digest = Digest.sha256(line)
        try heads.check(seq: frame.seq, digest: digest)
        tip = LedgerHead(seq: frame.seq, digest: digest, ts: ts, length: offset + line.count + 1)
        missing = max(0, missing - 1)
    }
}
