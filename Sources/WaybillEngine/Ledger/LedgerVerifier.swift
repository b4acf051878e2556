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
    private var tipTime: [UInt8] = []
    /// How many entries of the open decision are still to come.
    private var missing = 0
    private var trouble: LedgerTrouble?
    private var heads: KnownHeads

    /// - Parameters: as for `LedgerScanner`.
    package init(after head: LedgerHead, knownHeads: [Int: Digest] = [:]) {
        splitter = LineSplitter(offset: head.length)
        self.head = head
        tip = head
        tipTime = head.ts.utf8
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
        // The entries of one decision share their time.
        let isSameTime = tipTime.withUnsafeBytes { EntryFrame.isSame($0, frame.time) }
        guard isSameTime || !frame.time.lexicographicallyPrecedes(tipTime) else {
            throw LedgerError(.time, "its time is before that of the entry above")
        }
        if let of = frame.of {
            guard missing == 0, of >= 2, of <= LedgerScanner.largestDecision else {
                throw LedgerError(.decision, "it begins a decision where none may begin")
            }
            missing = of
        }
        let digest = Digest.sha256(line)
        try heads.check(seq: frame.seq, digest: digest)
        if !isSameTime {
            tipTime = Array(frame.time)
            guard let ts = Timestamp(rfc3339: String(decoding: tipTime, as: UTF8.self)) else {
                throw LedgerError(.malformed, "its time is none")
            }
            tip.ts = ts
        }
        tip.seq = frame.seq
        tip.digest = digest
        tip.length = offset + line.count + 1
        missing = max(0, missing - 1)
    }
}

/// The members of an entry that can be found without reading the others.
private struct EntryFrame {
    var seq: Int
    var time: UnsafeRawBufferPointer
    var of: Int?
    var prev: Digest

    init?(_ line: UnsafeRawBufferPointer) {
        // {"seq":17,"ts":"2026-11-20T10:15:03.214159Z","type":...,"prev":"<64 digits>"}
        let tail = line.count - 75
        guard tail > 0, Self.stands(#"{"seq":"#, in: line, at: 0), Self.stands(#","prev":""#, in: line, at: tail),
            Self.stands(#""}"#, in: line, at: line.count - 2),
            let prev = Digest(hexBytes: UnsafeRawBufferPointer(rebasing: line[(tail + 9)..<(line.count - 2)]))
        else { return nil }
        var position = 7
        guard let seq = Self.number(line, at: &position), position + 35 < tail,
            Self.stands(#","ts":""#, in: line, at: position)
        else { return nil }
        self.seq = seq
        self.prev = prev
        position += 7
        time = UnsafeRawBufferPointer(rebasing: line[position..<position + 27])
        position += 27
        guard Self.stands(#"","type":"#, in: line, at: position) else { return nil }
        position += 1
        // A quote inside a JSON string is escaped, so what looks like the end of one value and the beginning of the
        // next member is exactly that.
        while position < tail {
            guard line[position] == UInt8(ascii: ",") else {
                position += 1
                continue
            }
            if Self.stands(#","of":"#, in: line, at: position) {
                position += 6
                guard let of = Self.number(line, at: &position) else { return nil }
                self.of = of
                return
            }
            if Self.stands(#","data":{"#, in: line, at: position) { return }
            position += 1
        }
        return nil
    }

    /// Whether a text stands at a place of a line. Slices that are compared as sequences cost more than the hash.
    private static func stands(_ text: StaticString, in line: UnsafeRawBufferPointer, at position: Int) -> Bool {
        guard line.count - position >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where line[position + index] != text.utf8Start[index] { return false }
        return true
    }

    static func isSame(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left[index] != right[index] { return false }
        return true
    }

    private static func number(_ line: UnsafeRawBufferPointer, at position: inout Int) -> Int? {
        let start = position
        var value = 0
        while position < line.count, line[position].isDigit, position - start < 18 {
            value = value * 10 + Int(line[position] - UInt8(ascii: "0"))
            position += 1
        }
        return position > start && line[start] != UInt8(ascii: "0") ? value : nil
    }
}
