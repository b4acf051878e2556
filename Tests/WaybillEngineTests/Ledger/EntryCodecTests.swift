import Testing
import WaybillCore
import WaybillEngine

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
}
