import Testing
import WaybillCore
import WaybillEngine

@Suite("Held runs")
struct HoldTests {
    private let held = graph(
        "{id: a, run: [a], compensate: {run: [una]}}", "{id: b, run: [b]}", "{id: c, run: [c]}",
        also: "failure: hold\n")

    private func started() throws -> EngineRun {
        var run = try EngineRun.started(held)
        try run.end("a")
        _ = run.news()
        try run.end("b", .exited(4))
        return run
    }

    @Test("a failure holds the run, and `@retry` visits again what failed")
    func retry() throws {
        var run = try started()
        #expect(run.news() == ["TASK_END b/1 failed exitCode=4 exit[b]: exited with code 4", "RUN_PAUSED"])
        #expect(run.entries(.runPaused).last?.data["reason"] == "hold")
        #expect(run.state.status == .paused)
        try run.drop("@resume.json")
        #expect(run.settlement?.message.contains("@retry tries again") == true)
        _ = run.news()
        try run.drop("@retry.json")
        #expect(run.news() == ["ANSWER_ACCEPTED @retry by bob", "RUN_RESUMED", "TASK_START b.2/1 run"])
        try run.end("b")
        try run.end("c")
        #expect(run.state.status == .completed)
    }

    @Test("`@cancel` of a held run undoes")
    func cancel() throws {
        var run = try started()
        try run.drop("@cancel.json")
        #expect(run.launched == ["a-compensate"])
        try run.end("a-compensate")
        #expect(run.state.status == .cancelled)
        #expect(run.state.error?.step == "b")
        #expect(run.report?["compensated"] == ["a"])
    }

    @Test("it holds once what runs has ended, and open questions stay open")
    func quiet() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, needs: [], run: [a]}", "{id: b, needs: [], run: [b]}",
                "{id: q, needs: [], ask: {prompt: Go?, timeout: 1m, default: 0}}", also: "failure: hold\n"))
        try run.end("b", .exited(1))
        #expect(run.state.status == .running)
        try run.end("a")
        #expect(run.state.status == .paused)
        #expect(run.state.waits.keys.sorted() == ["q"])
        try run.tick(after: .seconds(120))
        #expect(run.state.waits.keys.sorted() == ["q"])
        try run.drop("@retry.json")
        try run.tick()
        #expect(run.output("q") == 0)
        try run.end("b")
        #expect(run.state.status == .completed)
    }
}
