import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

@testable import WaybillRuntime

@Suite("The spool of hooks")
struct HookSpoolTests {
    private let bench: HookBench
    private let spool: HookSpool

    init() throws {
        bench = try HookBench()
        spool = HookSpool(caches: bench.tree.caches)
    }

    private func put(_ seq: Int, _ name: String = "run.start") throws -> SpooledEvent {
        let entry = Entry(seq: seq, ts: bench.clock.now(), type: .runStart, prev: .zero)
        try spool.put(TraceEvent(name: name, run: HookBench.run, entry: entry), durability: .relaxed)
        return SpooledEvent(run: HookBench.run, seq: seq, event: name)
    }

    @Test("a file's name says run, entry and event, and nothing else is taken for one")
    func names() throws {
        let event = SpooledEvent(run: HookBench.run, seq: 17, event: "run.error")
        #expect(event.fileName == "release-20261120T101500-7k3f9q.17.run.error.json")
        #expect(SpooledEvent(fileName: event.fileName) == event)
        for name in [
            "a.1.run.error", "a.0.run.error.json", "a.+1.run.error.json", "a.1.x.json", ".a.1.run.ok.json.1-1.tmp",
        ] {
            #expect(SpooledEvent(fileName: name) == nil)
        }
    }

    @Test("the first events come in the order of the ledger, a bounded number of them")
    func first() throws {
        _ = try [(12, "run.end"), (3, "run.start"), (12, "run.ok"), (100, "run.paused")].map { try put($0.0, $0.1) }
        let all = try spool.first(10) { _ in true }
        #expect(
            all.events.map { "\($0.seq) \($0.event)" } == ["3 run.start", "12 run.ok", "12 run.end", "100 run.paused"])
        #expect(!all.hasMore && all.total == 4)
        let some = try spool.first(2) { $0.seq > 3 }
        #expect(some.events.map { "\($0.seq) \($0.event)" } == ["12 run.ok", "12 run.end"])
        #expect(some.hasMore && some.total == 4)
    }

    @Test("one process at a time delivers an event, and what was delivered cannot be claimed")
    func claims() throws {
        let event = try put(1)
        let claim = try #require(try spool.claim(event))
        let error = #expect(throws: FileSystemError.self) { try spool.claim(event) }
        #expect(error?.code == .locked)
        try spool.remove(event)
        claim.close()
        #expect(try spool.claim(event) == nil)
    }

    @Test("a cursor is read as it was written, and a broken one is none")
    func cursors() throws {
        let head = LedgerHead(seq: 9, digest: .sha256(Array("x".utf8)), ts: bench.clock.now(), length: 1_234)
        #expect(spool.cursor(of: HookBench.run) == nil)
        try spool.setCursor(of: HookBench.run, to: head)
        #expect(spool.cursor(of: HookBench.run) == head)
        bench.folder.write(".waybill/hooks/cursor/\(HookBench.run)", "{\"format\":1,\"seq\":")
        #expect(spool.cursor(of: HookBench.run) == nil)
    }
}
