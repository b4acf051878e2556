import Testing
import WaybillCore
import WaybillEngine

@Suite("Skipping and failing")
struct SkippingTests {
    @Test("a `when: completed` that is written is not satisfied by a failure that another step handles")
    func exactNeed() throws {
        var run = try EngineRun.started(
            graph(
                "{id: deploy, run: [x]}", "{id: celebrate, needs: [{step: deploy, when: completed}], set: {x: 1}}",
                "{id: mourn, needs: [{step: deploy, when: failed}], set: {x: 1}}",
                "{id: after, needs: [deploy], set: {x: 1}}"))
        try run.end("deploy", .exited(1))
        #expect(run.status("celebrate") == .skipped)
        #expect(run.status("mourn") == .completed)
        #expect(run.status("after") == .completed)
        #expect(run.state.status == .completed)
    }

    @Test("what a `catch` completes changes the variables, and sees what was caught")
    func caughtUpdate() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [x], catch: [{output: 7}], "
                    + "update: {n: '${{ output }}', why: '${{ error == null ? \"\" : error.kind }}'}}",
                also: "vars: {n: {default: 0}, why: {default: x}}\n"
                    + "outputs: {n: '${{ vars.n }}', why: '${{ vars.why }}'}\n"))
        try run.end("a", .exited(1))
        #expect(run.outputs == ["n": 7, "why": "exit"])
        run = try EngineRun.started(
            machine(
                "a: {run: [x], output: json, catch: [{to: b}], update: {n: '${{ output.n }}'}, next: end}",
                "b: {set: {x: 1}, next: end}", also: "vars: {n: {default: 0}}\noutputs: {n: '${{ vars.n }}'}\n"))
        try run.end("a", .exited(1))
        #expect(run.outputs == ["n": 0])
    }

    @Test("an `if` that does not hold skips the step, and a skipped dependency satisfies")
    func skip() throws {
        var run = try EngineRun.started(
            graph("{id: a, if: 1 > 2, run: [make]}", "{id: b, if: 'steps.a.status == \"skipped\"', set: {x: 1}}"))
        #expect(
            run.news() == [
                "RUN_START",
                "GUARD_EVAL a (1 > 2) is false", "TASK_END a skipped (if)",
                "GUARD_EVAL b (steps.a.status == \"skipped\") is true", "TASK_START b/1 set",
                "TASK_END b/1 completed output={\"x\":1}", "RUN_END completed outputs={}",
            ])
        #expect(run.state.usage.steps == 1)
        #expect(run.entries(.guardEval)[1].data["values"] == ["steps.a.status": "skipped"])
    }

    @Test("an `if` that cannot be evaluated fails the step")
    func brokenCondition() throws {
        var run = try EngineRun.started(
            graph("{id: a, set: {x: []}}", "{id: b, if: 'steps.a.output.x[0] > 1', run: [b]}"))
        let news = run.news()
        #expect(news[3].hasPrefix("TASK_END b failed expression[b]: if: "), "\(news)")
        #expect(run.state.status == .failed)
        #expect(run.state.error?.step == "b")
    }

    @Test("after a failure nothing new starts, what runs ends and counts, open waits close, and the run fails")
    func failure() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, needs: [], run: [a]}", "{id: b, needs: [], run: [b]}", "{id: c, needs: [b], run: [c]}",
                "{id: q, needs: [], ask: {prompt: Go?, approval: true}}", "{id: d, needs: [q], run: [d]}"))
        _ = run.news()
        try run.end("a", .exited(2))
        #expect(
            run.news() == [
                "TASK_END a/1 failed exitCode=2 exit[a]: exited with code 2",
                "TASK_RESUMED q/1 q by end",
                "TASK_END q/1 cancelled cancelled[q]: the run ended while this step waited",
            ])
        #expect(run.state.status == .running)
        #expect(run.effects.allSatisfy { if case .terminate = $0 { false } else { true } })
        try run.end("b")
        #expect(
            run.news()
                == [
                    "TASK_END b/1 completed exitCode=0", "RUN_END failed exitCode=2 exit[a]: exited with code 2",
                ].map { $0.replacing("failed exitCode=2 exit", with: "failed exit") })
        #expect(run.state.status == .failed)
        #expect(run.status("c") == .pending)
        #expect(run.status("d") == .pending)
        #expect(run.state.error == Failure(.exit, "exited with code 2", step: "a", exitCode: 2))
        #expect(run.state.disposition(ofKey: "q") == .ended)
    }

    @Test("the first failure is the run's error, whatever else fails while it ends")
    func twoFailures() throws {
        var run = try EngineRun.started(graph("{id: a, needs: [], run: [a]}", "{id: b, needs: [], run: [b]}"))
        try run.end("b", .signalled(9))
        try run.end("a", .exited(1))
        #expect(run.state.error == Failure(.signal, "was ended by signal 9", step: "b", signal: 9))
        #expect(run.news().last == "RUN_END failed signal[b]: was ended by signal 9")
    }

    @Test("continueOnError lets the run go on, and the failure stays visible")
    func continueOnError() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], continueOnError: true}",
                "{id: b, if: 'steps.a.status == \"failed\"', set: {code: '${{ steps.a.exitCode }}', kind: '${{ steps.a.error.kind }}'}}"
            ))
        try run.end("a", .exited(3))
        #expect(
            run.news().suffix(5) == [
                "TASK_END a/1 failed exitCode=3 handled=true exit[a]: exited with code 3",
                "GUARD_EVAL b (steps.a.status == \"failed\") is true", "TASK_START b/1 set",
                "TASK_END b/1 completed output={\"code\":3,\"kind\":\"exit\"}", "RUN_END completed outputs={}",
            ])
        #expect(run.state.error == nil)
    }

    @Test("a dependant that needs `failed` handles the failure; the others see a satisfied need")
    func needsFailed() throws {
        let steps = graph(
            "{id: a, run: [a]}", "{id: rescue, needs: [{step: a, when: failed}], set: {x: 1}}",
            "{id: next, needs: [a], set: {y: 1}}", "{id: always, needs: [{step: a, when: ended}], set: {z: 1}}")
        var failed = try EngineRun.started(steps)
        try failed.end("a", .exited(1))
        #expect(failed.state.status == .completed)
        #expect(["rescue", "next", "always"].map(failed.status) == [.completed, .completed, .completed])

        var completed = try EngineRun.started(steps)
        _ = completed.news()
        try completed.end("a")
        #expect(
            completed.news().prefix(2) == [
                "TASK_END a/1 completed exitCode=0",
                "TASK_END rescue skipped (needs a to have failed, and it is completed)",
            ])
        #expect(["rescue", "next", "always"].map(completed.status) == [.skipped, .completed, .completed])
    }

    @Test("`ended` is satisfied by a skipped step, `failed` is not")
    func needsOfSkipped() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, if: false, run: [a]}", "{id: b, needs: [{step: a, when: ended}], set: {x: 1}}",
                "{id: c, needs: [{step: a, when: failed}], set: {x: 1}}"))
        #expect(run.status("b") == .completed)
        #expect(run.status("c") == .skipped)
        #expect(run.state.status == .completed)
    }

    @Test("`fail` fails the run with its message")
    func fail() throws {
        var run = try EngineRun.started(
            graph("{id: a, set: {x: 7}}", "{id: f, fail: {message: 'x is ${{ steps.a.output.x }}'}}"))
        #expect(
            run.news().suffix(3) == [
                "TASK_START f/1 fail", "TASK_END f/1 failed failed[f]: x is 7", "RUN_END failed failed[f]: x is 7",
            ])
    }

    @Test("a message is cut before it makes run.json large, and never inside a character")
    func longMessage() throws {
        let run = try EngineRun.started(
            "kind: Workflow\nname: w\ninputs: {t: {type: string}}\n"
                + "steps: [{id: f, fail: {message: 'x${{ inputs.t }}'}}]\n",
            inputs: ["t": .string(String(repeating: "é", count: 30_000))])
        let message = try #require(run.state.error?.message)
        #expect(message == "x" + String(repeating: "é", count: 2_047) + " (cut off)")
    }

    @Test("`finish` completes the run early, ends what runs, closes waits, and its outputs count")
    func finish() throws {
        var run = try EngineRun.started(
            graph(
                "{id: slow, needs: [], run: [slow]}", "{id: q, needs: [], ask: {prompt: Go?}}",
                "{id: quick, needs: [], run: [quick]}",
                "{id: done, finish: {outputs: {by: '${{ steps.quick.status }}'}}}",
                "{id: never, needs: [{step: done, when: ended}], run: [never]}", also: "outputs: {by: nobody}\n"))
        _ = run.news()
        try run.end("quick")
        #expect(
            run.news() == [
                "TASK_END quick/1 completed exitCode=0", "TASK_START done/1 finish",
                "TASK_END done/1 completed finishOutputs={\"by\":\"completed\"}", "TASK_RESUMED q/1 q by end",
                "TASK_END q/1 cancelled cancelled[q]: the run ended while this step waited",
            ])
        #expect(run.effects.contains { if case .terminate(let it) = $0 { it.step == "slow" } else { false } })
        try run.tick(after: .seconds(1))
        #expect(run.effects.isEmpty, "a second TERM would be taken for impatience")
        try run.end("slow", .stopped)
        #expect(
            run.news() == [
                "TASK_END slow/1 cancelled cancelled[slow]: ended because the run ends",
                "RUN_END completed outputs={\"by\":\"completed\"}",
            ])
        #expect(run.status("never") == .pending)
    }

    @Test("`finish` without outputs gives the workflow's own")
    func plainFinish() throws {
        let run = try EngineRun.started(graph("{id: a, finish: {}}", also: "outputs: {x: 1}\n"))
        #expect(run.outputs == ["x": 1])
    }

    @Test("`set` and `finish.outputs` must come to a map")
    func notMaps() throws {
        var set = try EngineRun.started(graph("{id: a, set: {x: [1]}}", "{id: b, set: '${{ steps.a.output.x }}'}"))
        #expect(set.news().last == "RUN_END failed expression[b]: set: expected a map, got list")
        var finish = try EngineRun.started(
            graph("{id: a, set: {x: [1]}}", "{id: b, finish: {outputs: '${{ steps.a.output.x }}'}}"))
        #expect(finish.news().last == "RUN_END failed expression[b]: finish.outputs: expected a map, got list")
    }
}
