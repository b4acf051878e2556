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

    @Test(
        "`@retry` visits groups and loops again, with new visits of what is inside",
        arguments: [
            ("{id: g, steps: [{id: i, run: [x]}]}", "g.i"), ("{id: g, forEach: [1], run: [x]}", "g-0"),
            ("{id: g, forEach: [1], steps: [{id: i, run: [x]}]}", "g-0.i"),
            ("{id: g, steps: [{id: l, forEach: [1], steps: [{id: i, run: [x]}]}]}", "g.l-0.i"),
        ])
    func inside(step: String, address: String) throws {
        var run = try EngineRun.started(graph(step, also: "failure: hold\n"))
        let total = run.state.counts.total
        try run.end(address, .exited(1))
        #expect(run.state.status == .paused)
        run = try run.reread()
        try run.drop("@retry.json")
        #expect(run.state.counts.total == total)
        #expect(try run.attempt(address).reference.visit == 2)
        try run.end(address)
        #expect(run.state.status == .completed)
        #expect(run.state.counts.failed == 0)
        #expect(run.state.counts.total == total)
    }

    @Test("a question inside a group that is visited again is asked again")
    func askedAgain() throws {
        var run = try EngineRun.started(
            graph(
                "{id: g, steps: [{id: q, ask: {prompt: Go?}}, {id: i, run: [x]}]}", also: "failure: hold\n"))
        try run.drop("g.q.txt", "yes")
        try run.end("g.i", .exited(1))
        try run.drop("@retry.json")
        #expect(run.state.waits.keys.sorted() == ["g.q.2"])
        try run.drop("g.q.2.txt", "yes")
        try run.end("g.i")
        #expect(run.state.status == .completed)
    }

    @Test("groups and loops beside what failed go on where they were")
    func beside() throws {
        let yaml = graph(
            "{id: f, needs: [], run: [f]}", "{id: g, needs: [], steps: [{id: a, run: [a]}, {id: b, run: [b]}]}",
            "{id: l, needs: [], forEach: {items: [1, 2], maxParallel: 1}, run: [l]}",
            "{id: z, needs: [g, l], set: {x: 1}}", also: "failure: hold\n")
        var run = try EngineRun.started(yaml)
        try run.end("f", .exited(1))
        try run.end("g.a")
        try run.end("l-0")
        #expect(run.state.status == .paused)
        #expect(run.status("g") == .running)
        var other = try run.reread()
        try other.drop("@cancel.json")
        #expect(other.state.status == .cancelled)
        try run.drop("@retry.json")
        #expect(run.state.outstandingAttempts.map(\.reference.step).sorted() == ["f", "g.b", "l-1"])
        for step in ["f", "g.b", "l-1"] { try run.end(step) }
        #expect(run.status("z") == .completed)
        #expect(run.state.status == .completed)
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
