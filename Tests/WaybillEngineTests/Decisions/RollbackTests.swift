import Testing
import WaybillCore
import WaybillEngine

@Suite("A pause that rolls back")
struct RollbackTests {
    private let rolling = graph(
        "{id: a, run: [a], update: {n: '${{ vars.n + 1 }}'}, compensate: {run: [una]}}",
        "{id: g, steps: [{id: s, run: [s]}]}", "{id: q, ask: {prompt: Go?}}",
        also: "onPause: rollback\nvars: {n: {default: 0}}\noutputs: {n: '${{ vars.n }}'}\n")

    private func waiting() throws -> EngineRun {
        var run = try EngineRun.started(rolling)
        try run.end("a")
        try run.end("g.s")
        _ = run.news()
        return run
    }

    @Test("it undoes in reverse before it reports `paused`, and starts over as new visits")
    func rollback() throws {
        var run = try waiting()
        try run.drop("@pause.json")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED @pause by bob", "BRANCH_TAKEN to undoing", "TASK_RESUMED q/1 q by end",
                "TASK_END q/1 cancelled cancelled[q]: the run ended while this step waited", "COMPENSATION a",
                "TASK_START a-compensate/1 run",
            ])
        #expect(run.state.status == .running)
        try run.end("a-compensate")
        #expect(run.news() == ["TASK_END a-compensate/1 completed exitCode=0", "RUN_PAUSED"])
        #expect(run.entries(.runPaused).last?.data["reason"] == "rollback")
        #expect(run.state.status == .paused)
        #expect(run.status("a") == .compensated)
        try run.drop("@resume.json")
        #expect(run.news() == ["ANSWER_ACCEPTED @resume by bob", "RUN_RESUMED", "TASK_START a.2/1 run"])
        try run.end("a")
        try run.end("g.s")
        #expect(run.entries(.taskEnd).last { $0.step == "g.s" }?.visit == 2)
        #expect(run.state.waits.keys.sorted() == ["q.2"])
        try run.drop("q.2.json", "1")
        #expect(run.state.status == .completed)
        #expect(run.outputs == ["n": 1])
    }

    @Test("a resume that comes while it undoes starts over once that is done")
    func resumedEarly() throws {
        var run = try waiting()
        try run.drop("@pause.json")
        try run.drop("@resume.json")
        _ = run.news()
        try run.end("a-compensate")
        #expect(
            run.news() == [
                "TASK_END a-compensate/1 completed exitCode=0", "BRANCH_TAKEN to main", "TASK_START a.2/1 run",
            ])
        #expect(run.entries(.runPaused).isEmpty)
    }

    @Test("a run that was rolled back can be cancelled: nothing is undone twice")
    func cancelled() throws {
        var run = try waiting()
        try run.drop("@pause.json")
        try run.end("a-compensate")
        _ = run.news()
        try run.drop("@cancel.json")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED @cancel by bob", "RUN_RESUMED cancelled", "RUN_CANCELLED",
                "RUN_END cancelled cancelled[run]: cancelled",
            ])
        #expect(run.report == ["status": "completed", "compensated": ["a"], "standing": [], "final": []])
    }

    @Test("what runs ends first; the back-off of what undoes goes on during the pause")
    func backoff() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], compensate: {run: [una], retry: {maxAttempts: 2, initial: 10s}}}",
                "{id: b, run: [b]}", also: "onPause: rollback\n"))
        try run.end("a")
        try run.drop("@pause.json")
        #expect(run.launched == [])
        try run.end("b")
        #expect(run.launched == ["a-compensate"])
        try run.end("a-compensate", .exited(1))
        #expect(run.state.nextDeadline == run.now + .seconds(10))
        try run.tick(after: .seconds(10))
        try run.end("a-compensate")
        #expect(run.state.status == .paused)
    }
}
