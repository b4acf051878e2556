import Testing
import WaybillCore
import WaybillEngine

@Suite("Rejections beyond the limit")
struct RejectionTests {
    private func flooded() throws -> EngineRun {
        var run = try EngineRun.started(graph("{id: q, ask: {prompt: Go?}}"))
        for _ in 0..<RejectionLimits.count { try run.drop("junk.json", "1") }
        _ = run.news()
        return run
    }

    @Test("a thousand are recorded one by one; the rest is counted once a minute, and before the end")
    func counting() throws {
        var run = try flooded()
        #expect(run.state.rejections.recorded == 1_000)
        try run.drop("junk.json", "1")
        #expect(run.settlement?.verdict == .counted(.unknownWait))
        #expect(run.settlement?.seq == nil)
        #expect(run.news() == ["ANSWER_REJECTED count 1"])
        for _ in 0..<50 { try run.drop("junk.json", "1") }
        #expect(run.news() == [])
        #expect(run.engine.nextTick == run.now + .seconds(60))
        try run.tick(after: .seconds(60))
        #expect(run.news() == ["ANSWER_REJECTED count 50"])
        #expect(run.engine.nextTick == nil)
        try run.drop("junk.json", "1")
        try run.drop("q.json", "1")
        #expect(run.news().suffix(2) == ["ANSWER_REJECTED count 1", "RUN_END completed outputs={}"])
        #expect(run.state.rejections.counted == 52)
        #expect(run.state.rejections.recorded == 1_000)
    }

    @Test("what an engine has not said yet is handed on to the next one")
    func handedOn() throws {
        var run = try flooded()
        for _ in 0..<3 { try run.drop("junk.json", "1") }
        #expect(run.engine.uncountedRejections == 2)
        var next = RunEngine(
            definition: run.definition, state: run.state, payloads: run.store,
            uncountedRejections: run.engine.uncountedRejections)
        let decision = try next.handle(.tick, at: Moment(now: run.now + .seconds(60), boot: "boot-1"))
        #expect(decision.entries.map(\.entry.summary) == ["ANSWER_REJECTED count 2"])
    }

    @Test("a file too large to be kept is recorded with its reason like any other")
    func large() throws {
        var run = try EngineRun.started(graph("{id: q, ask: {prompt: Go?}}"))
        try run.dropRefused("q.json", .size, size: 1 << 40)
        #expect(run.settlement?.verdict == .rejected(.size))
        try run.dropRefused("q.json", .type)
        #expect(run.settlement?.verdict == .rejected(.type))
        #expect(run.state.rejections.recorded == 2)
    }
}
