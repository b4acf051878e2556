import Testing
import WaybillCore
import WaybillEngine

@Suite("Unknown outcomes")
struct UnknownOutcomeTests {
    private func lost(_ rule: String = "") throws -> EngineRun {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a, '${{ run.id }}'], output: json\(rule)}", "{id: b, set: {x: '${{ steps.a.output }}'}}")
        )
        _ = run.news()
        try run.lose("a")
        return run
    }

    @Test(
        "`retry` starts the recorded intent again as a second attempt of the same visit",
        arguments: [", onUnknown: retry", ", sideEffects: pure", ", sideEffects: idempotent"])
    func retry(rule: String) throws {
        var run = try lost(rule)
        #expect(run.news() == ["TASK_UNKNOWN a/1 gone", "TASK_RETRY a/2 unknown", "TASK_START a/2 run"])
        #expect(run.launched == ["a"])
        let attempt = try run.attempt("a")
        #expect(attempt.reference == AttemptReference(step: "a", visit: 1, attempt: 2))
        #expect(attempt.intent["argv"] == ["a", .string(EngineRun.id)])
        try run.end("a", printing: "1")
        #expect(run.news().first == "TASK_END a/2 completed output=1 exitCode=0")
        #expect(run.state.usage.retries == 1)
        #expect(run.step("a")?.attempt == 2)
    }

    @Test("`fail` fails the step")
    func fail() throws {
        var run = try lost(", onUnknown: fail")
        #expect(
            run.news() == [
                "TASK_UNKNOWN a/1 gone", "TASK_END a/1 failed unknown[a]: the outcome of attempt 1 is unknown: gone",
                "RUN_END failed unknown[a]: the outcome of attempt 1 is unknown: gone",
            ])
    }

    @Test("`ask` is the default: it opens a wait, and the step is `unknown` until somebody says")
    func ask() throws {
        var run = try lost()
        #expect(run.news() == ["TASK_UNKNOWN a/1 gone", "TASK_WAITING a/1 a-unknown user"])
        #expect(run.status("a") == .unknown)
        #expect(run.state.status == .waiting)
        #expect(run.state.outstandingAttempts == [])
        let wait = try #require(run.state.waits["a-unknown"])
        #expect(wait.choices == ["done", "failed", "retry"])
        #expect(wait.until == nil)
    }

    @Test("`done` completes the step, with the output that was said")
    func done() throws {
        var run = try lost()
        _ = run.news()
        try run.drop("a-unknown.json", "{\"result\":\"done\",\"output\":{\"n\":1}}")
        #expect(
            run.news().prefix(3) == [
                "ANSWER_ACCEPTED a a-unknown by bob", "TASK_RESUMED a/1 a-unknown by answer",
                "TASK_END a/1 completed output={\"n\":1}",
            ])
        #expect(run.output("b") == ["x": ["n": 1]])
        #expect(run.step("a")?.answers == [])
    }

    @Test("`failed` fails the step")
    func failed() throws {
        var run = try lost()
        try run.drop("a-unknown.txt", "failed\n")
        #expect(run.state.error == Failure(.unknown, "was answered to have failed", step: "a"))
    }

    @Test("`retry` starts it again, and a second loss asks again under the same key")
    func answeredRetry() throws {
        var run = try lost()
        try run.drop("a-unknown.yaml", "retry")
        #expect(run.launched == ["a"])
        #expect(run.news().suffix(2) == ["TASK_RETRY a/2 answer", "TASK_START a/2 run"])
        try run.lose("a")
        #expect(run.state.disposition(ofKey: "a-unknown") == .open)
        try run.drop("a-unknown.txt", "done")
        #expect(run.status("a") == .completed)
        #expect(run.state.disposition(ofKey: "a-unknown") == .ended)
    }

    @Test("anything else is refused, and the wait stays open")
    func refused() throws {
        var run = try lost()
        _ = run.news()
        try run.drop("a-unknown.txt", "perhaps")
        #expect(run.news() == ["ANSWER_REJECTED a-unknown schema: expected done, failed or retry, got \"perhaps\""])
        #expect(run.state.waits.count == 1)
    }

    @Test("a paused run does not try again before it is resumed")
    func paused() throws {
        var run = try lost()
        try run.drop("@pause.json")
        #expect(run.state.status == .paused)
        try run.drop("a-unknown.txt", "retry")
        #expect(run.launched == [])
        #expect(run.status("a") == .pending)
        _ = run.news()
        try run.drop("@resume.json")
        #expect(run.news() == ["ANSWER_ACCEPTED @resume by bob", "RUN_RESUMED", "TASK_START a/2 run"])
        #expect(run.launched == ["a"])
    }

    @Test("an attempt lost while a pause waits for it is tried again only after the pause")
    func lostDuringPause() throws {
        var run = try EngineRun.started(machine("a: {run: [a], onUnknown: retry, next: end}"))
        try run.drop("@pause.json")
        #expect(run.state.status == .running)
        try run.lose("a")
        #expect(run.state.status == .paused)
        #expect(run.launched == [])
        try run.drop("@resume.json")
        #expect(run.launched == ["a"])
        try run.end("a")
        #expect(run.state.status == .completed)
    }

    @Test("a run that ends anyway asks nobody")
    func ending() throws {
        var run = try EngineRun.started(graph("{id: a, needs: [], run: [a]}", "{id: b, needs: [], run: [b]}"))
        try run.end("b", .exited(1))
        _ = run.news()
        try run.lose("a")
        #expect(
            run.news() == [
                "TASK_UNKNOWN a/1 gone",
                "TASK_END a/1 cancelled unknown[a]: the run ended before the outcome was settled",
                "RUN_END failed exit[b]: exited with code 1",
            ])
    }

    @Test("a failure elsewhere closes the question")
    func closed() throws {
        var run = try EngineRun.started(graph("{id: a, needs: [], run: [a]}", "{id: b, needs: [], run: [b]}"))
        try run.lose("a")
        _ = run.news()
        try run.end("b", .exited(1))
        #expect(
            run.news() == [
                "TASK_END b/1 failed exitCode=1 exit[b]: exited with code 1", "TASK_RESUMED a/1 a-unknown by end",
                "TASK_END a/1 cancelled unknown[a]: the run ended before the outcome was settled",
                "RUN_END failed exit[b]: exited with code 1",
            ])
    }
}
