import Testing
import WaybillCore
import WaybillEngine

@Suite("Scanning ledgers")
struct LedgerScannerTests {
    private let genesis = Digest.sha256("index")
    private let time = Timestamp(microseconds: 1_000_000)

    /// Five decisions: of 1, 3, 1, 2 and 1 entries.
    private var decisions: [[(entry: Entry, line: [UInt8])]] {
        var head = LedgerHead.start(genesis: genesis)
        return [1, 3, 1, 2, 1].enumerated().map { number, count in
            let drafts = (0..<count).map {
                EntryDraft(
                    .taskEnd, step: "s\($0)", visit: 1, data: ["n": .int(Int64(number)), "text": "of:\"data\":{"])
            }
            return head.append(drafts, at: time + .seconds(number))
        }
    }

    private var lines: [[UInt8]] { decisions.joined().map(\.line) }
    private var bytes: [UInt8] { Array(lines.joined()) }

    private func scan(
        _ bytes: [UInt8], chunk: Int = .max, knownHeads: [Int: Digest] = [:]
    ) -> (entries: [Entry], verdict: LedgerVerdict) {
        var scanner = LedgerScanner(after: .start(genesis: genesis), knownHeads: knownHeads)
        var verifier = LedgerVerifier(after: .start(genesis: genesis), knownHeads: knownHeads)
        var entries: [Entry] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(chunk))
            scanner.feed(piece) { entries.append($0.entry) }
            verifier.feed(piece)
            rest = rest.dropFirst(chunk)
        }
        let verdict = scanner.finish()
        // Both scans agree on where the good part ends and on what the rest is.
        let fast = verifier.finish()
        #expect(fast.head == verdict.head)
        switch (fast, verdict) {
        case (.whole, .whole), (.torn, .torn), (.damaged, .damaged): break
        default: Issue.record("the verifier says \(fast), the scanner \(verdict)")
        }
        // So does a check in stretches; each ledger is cut elsewhere.
        let starts = lineStarts(bytes)
        let first = bytes.count % starts.count
        let cuts = [starts[first], starts[min(first + 2, starts.count - 1)]]
        #expect(verifyInStretches(bytes, cuts, knownHeads) == fast, "cut at \(cuts)")
        return (entries, verdict)
    }

    private func lineStarts(_ bytes: [UInt8]) -> [Int] {
        [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    private func verifyInStretches(_ bytes: [UInt8], _ cuts: [Int], _ knownHeads: [Int: Digest]) -> LedgerVerdict {
        let head = LedgerHead.start(genesis: genesis)
        var joint = LedgerStretch.Joint(after: head)
        for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
            var stretch = LedgerStretch(at: start, knownHeads: knownHeads)
            bytes[start..<end].withUnsafeBytes { stretch.feed($0) }
            guard let joined = stretch.join(joint) else { break }
            joint = joined
        }
        var verifier = LedgerVerifier(after: joint.head, knownHeads: knownHeads)
        verifier.feed(Array(bytes[joint.head.length...]))
        return verifier.finish()
    }

    private func reason(_ verdict: LedgerVerdict) -> LedgerError? {
        switch verdict {
        case .whole: nil
        case .torn(_, _, let reason), .damaged(_, let reason): reason
        }
    }

    @Test(
        "a whole ledger gives its entries and head, however it is cut into chunks", arguments: [1, 7, 64, 1_000, .max])
    func whole(chunk: Int) {
        let (entries, verdict) = scan(bytes, chunk: chunk)
        #expect(entries == decisions.joined().map(\.entry))
        let last = Digest.sha256(lines[7].dropLast())
        #expect(
            verdict == .whole(LedgerHead(seq: 8, digest: last, ts: time + .seconds(4), length: bytes.count)))
    }

    @Test("an empty ledger is whole")
    func empty() {
        #expect(scan([]).verdict == .whole(.start(genesis: genesis)))
    }

    @Test("cut at any byte, a ledger is torn at the end of the last whole decision")
    func tornAnywhere() {
        var ends = [0]
        for decision in decisions { ends.append(ends[ends.count - 1] + decision.reduce(0) { $0 + $1.line.count }) }
        for length in 0...bytes.count {
            let (entries, verdict) = scan(Array(bytes[..<length]), chunk: 50)
            let end = ends.last { $0 <= length } ?? 0
            #expect(verdict.head.length == end)
            #expect(entries.count == verdict.head.seq)
            if end == length {
                #expect(verdict == .whole(verdict.head))
            } else {
                guard case .torn(_, let tail, _) = verdict else {
                    Issue.record("cut at \(length): \(verdict)")
                    continue
                }
                #expect(tail == length - end)
            }
        }
    }

    @Test("zeros in the last write are a hole that a power loss left, also before entries that are whole")
    func holes() {
        var bytes = bytes
        let start = lines[..<5].reduce(0) { $0 + $1.count }
        for index in (start + 10)..<(start + 60) { bytes[index] = 0 }
        let (entries, verdict) = scan(bytes)
        #expect(entries.count == 5)
        #expect(verdict.head.seq == 5)
        guard case .torn(_, bytes.count - start, let reason) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(reason.seq == 6)
        // What was known to exist is no unfinished write.
        let known = [6: Digest.sha256(lines[5].dropLast())]
        guard case .damaged(_, let why) = scan(bytes, knownHeads: known).verdict else {
            Issue.record("a known head is missing")
            return
        }
        #expect(why.seq == 6)
        #expect(why.message.hasPrefix("the ledger ends before entry 6, which is known to exist"))
    }

    @Test("garbage at the very end is torn, whatever it is", arguments: ["x\n", "\0\0\0", "{}\n", "{\"seq\":9}\n\n\n"])
    func garbageAtTheEnd(garbage: String) {
        let (entries, verdict) = scan(bytes + Array(garbage.utf8))
        #expect(entries.count == 8)
        guard case .torn(let head, garbage.utf8.count, _) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(head.seq == 8)
    }

    @Test("a changed entry is found where the chain breaks, with the number of the entry")
    func changed() {
        var changed = lines
        let text = String(decoding: changed[1], as: UTF8.self).replacing("\"n\":1", with: "\"n\":7")
        changed[1] = Array(text.utf8)
        let (entries, verdict) = scan(Array(changed.joined()))
        #expect(entries.count == 1)
        let offset = lines[0].count + lines[1].count
        #expect(
            verdict
                == .damaged(
                    verdict.head,
                    reason: LedgerError(
                        .chain, "it does not follow from the line above: one of the two was changed", seq: 3,
                        offset: offset)))
    }

    @Test("removed, doubled and exchanged entries are found")
    func moved() {
        var removed = lines
        removed.remove(at: 4)
        #expect(reason(scan(Array(removed.joined())).verdict)?.code == .sequence)
        var doubled = lines
        doubled.insert(lines[4], at: 4)
        #expect(reason(scan(Array(doubled.joined())).verdict)?.code == .sequence)
        var exchanged = lines
        exchanged.swapAt(4, 5)
        let verdict = scan(Array(exchanged.joined())).verdict
        #expect(reason(verdict)?.code == .sequence)
        #expect(reason(verdict)?.seq == 5)
        guard case .damaged = verdict else {
            Issue.record("\(verdict)")
            return
        }
    }

    @Test("a cut-off end is damage for whoever knows a head, and nobody else can tell")
    func cutOff() {
        let short = Array(lines[..<7].joined())
        let head = Digest.sha256(lines[7].dropLast())
        #expect(reason(scan(short).verdict) == nil)
        guard case .damaged(_, let reason) = scan(short, knownHeads: [8: head]).verdict else {
            Issue.record("a known head is missing")
            return
        }
        #expect(reason.code == .head)
        #expect(reason.seq == 8)
        #expect(self.reason(scan(bytes, knownHeads: [8: head, 0: genesis]).verdict) == nil)
    }

    @Test("a rewritten history is damage for whoever knows a head")
    func rewritten() {
        var head = LedgerHead.start(genesis: genesis)
        let other = Array((0..<8).flatMap { _ in head.append([EntryDraft(.taskEnd)], at: time) }.map(\.line).joined())
        #expect(reason(scan(other).verdict) == nil)
        let known = [5: Digest.sha256(lines[4].dropLast())]
        guard case .damaged(_, let reason) = scan(other, knownHeads: known).verdict else {
            Issue.record("the known head is another")
            return
        }
        #expect(reason.code == .head)
        #expect(reason.seq == 5)
    }

    @Test("a ledger of another definition is damage")
    func otherGenesis() {
        var scanner = LedgerScanner(after: .start(genesis: .zero))
        scanner.feed(bytes) { _ in Issue.record("no entry verifies") }
        #expect(reason(scanner.finish())?.code == .genesis)
        guard case .damaged = scanner.finish() else {
            Issue.record("it is damaged")
            return
        }
    }

    @Test("time does not go back, and decisions do not begin inside others")
    func order() {
        var head = LedgerHead.start(genesis: genesis)
        let first = head.append([EntryDraft(.runStart)], at: time + .seconds(5))
        let late = head.append([EntryDraft(.runEnd)], at: time)
        #expect(late[0].entry.ts == first[0].entry.ts)
        for (change, code) in [
            ({ (entry: inout Entry) in entry.ts = Timestamp(microseconds: 0) }, LedgerError.Code.time),
            ({ (entry: inout Entry) in entry.of = 1 }, .decision),
            ({ (entry: inout Entry) in entry.of = 2_000_000 }, .decision),
            ({ (entry: inout Entry) in entry.seq = 3 }, .sequence),
        ] {
            var entry = late[0].entry
            change(&entry)
            let verdict = scan(first[0].line + EntryCodec.line(entry) + [UInt8(ascii: "\n")]).verdict
            #expect(reason(verdict)?.code == code)
            #expect(verdict.head.seq == 1)
        }
    }

    @Test("a scan can go on from a checkpoint's head")
    func fromTheMiddle() {
        var head = LedgerHead.start(genesis: genesis)
        _ = head.append([EntryDraft(.runStart)], at: time)
        let middle = head
        let more = head.append([EntryDraft(.taskStart), EntryDraft(.runEnd)], at: time)
        var scanner = LedgerScanner(after: middle)
        var offsets: [Int] = []
        scanner.feed(Array(more.map(\.line).joined())) { offsets.append($0.offset) }
        #expect(scanner.finish() == .whole(head))
        #expect(offsets == [middle.length, middle.length + more[0].line.count])
    }

    @Test("any bytes give a verdict, and nothing behind a change verifies")
    func anything() {
        let good = bytes
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<500 {
            var bytes = good
            for _ in 0...random(3) { bytes[random(bytes.count)] = UInt8(random(256)) }
            guard let change = bytes.indices.first(where: { bytes[$0] != good[$0] }) else { continue }
            var scanner = LedgerScanner(after: .start(genesis: genesis))
            var verifier = LedgerVerifier(after: .start(genesis: genesis))
            scanner.feed(bytes) { _ in }
            verifier.feed(bytes)
            let strict = scanner.finish().head
            let verdict = verifier.finish()
            let fast = verdict.head
            let starts = lineStarts(bytes)
            #expect(verifyInStretches(bytes, [starts[random(starts.count)]], [:]) == verdict)
            // The changed line itself may still be an entry, and the faster scan does not read it all; the line
            // behind it names another digest in any case.
            let end = good[change...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? good.count
            #expect(strict.length <= fast.length)
            #expect(fast.length <= end)
        }
    }
}
