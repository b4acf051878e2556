package import WaybillCore

/// A part of a long ledger, checked without knowing what stands before it, so that several threads may check one ledger.
///
/// ```swift
/// var stretch = LedgerStretch(at: offset)
/// while let chunk = try read() { stretch.feed(chunk) }
/// let joint = stretch.join(LedgerStretch.Joint(after: head))
/// ```
/// It does not say what is wrong: where anything is, `LedgerVerifier` goes on from the last whole decision before.
package struct LedgerStretch: Sendable {
    /// How far a ledger was checked.
    package struct Joint: Sendable {
        /// The end of the last whole decision.
        package fileprivate(set) var head: LedgerHead
        fileprivate var tip: LedgerHead
        /// How many entries of a decision are still to come.
        fileprivate var missing = 0

        package init(after head: LedgerHead) {
            self.head = head
            tip = head
        }
    }

    private var splitter: LineSplitter
    private let knownHeads: [Int: Digest]
    private var isSound = true
    /// What the first line says of the one before it.
    private var before: LedgerHead?
    /// The end of the last line.
    private var tip = LedgerHead.start(genesis: .zero)
    private var lines = 0
    /// How many lines stand before the first that begins a decision of several: those may still belong to one that began
    /// before the stretch. Nil as long as there is none.
    private var linesBefore: Int?
    /// From there on.
    private var missing = 0
    private var head: LedgerHead?

    /// - Parameters:
    ///   - offset: where it begins, which is where a line does.
    ///   - knownHeads: as for `LedgerVerifier`.
    package init(at offset: Int, knownHeads: [Int: Digest] = [:]) {
        splitter = LineSplitter(offset: offset)
        self.knownHeads = knownHeads
    }

    package mutating func feed(_ chunk: UnsafeRawBufferPointer) {
        var splitter = self.splitter
        splitter.feed(chunk) { line, offset in
            if isSound { isSound = take(line, at: offset) }
        }
        self.splitter = splitter
    }

    /// How far the ledger is right if it is right up to `joint`; nil where it may not be.
    package func join(_ joint: Joint) -> Joint? {
        guard isSound, splitter.lineOffset == splitter.offset else { return nil }
        guard let before else { return joint }
        guard before.seq == joint.tip.seq, before.digest == joint.tip.digest, before.ts >= joint.tip.ts,
            joint.missing <= linesBefore ?? .max
        else { return nil }
        var joined = joint
        joined.tip = tip
        joined.missing = linesBefore == nil ? max(0, joint.missing - lines) : missing
        joined.head = joined.missing == 0 ? tip : head ?? joint.head
        return joined
    }

    private mutating func take(_ line: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard line.count <= EntryCodec.longestLine, let frame = EntryFrame(line),
            let ts = Timestamp(spelling: frame.time)
        else { return false }
        if before == nil {
            before = LedgerHead(seq: frame.seq - 1, digest: frame.prev, ts: ts, length: offset)
        } else {
            guard frame.seq == tip.seq + 1, frame.prev == tip.digest, ts >= tip.ts else { return false }
        }
        if let of = frame.of {
            guard missing == 0, of >= 2, of <= LedgerScanner.largestDecision else { return false }
            missing = of
            if linesBefore == nil {
                linesBefore = lines
                if lines > 0 { head = tip }
            }
        }
        let digest = Digest.sha256(line)
        if !knownHeads.isEmpty, let known = knownHeads[frame.seq], known != digest { return false }
        tip = LedgerHead(seq: frame.seq, digest: digest, ts: ts, length: offset + line.count + 1)
        lines += 1
        missing = max(0, missing - 1)
        if linesBefore != nil, missing == 0 { head = tip }
        return true
    }
}
