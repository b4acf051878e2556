import Testing
import WaybillCore
import WaybillEngine

@testable import WaybillRuntime

@Suite("How far hooks have come in a run")
struct HookProgressTests {
    private func head(_ seq: Int) -> LedgerHead {
        LedgerHead(seq: seq, digest: .zero, ts: Timestamp(microseconds: 0), length: seq * 100)
    }

    @Test("decisions without events move the cursor at once")
    func silent() {
        var progress = HookProgress(done: nil)
        progress.add(0, lost: 0, upTo: head(3))
        #expect(progress.done == head(3))
        #expect(progress.lag == 3)
    }

    @Test("the cursor stays before the first event that is under way")
    func inOrder() {
        var progress = HookProgress(done: head(1))
        progress.add(1, lost: 0, upTo: head(2))
        progress.add(0, lost: 0, upTo: head(4))
        progress.add(2, lost: 0, upTo: head(6))
        progress.finish(5)
        #expect(progress.done == head(1))
        progress.finish(2)
        #expect(progress.done == head(4))
        progress.finish(6)
        #expect(progress.done == head(6))
        #expect(progress.isIdle)
    }

    @Test("an event that could not be spooled holds the cursor")
    func lost() {
        var progress = HookProgress(done: nil)
        progress.add(0, lost: 1, upTo: head(1))
        progress.add(1, lost: 0, upTo: head(2))
        progress.finish(2)
        #expect(progress.done == nil)
        #expect(progress.hasLost)
    }

    @Test("a long backlog is kept in few pieces and still ends at its end")
    func backlog() {
        var progress = HookProgress(done: nil)
        for seq in 1...1_000 { progress.add(1, lost: 0, upTo: head(seq)) }
        for seq in 1...999 { progress.finish(seq) }
        #expect(progress.done == head(63))
        progress.finish(1_000)
        #expect(progress.done == head(1_000))
    }
}
