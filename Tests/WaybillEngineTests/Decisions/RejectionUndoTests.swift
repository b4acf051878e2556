import Testing
import WaybillCore
import WaybillEngine

@Suite("Undoing rejected results")
struct RejectionUndoTests {
    private let retried =
        "{id: a, run: [a], output: json, verify: [output.n > 1], "
        + "retry: {maxAttempts: 3, initial: 1s, on: [verification]}, "
        + "compensate: {run: [una, '${{ output.n }}', '${{ visit }}']}}"

    @Test("before another attempt a rejected result is undone, and the accepted one stands")
    func retry() throws {
        var run = try EngineRun.started(graph(retried, "{id: b, run: [b]}"))
        _ = run.news()
        try run.end("a", printing: "{\"n\":1}")
        #expect(
            run.news() == [
                "VERIFICATION a verify[0] (output.n > 1) is false", "COMPENSATION a/1", "TASK_START a-compensate/1 run",
            ])
        #expect(try run.argv("a-compensate") == ["una", "1", "1"])
        #expect(run.status("a") == .running)
        #expect(run.state.compensationReport["status"] == "running")
        run = try run.reread()
        _ = run.news()
        try run.end("a-compensate")
        #expect(
            run.news() == [
                "TASK_END a-compensate/1 completed exitCode=0", "TASK_RETRY a/2 verification",
                "TASK_WAITING a/1 a-retry retry until 2026-11-20T10:00:03.000000Z",
            ])
        try run.tick(after: .seconds(1))
        try run.end("a", printing: "{\"n\":2}")
        #expect(run.launched == ["b"])
        var failed = run
        try run.end("b")
        #expect(run.state.status == .completed)
        #expect(run.report == ["status": "completed", "compensated": ["a"], "standing": [], "final": []])
        // What was accepted is undone as well where the run fails, under a visit of its own.
        try failed.end("b", .exited(1))
        #expect(try failed.argv("a-compensate") == ["una", "2", "1"])
        #expect(try failed.attempt("a-compensate").reference.visit == 2)
        try failed.end("a-compensate")
        #expect(failed.report?["compensated"] == ["a", "a"])
    }

    @Test(
        "where the failure is passed over, what follows begins once the rejected result is undone",
        arguments: ["continueOnError: true", "catch: [{output: {n: 0}}]"])
    func passedOver(modifier: String) throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], output: json, verify: [output.n > 1], compensate: {run: [una]}, \(modifier)}",
                "{id: b, run: [b]}"))
        try run.end("a", printing: "{\"n\":1}")
        #expect(run.launched == ["a-compensate"])
        try run.end("a-compensate")
        #expect(run.launched == ["b"])
        try run.end("b")
        #expect(run.state.status == .completed)
        #expect(run.report?["compensated"] == ["a"])
    }

    @Test("inside what may pass over a failure it is undone as well, and a denied result like one that is not verified")
    func around() throws {
        var run = try EngineRun.started(
            graph(
                "{id: l, forEach: {items: [x, y], onItemFailure: collect}, run: [a], output: json, "
                    + "compensate: {run: [una, '${{ item }}']}}")
                + "---\nkind: Policy\nname: p\nrules: [{id: r, at: step.after, deny: 'output == 1'}]\n")
        try run.end("l-1", printing: "1")
        #expect(try run.argv("l-1-compensate") == ["una", "y"])
        try run.end("l-0", printing: "2")
        try run.end("l-1-compensate")
        #expect(run.state.status == .completed)
        #expect(run.report?["compensated"] == ["l-1"])
    }

    @Test("one that cannot be undone stands, and the run says so")
    func standing() throws {
        var run = try EngineRun.started(graph(retried))
        try run.end("a", printing: "{\"n\":1}")
        try run.end("a-compensate", .exited(1))
        try run.tick(after: .seconds(1))
        try run.end("a", printing: "{\"n\":2}")
        #expect(run.state.status == .completed)
        #expect(run.report == ["status": "failed", "compensated": [], "standing": ["a"], "final": []])
    }

    @Test("if the run ends meanwhile, it is undone with the rest")
    func cancelled() throws {
        var run = try EngineRun.started(graph(retried))
        try run.end("a", printing: "{\"n\":1}")
        try run.drop("@cancel.json")
        try run.end("a-compensate", .stopped)
        #expect(run.launched == ["a-compensate"])
        #expect(try run.attempt("a-compensate").reference.visit == 2)
        try run.end("a-compensate")
        #expect(run.state.status == .cancelled)
        #expect(run.report == ["status": "completed", "compensated": ["a"], "standing": [], "final": []])
    }

    @Test("a run that rolled back and then completed has nothing to report")
    func rolledBack() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [a], compensate: {run: [una]}}", "{id: b, run: [b]}", also: "onPause: rollback\n"))
        try run.end("a")
        try run.drop("@pause.json")
        try run.end("b")
        try run.end("a-compensate")
        #expect(run.state.status == .paused)
        #expect(run.state.compensationReport["compensated"] == ["a"])
        try run.drop("@resume.json")
        try run.end("a")
        try run.end("b")
        #expect(run.state.status == .completed)
        #expect(run.report == nil)
        #expect(run.state.compensationReport == .null)
    }
}
