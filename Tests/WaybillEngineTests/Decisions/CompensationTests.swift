import Testing
import WaybillCore
import WaybillEngine

@Suite("Undoing")
struct CompensationTests {
    private let saga = graph(
        "{id: a, run: [a], output: text, compensate: {run: [undo, '${{ output }}']}}",
        "{id: b, run: [b], compensate: {run: [unb]}}", "{id: c, run: [c]}",
        also: """
            onFailure: [{id: alert, run: [alert, '${{ error.message }}']}]
            finally: [{id: clean, run: [clean]}]

            """)

    private func failedSaga() throws -> EngineRun {
        var run = try EngineRun.started(saga)
        try run.end("a", printing: "A1")
        try run.end("b")
        _ = run.news()
        try run.end("c", .exited(1))
        return run
    }

    @Test("what was done is undone in reverse, then come `onFailure`, `finally` and the end")
    func order() throws {
        var run = try failedSaga()
        #expect(
            run.news() == [
                "TASK_END c/1 failed exitCode=1 exit[c]: exited with code 1", "COMPENSATION b",
                "TASK_START b-compensate/1 run",
            ])
        #expect(run.launched == ["b-compensate"])
        try run.end("b-compensate")
        #expect(
            run.news() == [
                "TASK_END b-compensate/1 completed exitCode=0", "COMPENSATION a", "TASK_START a-compensate/1 run",
            ])
        #expect(try run.argv("a-compensate") == ["undo", "A1"])
        #expect(run.state.compensationReport["status"] == "running")
        try run.end("a-compensate")
        #expect(
            run.news() == [
                "TASK_END a-compensate/1 completed exitCode=0", "BRANCH_TAKEN to onFailure", "TASK_START alert/1 run",
            ])
        #expect(try run.argv("alert") == ["alert", "exited with code 1"])
        try run.end("alert")
        #expect(
            run.news() == [
                "TASK_END alert/1 completed exitCode=0", "BRANCH_TAKEN to finally", "TASK_START clean/1 run",
            ]
        )
        try run.end("clean")
        #expect(
            run.news() == [
                "TASK_END clean/1 completed exitCode=0", "RUN_END failed exit[c]: exited with code 1",
            ])
        #expect(run.status("a") == .compensated)
        #expect(run.status("b") == .compensated)
        #expect(run.status("c") == .failed)
        let report: Value = ["status": "completed", "compensated": ["b", "a"], "standing": [], "final": []]
        #expect(run.report == report)
        #expect(run.state.compensationReport == report)
    }

    @Test("one that fails is recorded, and the rest go on")
    func failedOne() throws {
        var run = try failedSaga()
        try run.end("b-compensate", .exited(3))
        try run.end("a-compensate")
        try run.end("alert")
        try run.end("clean")
        #expect(run.status("b") == .completed)
        #expect(run.status("a") == .compensated)
        #expect(run.report == ["status": "failed", "compensated": ["a"], "standing": ["b"], "final": []])
        #expect(run.state.error?.step == "c")
    }

    @Test("what runs beside a failure ends and counts, waits close, and parallel branches are undone by their ends")
    func branches() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, needs: [], run: [a], compensate: {run: [una]}}",
                "{id: b, needs: [], run: [b], compensate: {run: [unb]}}",
                "{id: q, needs: [], ask: {prompt: Go?}}", "{id: f, needs: [], run: [f]}",
                "{id: n, needs: [a], run: [n]}"))
        try run.end("b")
        _ = run.news()
        try run.end("f", .exited(2))
        #expect(
            run.news() == [
                "TASK_END f/1 failed exitCode=2 exit[f]: exited with code 2", "TASK_RESUMED q/1 q by end",
                "TASK_END q/1 cancelled cancelled[q]: the run ended while this step waited",
            ])
        try run.end("a")
        #expect(
            run.news() == ["TASK_END a/1 completed exitCode=0", "COMPENSATION a", "TASK_START a-compensate/1 run"])
        try run.end("a-compensate")
        try run.end("b-compensate")
        #expect(run.state.status == .failed)
        #expect(run.status("n") == .pending)
    }

    @Test("a pivot that completed makes what came before it final")
    func pivot() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], compensate: {run: [una]}}", "{id: p, run: [p], pivot: true}",
                "{id: b, run: [b], compensate: {run: [unb]}}", "{id: c, run: [c]}"))
        for step in ["a", "p", "b"] { try run.end(step) }
        try run.end("c", .exited(1))
        #expect(run.launched == ["b-compensate"])
        try run.end("b-compensate")
        #expect(run.state.status == .failed)
        #expect(run.report == ["status": "completed", "compensated": ["b"], "standing": [], "final": ["a"]])
    }

    @Test("what undoes a rejected result sees the output that was rejected")
    func rejectedOutput() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], output: json, verify: [output.n > 1], compensate: {run: [una, '${{ output.n }}']}}"))
        try run.end("a", printing: "{\"n\":1}")
        #expect(try run.argv("a-compensate") == ["una", "1"])
        #expect(run.step("a")?.output == nil)
    }

    @Test("a rejected result is undone, a failed attempt only with `on: started`")
    func started() throws {
        let rejected = "{id: a, run: [a], output: json, verify: [output.n > 1], compensate: {run: [una]}}"
        var run = try EngineRun.started(graph(rejected))
        try run.end("a", printing: "{\"n\":1}")
        #expect(run.launched == ["a-compensate"])
        try run.end("a-compensate")
        #expect(run.status("a") == .compensated)

        run = try EngineRun.started(graph("{id: a, run: [a], compensate: {run: [una]}}"))
        try run.end("a", .exited(1))
        #expect(run.state.status == .failed)
        #expect(run.report == nil)

        run = try EngineRun.started(graph("{id: a, run: [a], compensate: {run: [una], on: started}}"))
        try run.end("a", .timedOut)
        #expect(run.launched == ["a-compensate"])

        run = try EngineRun.started(
            graph("{id: a, run: [a], onUnknown: fail, compensate: {run: [una], on: started}}"))
        try run.lose("a")
        #expect(run.launched == ["a-compensate"])
    }

    @Test("a result that was rejected before another attempt failed is undone, before that attempt")
    func rejectedBefore() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], output: json, verify: [output.n > 1], "
                    + "retry: {maxAttempts: 2, initial: 1s, on: [verification]}, compensate: {run: [una]}}"))
        try run.end("a", printing: "{\"n\":1}")
        #expect(run.launched == ["a-compensate"])
        try run.end("a-compensate")
        try run.tick(after: .seconds(2))
        try run.end("a", .exited(1))
        #expect(run.state.status == .failed)
        #expect(run.report == ["status": "completed", "compensated": ["a"], "standing": [], "final": []])
    }

    @Test("each has its own retry, timeout and rule for an unknown outcome")
    func ownRules() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], compensate: {run: [una], timeout: 5s, retry: {maxAttempts: 2, initial: 3s}}}",
                "{id: c, run: [c]}"))
        try run.end("a")
        try run.end("c", .exited(1))
        #expect(try run.attempt("a-compensate").intent["timeout"] == "5s")
        _ = run.news()
        try run.end("a-compensate", .exited(1))
        #expect(
            run.news() == [
                "TASK_RETRY a-compensate/2 exit",
                "TASK_WAITING a-compensate/1 a-compensate-retry retry until 2026-11-20T10:00:06.000000Z",
            ])
        try run.tick(after: .seconds(3))
        #expect(run.launched == ["a-compensate"])
        try run.lose("a-compensate")
        #expect(run.state.waits.keys.sorted() == ["a-compensate-unknown"])
        try run.drop("a-compensate-unknown.txt", "done")
        #expect(run.state.status == .failed)
        #expect(run.status("a") == .compensated)
    }

    @Test("groups and items are undone with what they saw, the newest first")
    func inside() throws {
        var run = try EngineRun.started(
            graph(
                "{id: g, steps: [{id: a, run: [a], compensate: {run: [una]}}]}",
                "{id: load, forEach: {items: \"${{ ['x', 'y'] }}\", maxParallel: 1}, run: [load, '${{ item }}'], "
                    + "compensate: {run: [unload, '${{ item }}', '${{ index }}', '${{ steps.g.status }}']}}",
                "{id: c, run: [c]}"))
        try run.end("g.a")
        try run.end("load-0")
        try run.end("load-1")
        try run.end("c", .exited(1))
        #expect(try run.argv("load-1-compensate") == ["unload", "y", "1", "completed"])
        try run.end("load-1-compensate")
        #expect(try run.argv("load-0-compensate") == ["unload", "x", "0", "completed"])
        try run.end("load-0-compensate")
        #expect(run.launched == ["g.a-compensate"])
        try run.end("g.a-compensate")
        #expect(run.report?["compensated"] == ["load-1", "load-0", "g.a"])
    }

    @Test("every visit of a machine's state is undone, with that visit's output")
    func visits() throws {
        var run = try EngineRun.started(
            machine(
                "s: {run: [s], output: text, compensate: {run: [uns, '${{ output }}']}, next: [{if: visit < 3, to: s}, {to: t}]}",
                "t: {fail: {message: no}}"))
        for text in ["one", "two", "three"] { try run.end("s", printing: text) }
        for text in ["three", "two", "one"] {
            #expect(try run.argv("s-compensate") == ["uns", text])
            try run.end("s-compensate")
        }
        #expect(run.report?["compensated"] == ["s.3", "s.2", "s"])
        #expect(run.state.status == .failed)
    }

    @Test("what undoes a visit sees the steps and variables that the visit saw")
    func seen() throws {
        var run = try EngineRun.started(
            machine(
                "pick: {set: {id: \"${{ 'r' + string(visit) }}\"}, update: {n: '${{ visit }}'}, next: make}",
                "make: {run: [make], compensate: {run: [un, '${{ steps.pick.output.id }}', '${{ vars.n }}', "
                    + "'${{ steps.pick.visits }}']}, next: [{if: visit < 3, to: pick}, {to: boom}]}",
                "boom: {fail: {message: no}}", also: "vars: {n: {default: 0}}\n"))
        for _ in 1...3 { try run.end("make") }
        for (id, visit) in [("r3", "3"), ("r2", "2"), ("r1", "1")] {
            #expect(try run.argv("make-compensate") == ["un", id, visit, visit])
            run = try run.reread()
            let state = try RunState(
                checkpoint: run.state.checkpointBytes(), definition: run.definition.workflow)
            #expect(state.checkpointBytes() == run.state.checkpointBytes())
            try run.end("make-compensate")
        }
        #expect(run.state.status == .failed)
    }

    @Test("what undoes a group's visit sees the variables of that visit")
    func seenInGroups() throws {
        var run = try EngineRun.started(
            graph(
                "{id: g, while: visit < 3, steps: [{id: a, set: {v: 1}, update: {n: '${{ vars.n + 1 }}'}}, "
                    + "{id: b, run: [b], compensate: {run: [unb, '${{ vars.n }}', '${{ visit }}']}}]}",
                "{id: f, fail: {message: no}}", also: "vars: {n: {default: 0}}\n"))
        for _ in 1...2 { try run.end("g.b") }
        #expect(try run.argv("g.b-compensate") == ["unb", "2", "2"])
        try run.end("g.b-compensate")
        #expect(try run.argv("g.b-compensate") == ["unb", "1", "1"])
    }

    @Test("`failure: stop` undoes nothing, and says what stands")
    func stop() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [a], compensate: {run: [una]}}", "{id: c, run: [c]}", also: "failure: stop\n"))
        try run.end("a")
        try run.end("c", .exited(1))
        #expect(run.state.status == .failed)
        #expect(run.report == ["status": "none", "compensated": [], "standing": ["a"], "final": []])
    }

    @Test("acceptance that is not met is an error, and undoes")
    func acceptance() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], output: json, compensate: {run: [una]}}",
                also: "outputs: {n: '${{ steps.a.output }}'}\ngoal: {summary: s, acceptance: ['outputs.n > 5']}\n"))
        _ = run.news()
        try run.end("a", printing: "1")
        #expect(
            run.news() == [
                "TASK_END a/1 completed output=1 exitCode=0",
                "VERIFICATION goal.acceptance[0] (outputs.n > 5) is false", "ERROR", "COMPENSATION a",
                "TASK_START a-compensate/1 run",
            ])
        try run.end("a-compensate")
        #expect(run.state.status == .failed)
        #expect(run.state.error?.kind == .verification)
    }

    @Test("cancelling ends what runs, undoes, cleans up; a second time it ends that and says what stands")
    func cancelled() throws {
        var run = try EngineRun.started(saga)
        try run.end("a", printing: "A1")
        try run.end("b")
        try run.drop("@cancel.json")
        try run.end("c", .stopped)
        #expect(run.launched == ["b-compensate"])
        try run.end("b-compensate")
        _ = run.news()
        try run.drop("@cancel.json")
        #expect(run.state.status == .running)
        try run.end("a-compensate", .stopped)
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED @cancel by bob", "RUN_CANCELLED",
                "TASK_END a-compensate/1 cancelled cancelled[a-compensate]: ended because the run ends",
                "RUN_END cancelled cancelled[run]: cancelled",
            ])
        #expect(run.report == ["status": "failed", "compensated": ["b"], "standing": ["a"], "final": []])
    }

    @Test("a cancellation while a failure is undone goes on undoing, and skips `onFailure`")
    func cancelledUndoing() throws {
        var run = try failedSaga()
        try run.drop("@cancel.json")
        try run.end("b-compensate")
        try run.end("a-compensate")
        #expect(run.launched == ["clean"])
        try run.end("clean")
        #expect(run.state.status == .cancelled)
    }

    @Test("what cleans up is not undone itself, and one that fails fails a run that would have completed")
    func cleaning() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], compensate: {run: [una]}}",
                also: "finally: [{id: x, run: [x]}, {id: y, run: [y]}]\noutputs: {s: '${{ steps.a.status }}'}\n"))
        try run.end("a")
        #expect(run.launched == ["x"])
        try run.end("x", .exited(9))
        #expect(run.state.status == .failed)
        #expect(run.state.error?.step == "x")
        #expect(run.status("y") == .pending)
        #expect(run.report == ["status": "none", "compensated": [], "standing": ["a"], "final": []])
    }

    @Test("a failure in `onFailure` leaves the run's error as it was, and `finally` runs")
    func failingHandler() throws {
        var run = try failedSaga()
        try run.end("b-compensate")
        try run.end("a-compensate")
        try run.end("alert", .exited(7))
        #expect(run.launched == ["clean"])
        try run.end("clean")
        #expect(run.state.error?.step == "c")
    }

    @Test("cancelling what cleans up after a success ends it, and the run is cancelled")
    func cancelledCleaning() throws {
        var run = try EngineRun.started(
            graph("{id: a, set: {n: 1}}", also: "finally: [{id: x, run: [x]}, {id: w, needs: [], wait: {for: 9h}}]\n"))
        try run.drop("@cancel.json")
        #expect(run.effects.contains { if case .terminate = $0 { true } else { false } })
        try run.end("x", .stopped)
        #expect(run.state.status == .cancelled)
        #expect(run.state.waits.isEmpty)
    }

    @Test("what a run gives back was evaluated before anything was cleaned up")
    func outputs() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, set: {n: 1}}",
                also: "vars: {v: {default: 1}}\noutputs: {v: '${{ vars.v }}'}\n"
                    + "finally: [{id: x, run: [x], update: {v: '${{ 2 }}'}}]\n"))
        try run.end("x")
        #expect(run.state.status == .completed)
        #expect(run.outputs == ["v": 1])
    }

    @Test("after 1,000 undone items each decision is as small as the first")
    func many() throws {
        var run = try EngineRun.started(
            graph(
                "{id: load, forEach: {items: '${{ range(1000) }}', maxParallel: 1}, run: [load], compensate: {run: [un]}}",
                "{id: f, fail: {message: no}}"
            ).replacing("range(1000)", with: "[" + (0..<1000).map(String.init).joined(separator: ",") + "]"))
        for index in 0..<1000 { try run.end("load-\(index)") }
        for index in (0..<1000).reversed() { try run.end("load-\(index)-compensate") }
        #expect(run.state.status == .failed)
        #expect(run.report?["compensated"]?.listValue?.count == 101)
        #expect(run.report?["compensated"]?.listValue?.last == ["more": 900])
    }

    private func lostUndoing(_ rule: String) throws -> EngineRun {
        var run = try EngineRun.started(
            graph("{id: a, run: [a], compensate: {run: [undo]\(rule)}}", "{id: b, run: [b]}"))
        try run.end("a")
        try run.end("b", .exited(1))
        try run.lose("a-compensate")
        return run
    }

    @Test("an attempt to undo whose outcome is unknown is asked about, unless its rule says otherwise")
    func unknownUndoing() throws {
        var run = try lostUndoing("")
        #expect(run.state.waits.keys.sorted() == ["a-compensate-unknown"])
        try run.drop("a-compensate-unknown.txt", "done")
        #expect(run.status("a") == .compensated)
        run = try lostUndoing(", onUnknown: retry")
        #expect(run.launched == ["a-compensate"])
        run = try lostUndoing(", sideEffects: idempotent")
        #expect(run.launched == ["a-compensate"])
        run = try lostUndoing(", onUnknown: fail")
        #expect(run.state.phase == .failed)
        #expect(run.status("a") == .completed)
    }

    @Test("a check finds out how an attempt to undo ended", arguments: [(0, true), (1, false)])
    func checkedUndoing(code: Int, isDone: Bool) throws {
        var run = try lostUndoing(", onUnknown: {check: {run: [look]}}")
        #expect(run.launched == ["a-compensate-check"])
        try run.end("a-compensate-check", .exited(code))
        if !isDone { try run.end("a-compensate") }
        #expect(run.status("a") == .compensated)
        #expect(run.state.phase == .failed)
    }
}
