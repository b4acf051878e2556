import Testing
import WaybillCore
import WaybillEngine

@Suite("Retries")
struct RetryTests {
    private func run(_ retry: String, also: String = "") throws -> EngineRun {
        try EngineRun.started(graph("{id: a, run: [x], retry: \(retry)}", also: also))
    }

    @Test("a back-off is a wait of the run, and the recorded intent is run again")
    func backoff() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [x, '${{ attempt }}'], retry: {maxAttempts: 3, initial: 10s}}"))
        let first = try run.attempt("a").intent
        try run.end("a", .exited(7))
        #expect(run.state.status == .waiting)
        #expect(run.state.nextDeadline == run.now + .seconds(10))
        try run.tick(after: .seconds(9))
        #expect(run.launched == [])
        try run.tick(after: .seconds(1))
        #expect(run.launched == ["a"])
        #expect(try run.attempt("a").intent == first)
        try run.end("a")
        #expect(
            run.news() == [
                "RUN_START", "TASK_START a/1 run", "TASK_RETRY a/2 exit",
                "TASK_WAITING a/1 a-retry retry until 2026-11-20T10:00:11.000000Z", "TASK_RESUMED a/1 a-retry by clock",
                "TASK_START a/2 run", "TASK_END a/2 completed exitCode=0", "RUN_END completed outputs={}",
            ])
        #expect(run.state.usage.retries == 1)
        #expect(run.state.usage.started == 2)
    }

    @Test("the last attempt's failure is the step's")
    func exhausted() throws {
        var run = try run("{maxAttempts: 2, initial: 0s}")
        try run.end("a", .exited(1))
        #expect(run.launched == ["a"])
        try run.end("a", .exited(2))
        #expect(
            run.news().suffix(2) == [
                "TASK_END a/2 failed exitCode=2 exit[a]: exited with code 2",
                "RUN_END failed exit[a]: exited with code 2",
            ])
    }

    @Test(
        "back-offs are fixed or double up to their cap",
        arguments: [
            ("{maxAttempts: 6, initial: 2s}", [2, 2, 2, 2, 2]),
            ("{maxAttempts: 6, initial: 2s, backoff: exponential, max: 10s}", [2, 4, 8, 10, 10]),
            ("{maxAttempts: 6, backoff: exponential}", [1, 2, 4, 8, 16]),
        ])
    func times(rule: String, seconds: [Int64]) throws {
        var run = try run(rule)
        for pause in seconds {
            try run.end("a", .exited(1))
            let until = try #require(run.state.nextDeadline)
            #expect(until == run.now + .seconds(pause))
            try run.tick(after: .seconds(pause))
        }
        #expect(try run.attempt("a").reference.attempt == 6)
    }

    @Test("full jitter takes any time up to the back-off: another one for each attempt, always the same")
    func jitter() throws {
        func pauses() throws -> [Int64] {
            var run = try run("{maxAttempts: 6, initial: 10s, jitter: full}")
            var pauses: [Int64] = []
            for _ in 1...5 {
                try run.end("a", .exited(1))
                let pause = try #require(run.state.nextDeadline).microseconds - run.now.microseconds
                pauses.append(pause)
                try run.tick(after: .microseconds(pause))
            }
            return pauses
        }
        let first = try pauses()
        #expect(Set(first).count == 5)
        #expect(first.allSatisfy { (1...10_000_000).contains($0) }, "\(first)")
        #expect(try pauses() == first)
    }

    @Test("each field is the step's, else the workflow's")
    func resolution() throws {
        var run = try run(
            "{maxAttempts: 2}",
            also: "retry: {maxAttempts: 9, initial: 30s, backoff: exponential, on: [timeout, signal]}\n")
        try run.end("a", .signalled(9))
        #expect(run.state.nextDeadline == run.now + .seconds(30))
        try run.tick(after: .seconds(30))
        try run.end("a", .signalled(9))
        #expect(run.state.phase == .failed)
    }

    @Test("the run's own `retry` comes before all others")
    func override() throws {
        var run = try EngineRun(graph("{id: a, run: [x], retry: {maxAttempts: 2, initial: 1s}}"))
        var start = RunStart(
            id: EngineRun.id, commit: nil, inputs: Object(), trigger: ["type": "manual"], actor: .user, by: nil)
        start.retry = ["maxAttempts": 3, "initial": "5s"]
        try run.send(.start(start))
        for _ in 0..<2 {
            try run.end("a", .exited(1))
            #expect(run.state.nextDeadline == run.now + .seconds(5))
            try run.tick(after: .seconds(5))
        }
        try run.end("a", .exited(1))
        #expect(run.state.phase == .failed)
    }

    @Test(
        "`on` says what is retried",
        arguments: [
            ("[exit]", AttemptResult.Outcome.exited(3), true), ("[exit]", .signalled(9), false),
            ("[{exit: [3, 75]}]", .exited(75), true), ("[{exit: 3}]", .exited(4), false),
            ("[{signal: [TERM]}]", .signalled(15), true), ("[{signal: TERM}]", .signalled(9), false),
            ("[timeout]", .timedOut, true), ("[executor]", .notStarted("no such program"), true),
            ("[{if: \"error.exitCode == 5 && attempt < 2\"}]", .exited(5), true),
            ("[{if: 'error.signal == 1'}]", .exited(5), false),
        ])
    func causes(on: String, outcome: AttemptResult.Outcome, isRetried: Bool) throws {
        var run = try run("{maxAttempts: 2, initial: 1s, on: \(on)}")
        try run.end("a", outcome)
        #expect((run.state.phase == .running) == isRetried)
    }

    @Test("a rejected result is retried where `on` says verification")
    func verification() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [x], output: json, verify: [output == 1], retry: {maxAttempts: 2, initial: 1s, on: [verification]}}"
            ))
        try run.end("a", printing: "0")
        try run.tick(after: .seconds(1))
        try run.end("a", printing: "1")
        #expect(run.output("a") == 1)
    }

    @Test(
        "`Retry-After` makes a back-off longer, never shorter, and not longer than a week",
        arguments: [
            ("120", 120), ("3", 10), ("Fri, 20 Nov 2026 10:05:01 GMT", 300), ("Fri, 20 Nov 2026 09:00:00 GMT", 10),
            ("99999999999999999999", 7 * 86_400), ("Fri, 20 Nov 2099 10:05:01 GMT", 7 * 86_400), ("soon", 10),
        ])
    func retryAfter(header: String, seconds: Int64) throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, http: {url: 'https://a.test'}, retry: {maxAttempts: 2, initial: 10s, on: [{status: 503}]}}"))
        try run.end("a", .responded(HTTPReply(status: 503, headers: [("Retry-After", header)])))
        #expect(run.state.waits["a-retry"]?.until == run.now + .seconds(seconds))
        try run.tick(after: .seconds(seconds - 1))
        #expect(run.launched == [])
        try run.tick(after: .seconds(1))
        #expect(run.launched == ["a"])
    }

    @Test("during a back-off a pause stops the clock, and a resume lets it go on")
    func paused() throws {
        var run = try run("{maxAttempts: 2, initial: 10s}")
        try run.end("a", .exited(1))
        try run.drop("@pause.json")
        #expect(run.state.status == .paused)
        try run.tick(after: .seconds(60))
        #expect(run.launched == [])
        try run.drop("@resume.json")
        try run.tick()
        #expect(run.launched == ["a"])
    }

    @Test("during a back-off a cancellation ends the step")
    func cancelled() throws {
        var run = try run("{maxAttempts: 2, initial: 10s}")
        try run.end("a", .exited(1))
        _ = run.news()
        try run.drop("@cancel.json")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED @cancel by bob", "RUN_CANCELLED", "TASK_RESUMED a/1 a-retry by end",
                "TASK_END a/1 cancelled cancelled[a]: the run ended while this step waited",
                "RUN_END cancelled cancelled[run]: cancelled",
            ])
    }

    @Test("a failure elsewhere during a back-off makes the failure that was to be retried stand")
    func failureElsewhere() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [x], retry: {maxAttempts: 2, initial: 10s}}", "{id: b, needs: [], run: [y]}"))
        try run.end("a", .exited(1))
        _ = run.news()
        try run.end("b", .exited(2))
        #expect(
            run.news() == [
                "TASK_END b/1 failed exitCode=2 exit[b]: exited with code 2", "TASK_RESUMED a/1 a-retry by end",
                "TASK_END a/1 failed exit[a]: exited with code 1", "RUN_END failed exit[b]: exited with code 2",
            ])
    }

    @Test("waiting steps are not retried")
    func waits() throws {
        var run = try EngineRun.started(
            graph("{id: q, ask: {prompt: Go?, timeout: 1m}}", also: "retry: {maxAttempts: 3, on: [timeout]}\n"))
        try run.tick(after: .seconds(60))
        #expect(run.state.phase == .failed)
        #expect(run.entries(.taskRetry).isEmpty)
    }

    @Test("a catch sees the failure once no attempt is left")
    func caught() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: a, run: [x], retry: {maxAttempts: 2, initial: 0s}, \
                catch: [{if: error.exitCode == 1, output: one}, {output: '${{ error.message }}'}]}
                """, "{id: b, set: {v: '${{ steps.a.output }}', s: '${{ steps.a.status }}'}}"))
        try run.end("a", .exited(1))
        try run.end("a", .exited(2))
        #expect(run.output("b") == ["s": "completed", "v": "exited with code 2"])
        #expect(run.entries(.taskEnd).first?.data["caught"]?["exitCode"] == 2)
    }

    @Test("in a machine a catch may choose where to go")
    func caughtTo() throws {
        var run = try EngineRun.started(
            machine(
                "a: {run: [x], catch: [{if: error.exitCode == 3, to: c}], next: b}", "b: {set: {n: 1}, next: end}",
                "c: {set: {n: 2}, next: end}"))
        try run.end("a", .exited(3))
        #expect(
            run.news().suffix(6) == [
                "TASK_END a/1 completed exitCode=3", "BRANCH_TAKEN a to c", "TASK_START c/1 set",
                "TASK_END c/1 completed output={\"n\":2}", "BRANCH_TAKEN c to end", "RUN_END completed outputs={}",
            ])
    }

    @Test("a failure that no entry of `catch` matches stands")
    func uncaught() throws {
        var run = try EngineRun.started(graph("{id: a, run: [x], catch: [{if: error.kind == 'signal', output: 1}]}"))
        try run.end("a", .exited(1))
        #expect(run.state.phase == .failed)
    }

    @Test("a loop that failed may be caught as a whole")
    func caughtLoop() throws {
        var run = try EngineRun.started(
            graph("{id: l, forEach: [1], steps: [{id: a, run: [x]}], catch: [{output: none}]}", "{id: b, run: [y]}"))
        try run.end("l-0.a", .exited(1))
        #expect(run.items("l")?.listValue?.compactMap { $0["output"] } == ["none"])
        #expect(run.launched == ["b"])
    }
}
