import Testing
import WaybillCore
import WaybillEngine

@Suite("Groups")
struct GroupTests {
    @Test("the steps of a group follow each other as at the top, and its output holds theirs")
    func order() throws {
        var run = try EngineRun.started(
            graph("{id: g, steps: [{id: a, run: [x], output: json}, {id: b, set: {n: '${{ steps.a.output + 1 }}'}}]}"))
        #expect(run.launched == ["g.a"])
        try run.end("g.a", printing: "1")
        #expect(
            run.news() == [
                "RUN_START", "TASK_START g/1 steps", "TASK_START g.a/1 run",
                "TASK_END g.a/1 completed output=1 exitCode=0",
                "TASK_START g.b/1 set", "TASK_END g.b/1 completed output={\"n\":2}",
                "TASK_END g/1 completed output={\"a\":1,\"b\":{\"n\":2}}", "RUN_END completed outputs={}",
            ])
    }

    @Test("needs are those of siblings, and a name means the sibling before the step outside")
    func siblings() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, set: {v: outer}}",
                """
                {id: g, steps: [{id: a, set: {v: inner}}, {id: b, needs: [], set: {v: other}}, \
                {id: c, needs: [a, b], set: {v: '${{ steps.a.output.v }}'}}]}
                """, "{id: d, set: {v: '${{ steps.a.output.v }}'}}"))
        #expect(
            run.news().filter { $0.hasPrefix("TASK_END") } == [
                "TASK_END a/1 completed output={\"v\":\"outer\"}", "TASK_END g.a/1 completed output={\"v\":\"inner\"}",
                "TASK_END g.b/1 completed output={\"v\":\"other\"}",
                "TASK_END g.c/1 completed output={\"v\":\"inner\"}",
                """
                TASK_END g/1 completed output={"a":{"v":"inner"},"b":{"v":"other"},"c":{"v":"inner"}}
                """,
                "TASK_END d/1 completed output={\"v\":\"outer\"}",
            ])
    }

    @Test("groups nest, and what is skipped inside has no part in the output")
    func nested() throws {
        var run = try EngineRun.started(
            graph("{id: g, steps: [{id: h, steps: [{id: a, set: {n: 1}}, {id: b, if: 'false', set: {n: 2}}]}]}"))
        #expect(
            run.news() == [
                "RUN_START", "TASK_START g/1 steps", "TASK_START g.h/1 steps", "TASK_START g.h.a/1 set",
                "TASK_END g.h.a/1 completed output={\"n\":1}", "GUARD_EVAL g.h.b (false) is false",
                "TASK_END g.h.b skipped (if)", "TASK_END g.h/1 completed output={\"a\":{\"n\":1}}",
                "TASK_END g/1 completed output={\"h\":{\"a\":{\"n\":1}}}", "RUN_END completed outputs={}",
            ])
    }

    @Test("a failure inside lets what runs beside it finish and count, closes waits, and fails the group")
    func failure() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: g, steps: [{id: a, run: [x]}, {id: b, needs: [], run: [y]}, \
                {id: c, needs: [], ask: {prompt: Go?}}, {id: d, needs: [b], run: [z]}]}
                """))
        _ = run.news()
        try run.end("g.a", .exited(2))
        #expect(
            run.news() == [
                "TASK_END g.a/1 failed exitCode=2 exit[g.a]: exited with code 2", "TASK_RESUMED g.c/1 g.c by end",
                "TASK_END g.c/1 cancelled cancelled[g.c]: a step beside this one failed while it waited",
            ])
        try run.end("g.b")
        #expect(
            run.news() == [
                "TASK_END g.b/1 completed exitCode=0", "TASK_END g/1 failed exit[g.a]: exited with code 2",
                "RUN_END failed exit[g.a]: exited with code 2",
            ])
    }

    @Test("a group that is passed over lets the run go on, and closes what waited in it")
    func passedOver() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: g, continueOnError: true, steps: [{id: a, run: [x]}, {id: c, needs: [], ask: {prompt: Go?}}, \
                {id: i, needs: [], steps: [{id: w, wait: {for: 1h}}]}]}
                """, "{id: after, set: {s: '${{ steps.g.status }}'}}"))
        _ = run.news()
        try run.end("g.a", .signalled(9))
        #expect(
            run.news() == [
                "TASK_END g.a/1 failed signal[g.a]: was ended by signal 9", "TASK_RESUMED g.c/1 g.c by end",
                "TASK_END g.c/1 cancelled cancelled[g.c]: a step beside this one failed while it waited",
                "TASK_RESUMED g.i.w/1 g.i.w by end",
                "TASK_END g.i.w/1 cancelled cancelled[g.i.w]: a step beside this one failed while it waited",
                "TASK_END g.i/1 cancelled cancelled[g.i]: nothing new starts any more",
                "TASK_END g/1 failed handled=true signal[g.a]: was ended by signal 9",
                "TASK_START after/1 set", "TASK_END after/1 completed output={\"s\":\"failed\"}",
                "RUN_END completed outputs={}",
            ])
        #expect(run.state.nextDeadline == nil)
    }

    @Test("a failure inside may be handled inside")
    func handledInside() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: g, steps: [{id: a, fail: {message: no}}, \
                {id: b, needs: [{step: a, when: failed}], set: {n: 1}}]}
                """))
        #expect(
            run.news() == [
                "RUN_START", "TASK_START g/1 steps", "TASK_START g.a/1 fail",
                "TASK_END g.a/1 failed handled=true failed[g.a]: no", "TASK_START g.b/1 set",
                "TASK_END g.b/1 completed output={\"n\":1}", "TASK_END g/1 completed output={\"b\":{\"n\":1}}",
                "RUN_END completed outputs={}",
            ])
    }

    @Test("`finish` inside completes the run: what runs is ended, and what waits closes")
    func finish() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: g, steps: [{id: a, run: [x]}, {id: w, needs: [], wait: {for: 1h}}, \
                {id: r, needs: [], run: [y]}, {id: f, needs: [a], finish: {outputs: {early: 1}}}]}
                """, "{id: never, run: [z]}"))
        _ = run.news()
        try run.end("g.a")
        #expect(run.effects.contains { if case .terminate(let which) = $0 { which.step == "g.r" } else { false } })
        try run.end("g.r", .stopped)
        #expect(
            run.news() == [
                "TASK_END g.a/1 completed exitCode=0", "TASK_START g.f/1 finish",
                "TASK_END g.f/1 completed finishOutputs={\"early\":1}", "TASK_RESUMED g.w/1 g.w by end",
                "TASK_END g.w/1 cancelled cancelled[g.w]: the run ended while this step waited",
                "TASK_END g.r/1 cancelled cancelled[g.r]: ended because the run ends",
                "TASK_END g/1 cancelled cancelled[g]: nothing new starts any more",
                "RUN_END completed outputs={\"early\":1}",
            ])
    }

    @Test("a group with a retry of its own is tried as a whole, and its steps are visited again")
    func retried() throws {
        var run = try EngineRun.started(
            graph("{id: g, retry: {maxAttempts: 2, initial: 5s}, steps: [{id: a, run: [x]}, {id: b, run: [y]}]}"))
        try run.end("g.a")
        try run.end("g.b", .exited(1))
        _ = run.news()
        #expect(run.state.waits.keys.sorted() == ["g-retry"])
        try run.tick(after: .seconds(5))
        try run.end("g.a")
        try run.end("g.b")
        #expect(
            run.news() == [
                "TASK_RESUMED g/1 g-retry by clock", "TASK_START g/2 steps", "TASK_START g.a.2/1 run",
                "TASK_END g.a.2/1 completed exitCode=0", "TASK_START g.b.2/1 run",
                "TASK_END g.b.2/1 completed exitCode=0",
                "TASK_END g/2 completed output={}", "RUN_END completed outputs={}",
            ])
        #expect(run.state.counts.completed == 3)
        #expect(run.state.counts.total == 3)
    }

    @Test("a run's `retry` is for its attempts: a group is tried again only where it says so itself")
    func notRetried() throws {
        var run = try EngineRun.started(
            graph("{id: g, steps: [{id: a, run: [x], retry: {maxAttempts: 1}}]}", also: "retry: {maxAttempts: 3}"))
        try run.end("g.a", .exited(1))
        #expect(run.state.phase == .failed)
        #expect(run.entries(.taskRetry).isEmpty)
    }

    @Test("questions inside are answered under their addresses, also before they are asked")
    func answers() throws {
        var run = try EngineRun.started(graph("{id: g, steps: [{id: a, run: [x]}, {id: q, ask: {prompt: Go?}}]}"))
        #expect(run.state.disposition(ofKey: "g.q") == .early)
        #expect(run.state.disposition(ofKey: "g.a") == .unknown)
        #expect(run.state.disposition(ofKey: "g.z") == .unknown)
        try run.end("g.a")
        #expect(run.state.disposition(ofKey: "g.q") == .open)
        try run.drop("g.q.json", "1")
        #expect(run.state.phase == .completed)
    }
}
