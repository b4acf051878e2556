import Testing
import WaybillCore
import WaybillEngine

@Suite("Steps that are visited again while a condition holds")
struct RepetitionTests {
    @Test("the condition is tested before each visit, with what the last one gave")
    func visits() throws {
        var run = try EngineRun.started(
            graph(
                "{id: p, while: '!steps.p.?output.done.orValue(false)', run: [x, '${{ visit }}'], output: json}",
                "{id: after, set: {n: '${{ steps.p.visits }}'}}"))
        try run.end("p", printing: "{\"done\": false}")
        #expect(run.launched == ["p"])
        #expect(try run.attempt("p").intent["argv"] == ["x", "2"])
        try run.end("p", printing: "{\"done\": true}")
        let condition = "(!steps.p.?output.done.orValue(false))"
        #expect(
            run.news() == [
                "RUN_START", "GUARD_EVAL p \(condition) is true", "TASK_START p/1 run",
                "GUARD_EVAL p.2 \(condition) is true", "TASK_END p/1 completed output={\"done\":false} exitCode=0",
                "TASK_START p.2/1 run", "GUARD_EVAL p.3 \(condition) is false",
                "TASK_END p.2/1 completed output={\"done\":true} exitCode=0", "TASK_START after/1 set",
                "TASK_END after/1 completed output={\"n\":2}", "RUN_END completed outputs={}",
            ])
    }

    @Test("a step whose condition does not hold at first is skipped, and `if` is asked once")
    func skipped() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, while: 'visit > 1', set: {n: 1}}", "{id: b, if: 'visit == 1', while: visit < 4, set: {n: 1}}"))
        #expect(run.status("a") == .skipped)
        #expect(run.status("b") == .completed)
        #expect(run.step("b")?.visit == 3)
        #expect(run.entries(.guardEval).filter { $0.step == "b" }.count == 5)
    }

    @Test("the visit that is one too many fails the step, as any failure does")
    func exhausted() throws {
        var run = try EngineRun.started(graph("{id: a, while: 'true', maxVisits: 3, set: {n: 1}}"))
        #expect(
            run.news().suffix(2) == [
                "TASK_END a.3/1 failed limit[a]: a was visited 3 times, which is its maxVisits",
                "RUN_END failed limit[a]: a was visited 3 times, which is its maxVisits",
            ])
        run = try EngineRun.started(
            graph("{id: a, while: 'true', maxVisits: 3, continueOnError: true, set: {n: 1}}", "{id: b, set: {n: 1}}"))
        #expect(run.status("a") == .failed)
        #expect(run.status("b") == .completed)
        #expect(run.state.status == .completed)
        run = try EngineRun.started(
            graph("{id: a, while: 'true', maxVisits: 3, catch: [{output: {n: 7}}], set: {n: 1}}"))
        #expect(run.output("a") == ["n": 7])
        #expect(run.state.status == .completed)
    }

    @Test("groups are visited again, and the visits of their steps count on, however many there are")
    func groups() throws {
        let run = try EngineRun.started(
            graph(
                """
                {id: g, while: visit <= 150, maxVisits: 200, steps: [{id: a, set: {n: '${{ visit }}'}}, \
                {id: w, while: visit % 2 == 1, maxVisits: 2, set: {n: '${{ visit }}'}}]}
                """))
        #expect(run.state.phase == .completed)
        #expect(run.output("g")?["a"] == ["n": 150])
        #expect(run.step("g")?.visit == 150)
        #expect(run.state.counts.total == 3)
    }

    @Test("a question in a group that is visited again has a key for each visit")
    func questions() throws {
        var run = try EngineRun.started(
            graph("{id: g, while: \"steps.g.?output.q.orValue('no') != 'yes'\", steps: [{id: q, ask: {prompt: Go?}}]}"))
        try run.drop("g.q.json", "\"no\"")
        #expect(run.state.waits.keys.sorted() == ["g.q.2"])
        #expect(run.state.disposition(ofKey: "g.q.3") == .early)
        try run.drop("g.q.2.json", "\"yes\"")
        #expect(run.state.phase == .completed)
    }

    @Test("a failed visit is the last one")
    func failure() throws {
        var run = try EngineRun.started(graph("{id: a, while: 'true', continueOnError: true, run: [x]}"))
        try run.end("a")
        try run.end("a", .exited(1))
        #expect(run.status("a") == .failed)
        #expect(run.state.phase == .completed)
    }

    @Test("`while` sees `vars` as the visit's own `update` leaves them")
    func updatedVariables() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, while: vars.n < 3, set: {n: '${{ vars.n + 1 }}'}, update: {n: '${{ output.n }}'}}",
                also: "vars: {n: {default: 0}}\n"))
        #expect(run.state.phase == .completed)
        #expect(run.step("a")?.visit == 3)
    }
}
