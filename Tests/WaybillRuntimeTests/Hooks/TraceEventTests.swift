import Testing
import WaybillCore
import WaybillEngine

@testable import WaybillRuntime

@Suite("Trace events")
struct TraceEventTests {
    private let run = HookBench.run

    private func names(_ type: EntryType, _ data: Object = Object()) -> [String] {
        let entry = Entry(seq: 1, ts: Timestamp(microseconds: 0), type: type, data: data, prev: .zero)
        return TraceEvent.events(for: entry, run: run).map(\.name)
    }

    @Test("an entry has the names that the contract gives it")
    func mapping() {
        #expect(names(.runStart) == ["run.start"])
        #expect(names(.runEnd, ["status": "completed"]) == ["run.ok", "run.end"])
        #expect(names(.runEnd, ["status": "failed"]) == ["run.error", "run.end"])
        #expect(names(.runEnd, ["status": "cancelled"]) == ["run.end"])
        #expect(names(.runPaused) == ["run.paused"])
        #expect(names(.taskWaiting) == ["wait.opened"])
        #expect(names(.taskResumed) == ["wait.closed"])
        #expect(names(.taskStart) == ["step.start"])
        #expect(names(.taskEnd, ["status": "failed"]) == ["step.error"])
        #expect(names(.taskEnd, ["status": "completed"]) == [])
        #expect(names(.checkpoint) == [])
    }

    @Test("an event is the entry's own line with its delivery id around it")
    func json() throws {
        let entry = Entry(
            seq: 17, ts: try #require(Timestamp(rfc3339: "2026-11-20T10:15:03.214159Z")), type: .taskEnd, step: "build",
            visit: 1, attempt: 2, data: ["status": "failed"], prev: .zero)
        let event = try #require(TraceEvent.events(for: entry, run: run).first)
        let zeros = String(repeating: "0", count: 64)
        #expect(
            String(decoding: event.json, as: UTF8.self)
                == #"{"format":1,"event":"step.error","run":"release-20261120T101500-7k3f9q","seq":17,"#
                + #""entry":{"seq":17,"ts":"2026-11-20T10:15:03.214159Z","type":"TASK_END","actor":"engine","#
                + #""step":"build","visit":1,"attempt":2,"data":{"status":"failed"},"prev":"\#(zeros)"}}"#)
    }
}
