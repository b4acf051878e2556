import Testing
import WaybillCore
@testable import WaybillEngine

@Suite("Entries as lines")
struct EntryCodecTests {
    private let time = Timestamp(microseconds: 1_795_169_703_214_159)

    @Test("members have the contract's order, and absent ones are left out")
    func line() {
        let entry = Entry(
            seq: 17, ts: time, type: .taskEnd, actor: .user, by: "alice", step: "load-3.build", visit: 1, attempt: 2,
            of: 3, data: ["z": 80.0, "a": nil], prev: .zero)
        let zeros = String(repeating: "0", count: 64)
        #expect(
            String(decoding: EntryCodec.line(entry), as: UTF8.self)
                == #"{"seq":17,"ts":"2026-11-20T10:15:03.214159Z","type":"TASK_END","actor":"user","by":"alice","#
                + #""step":"load-3.build","visit":1,"attempt":2,"of":3,"data":{"a":null,"z":80.0},"prev":"\#(zeros)"}"#)
        let small = Entry(seq: 1, ts: time, type: .runStart, prev: .zero)
        #expect(
            String(decoding: EntryCodec.line(small), as: UTF8.self)
                == #"{"seq":1,"ts":"2026-11-20T10:15:03.214159Z","type":"RUN_START","actor":"engine","data":{},"#
                + #""prev":"\#(zeros)"}"#)
    }

    @Test("what is written reads back, types of a newer version too")
    func roundTrip() throws {
        let entry = Entry(
            seq: 2, ts: time, type: EntryType(rawValue: "TASK_DREAMT"), actor: Actor(rawValue: "robot"),
            by: "a,\"of\":9",
            step: "a", visit: 1, data: ["n": 1, "d": 1e300, "s": "é\u{1}"], prev: Digest.sha256("x"))
        #expect(try EntryCodec.parse(EntryCodec.line(entry)) == entry)
    }

    @Test("any other spelling of the same entry is refused")
    func strict() throws {
        let zeros = String(repeating: "0", count: 64)
        let head = #""ts":"2026-11-20T10:15:03.214159Z","type":"RUN_START","actor":"engine""#
        let good = #"{"seq":1,\#(head),"data":{},"prev":"\#(zeros)"}"#
        #expect(throws: Never.self) { try EntryCodec.parse(Array(good.utf8)) }
        let bad = [
            #"{"seq":1, \#(head),"data":{},"prev":"\#(zeros)"}"#,
            #"{\#(head),"seq":1,"data":{},"prev":"\#(zeros)"}"#,
            #"{"seq":1,\#(head),"data":{},"prev":"\#(zeros)","x":1}"#,
            #"{"seq":1,\#(head),"data":{"b":1,"a":2},"prev":"\#(zeros)"}"#,
            #"{"seq":1,\#(head),"data":{"a":1.50},"prev":"\#(zeros)"}"#,
            #"{"seq":1,\#(head),"data":{"a":"\u0041"},"prev":"\#(zeros)"}"#,
            #"{"seq":0,\#(head),"data":{},"prev":"\#(zeros)"}"#,
            #"{"seq":1,\#(head),"visit":null,"data":{},"prev":"\#(zeros)"}"#,
            #"{"seq":1,\#(head),"data":{},"prev":"\#(zeros.dropLast())"}"#,
            #"{"seq":1,\#(head),"prev":"\#(zeros)"}"#,
            good.replacing("10:15:03.214159Z", with: "10:15:03Z"),
            good.replacing("RUN_START", with: "run"), good.replacing("engine", with: ""), good + "\n", "[]", "", "\0",
        ]
        for line in bad {
            #expect(throws: LedgerError.self, "\(line)") { try EntryCodec.parse(Array(line.utf8)) }
        }
    }

    @Test("the quick reader takes nothing that the strict one refuses, and reads the same from it")
    func quickReader() {
        let entry = Entry(
            seq: 17, ts: time, type: .taskEnd, actor: .user, by: "alice", step: "load-3.build", visit: 1, attempt: 2,
            of: 3, data: ["a": [1, -0, 80.0, true, nil], "b": ["c": "é\n", "d": ""], "z": 1e300], prev: .zero)
        let small = Entry(seq: 1, ts: time, type: .runStart, data: ["n": 1, "s": "x"], prev: Digest.sha256("x"))
        var taken = 0
        for line in [entry, small].map(EntryCodec.line) {
            #expect(quick(line) == strict(line))
            for index in line.indices {
                for byte in Array(#" "\,:.{}[]-+01eETZabnxA_/"#.utf8) + [0, 10, 0x7F, 0x80, 0xC3] {
                    var replaced = line
                    replaced[index] = byte
                    var inserted = line
                    inserted.insert(byte, at: index)
                    for other in [replaced, inserted] {
                        guard let read = quick(other) else { continue }
                        taken += 1
                        #expect(read == strict(other), "\(String(decoding: other, as: UTF8.self))")
                    }
                }
                var shorter = line
                shorter.remove(at: index)
                if let read = quick(shorter) { #expect(read == strict(shorter)) }
                #expect(quick(Array(line[..<index])) == nil)
            }
        }
        // Most other bytes make no entry; digits and letters in the right places do.
        #expect(taken > 1_000)
    }

    private func quick(_ line: [UInt8]) -> Entry? {
        line.withUnsafeBytes { bytes in
            var reader = EntryReader(bytes)
            return reader.entry()
        }
    }

    private func strict(_ line: [UInt8]) -> Entry? { line.withUnsafeBytes { try? EntryCodec.parseAny($0) } }
}
