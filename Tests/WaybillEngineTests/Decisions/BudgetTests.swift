import Testing
import WaybillCore
import WaybillEngine

@Suite("Budgets")
struct BudgetTests {
    private let three = ["{id: a, set: {x: 1}}", "{id: b, set: {x: 1}}", "{id: c, set: {x: 1}}"]

    private func workflow(_ also: String) -> String { graph(three[0], three[1], three[2], also: also) }

    @Test("a limit on steps warns at 80 % and stops before the step that is one too many")
    func steps() throws {
        var run = try EngineRun.started(workflow("limits: {steps: 2}\n"))
        #expect(
            run.news().suffix(2) == [
                "TASK_END c failed limit[c]: limits: the limit of 2 steps (2) is used up",
                "RUN_END failed limit[c]: limits: the limit of 2 steps (2) is used up",
            ])
        run = try EngineRun.started(workflow("limits: {steps: 3}\n"))
        #expect(run.state.status == .completed)
        run = try EngineRun.started(
            graph(
                three[0], three[1], three[2], "{id: d, set: {x: 1}}", "{id: e, set: {x: 1}}",
                also: "limits: {steps: 5}\n"))
        #expect(run.news().filter { $0.hasPrefix("LIMIT") } == ["LIMIT_WARNING e"])
        #expect(run.entries(.limitWarning).first?.data["used"] == 4)
        #expect(run.state.status == .completed)
    }

    @Test("a budget is no failure to be passed over, and what cleans up is not held up by it")
    func final() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, set: {x: 1}}", "{id: b, set: {x: 1}, continueOnError: true}", "{id: c, set: {x: 1}}",
                also: "limits: {steps: 1}\nfinally: [{id: tidy, set: {x: 1}}]\n"))
        #expect(run.status("b") == .failed)
        #expect(run.status("c") == .pending)
        #expect(run.state.error?.kind == .limit)
        #expect(run.status("tidy") == .completed)
    }

    @Test(
        "nothing around a step passes over a used-up budget",
        arguments: [
            "{id: l, forEach: {items: [1, 2, 3, 4], onItemFailure: collect, maxParallel: 1}, set: {x: 1}}",
            "{id: g, continueOnError: true, steps: [{id: a, set: {x: 1}}, {id: b, set: {x: 1}}, {id: c, set: {x: 1}}]}",
            "{id: g, catch: [{output: 1}], steps: [{id: a, set: {x: 1}}, {id: b, set: {x: 1}}, {id: c, set: {x: 1}}]}",
        ])
    func around(step: String) throws {
        let run = try EngineRun.started(graph(step, "{id: z, set: {x: 1}}", also: "limits: {steps: 3}\n"))
        #expect(run.state.status == .failed)
        #expect(run.state.error?.kind == .limit)
        #expect(run.status("z") == .pending)
    }

    @Test("a retry for which no budget is left is refused at once, and not counted")
    func refusedRetry() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [x], catch: [{output: 1}], retry: {maxAttempts: 5, initial: 1h}}",
                also: "limits: {retries: 1}\n"))
        try run.end("a", .exited(1))
        try run.tick(after: .seconds(3600))
        _ = run.news()
        try run.end("a", .exited(1))
        #expect(
            run.news()
                == [
                    "LIMIT_WARNING a",
                    "TASK_END a/2 failed exitCode=1 limit[a]: limits: the limit of 1 retries (1) is used up",
                    "RUN_END failed limit[a]: limits: the limit of 1 retries (1) is used up",
                ].filter { !$0.hasPrefix("LIMIT") })
        #expect(run.state.usage.retries == 1)
    }

    @Test("a retry whose back-off the end of the run cuts short is not counted")
    func unusedRetry() throws {
        var run = try EngineRun.started(graph("{id: a, run: [x], retry: {maxAttempts: 5, initial: 1h}}"))
        try run.end("a", .exited(1))
        #expect(run.state.usage.retries == 1)
        try run.drop("@cancel.json")
        #expect(run.state.status == .cancelled)
        #expect(run.state.usage.retries == 0)
    }

    @Test("retries, elapsed and active time, tokens and cost are counted")
    func measures() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [x], retry: {maxAttempts: 5, initial: 0s}}", also: "limits: {retries: 1}\n"))
        try run.end("a", .exited(1))
        try run.end("a", .exited(1))
        #expect(run.state.error?.message == "limits: the limit of 1 retries (1) is used up")
        run = try EngineRun.started(
            graph("{id: a, run: [x]}", "{id: b, run: [x]}", also: "limits: {active: 10s, elapsed: 1h}\n"))
        try run.end("a", after: .seconds(10))
        #expect(run.state.error?.message == "limits: the limit of 10s active (10s) is used up")
        run = try EngineRun.started(
            graph(
                "{id: a, run: [x], output: json, usage: {tokens: '${{ output.t }}', cost: '${{ output.c }}'}}",
                "{id: b, set: {x: 1}}", also: "limits: {tokens: 100, cost: 2}\n"))
        try run.end("a", printing: "{\"t\": 90, \"c\": 2.5}")
        #expect(run.state.error?.message == "limits: the limit of 2.0 cost (2.5) is used up")
        #expect(run.entries(.limitWarning).map { $0.data["limit"] } == ["tokens"])
    }

    @Test("the budgets of policies stop, warn or are only recorded, as their mode says")
    func policies() throws {
        func yaml(_ mode: String) -> String {
            workflow("---\nkind: Policy\nname: p\nmode: \(mode)\nrules: [{id: cap, limit: {steps: 1}}]\n")
        }
        var run = try EngineRun.started(yaml("enforce"))
        #expect(
            run.news().suffix(3) == [
                "POLICY_PRE b p/cap enforce deny",
                "TASK_END b failed limit[b]: p/cap: the limit of 1 steps (1) is used up",
                "RUN_END failed limit[b]: p/cap: the limit of 1 steps (1) is used up",
            ])
        run = try EngineRun.started(yaml("warn"))
        #expect(run.entries(.limitWarning).map { $0.data["percent"] } == [100])
        #expect(run.state.diagnostics.warnings == 1)
        #expect(run.state.status == .completed)
        run = try EngineRun.started(yaml("audit"))
        #expect(run.state.diagnostics.warnings == 0)
        #expect(run.state.status == .completed)
    }

    @Test("a sub-run is under what it was granted of its parent's budgets")
    func grant() throws {
        var run = try EngineRun(workflow(""))
        var start = RunStart(
            id: EngineRun.id, commit: nil, inputs: Object(), trigger: ["type": "parent"], actor: .parent, by: "r")
        start.grant = ["steps": 2]
        try run.send(.start(start))
        #expect(run.state.error?.message == "grant: the limit of 2 steps (2) is used up")
    }

    @Test("a run of a group waits for its turn, and can be cancelled meanwhile")
    func queued() throws {
        var start = RunStart(
            id: EngineRun.id, commit: nil, inputs: Object(), trigger: ["type": "manual"], actor: .user, by: "alice")
        start.group = "g"
        var run = try EngineRun(workflow("finally: [{id: tidy, set: {x: 1}}]\n"))
        try run.send(.start(start))
        #expect(run.news() == ["RUN_START"])
        #expect(run.state.status == .pending)
        try run.send(.admitted)
        #expect(run.news().prefix(2) == ["RUN_ADMITTED", "TASK_START a/1 set"])
        #expect(run.state.status == .completed)
        try run.send(.admitted)
        #expect(run.news() == [])
        run = try EngineRun(workflow("finally: [{id: tidy, set: {x: 1}}]\n"))
        try run.send(.start(start))
        try run.drop("@cancel.json")
        #expect(
            run.news() == [
                "RUN_START", "ANSWER_ACCEPTED @cancel by bob", "RUN_CANCELLED",
                "RUN_END cancelled cancelled[run]: cancelled",
            ])
    }
}
