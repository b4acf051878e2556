import Testing
import WaybillCore
import WaybillEngine

@Suite("Steps that serve another one")
struct ServingStepTests {
    private static let job = graph(
        """
        {id: j, output: json, wait: {job: {handle: 'job-${{ 6 * 7 }}', poll: {run: [ask]}, every: 1m}}}
        """, "{id: after, set: {v: '${{ steps.j.output }}'}}")

    @Test("a job is asked about until it says that it is done; its poll's output is the step's")
    func job() throws {
        var run = try EngineRun.started(Self.job)
        #expect(run.state.status == .waiting)
        #expect(run.state.waits["j"]?.details?["handle"] == "job-42")
        try run.tick(after: .seconds(60))
        #expect(run.launched == ["j-poll"])
        #expect(try run.attempt("j-poll").intent["env"] == ["WAYBILL_JOB_HANDLE": "job-42"])
        try run.end("j-poll", .exited(75), .bytes(Array("half".utf8)))
        #expect(run.state.status == .waiting)
        try run.tick(after: .seconds(60))
        try run.end("j-poll", printing: "{\"rows\": 3}")
        #expect(
            run.news() == [
                "RUN_START", "TASK_START j/1 wait", "TASK_WAITING j/1 j job until 2026-11-20T10:01:00.000000Z",
                "TASK_RESUMED j/1 j by clock", "TASK_START j-poll/1 run", "TASK_END j-poll/1 completed exitCode=75",
                "TASK_WAITING j/1 j job until 2026-11-20T10:02:01.000000Z", "TASK_RESUMED j/1 j by clock",
                "TASK_START j-poll.2/1 run", "TASK_END j-poll.2/1 completed output={\"rows\":3} exitCode=0",
                "TASK_END j/1 completed output={\"rows\":3}", "TASK_START after/1 set",
                "TASK_END after/1 completed output={\"v\":{\"rows\":3}}", "RUN_END completed outputs={}",
            ])
        #expect(run.state.counts.total == 2)
    }

    @Test("a poll that ends with another code says that the job failed, and is not retried for that")
    func failedJob() throws {
        var run = try EngineRun.started(Self.job + "retry: {maxAttempts: 3, initial: 0s}\n")
        try run.tick(after: .seconds(60))
        try run.end("j-poll", .signalled(9))
        #expect(run.launched == ["j-poll"])
        try run.end("j-poll", .exited(3))
        #expect(
            run.news().suffix(3) == [
                "TASK_END j-poll/2 failed exitCode=3 exit[j-poll]: exited with code 3",
                "TASK_END j/1 failed exit[j-poll]: exited with code 3",
                "RUN_END failed exit[j-poll]: exited with code 3",
            ])
    }

    private static func limited(_ poll: String, every: String = "1m", also: String = "") -> String {
        graph(
            "{id: j, timeout: 150s, wait: {job: {handle: h, poll: {\(poll)}, every: \(every)}}}", also: also)
    }

    @Test("`timeout` bounds the whole wait from its start, and a poll takes no longer than is left")
    func limitedJob() throws {
        var run = try EngineRun.started(Self.limited("run: [ask]"))
        for left in ["1m", "29s"] {
            try run.tick(after: .seconds(60))
            #expect(try run.attempt("j-poll").intent["timeout"] == .string(left))
            try run.end("j-poll", .exited(75))
        }
        #expect(run.state.nextDeadline == EngineRun.start + .seconds(150))
        try run.tick(after: .seconds(27))
        #expect(run.launched == [])
        try run.tick(after: .seconds(1))
        #expect(
            run.news().suffix(3) == [
                "TASK_RESUMED j/1 j by deadline",
                "TASK_END j/1 failed timeout[j]: the job was not done by 2026-11-20T10:02:30.000000Z",
                "RUN_END failed timeout[j]: the job was not done by 2026-11-20T10:02:30.000000Z",
            ])
    }

    @Test("the limit stays where it is when the run is read back, even if nobody looked at it in time")
    func limitedJobAfterRestart() throws {
        var run = try EngineRun.started(Self.limited("run: [ask]"))
        try run.tick(after: .seconds(60))
        try run.end("j-poll", .exited(75))
        var again = try run.reread()
        #expect(again.state.waits["j"]?.details?["deadline"] == "2026-11-20T10:02:30.000000Z")
        try again.tick(after: .seconds(3_600))
        #expect(again.launched == [])
        #expect(again.state.error?.kind == .timeout)
    }

    @Test("a poll that the limit cuts short says nothing of the job, and is not made again after it")
    func pollAtTheLimit() throws {
        var run = try EngineRun.started(
            Self.limited("run: [ask], timeout: 2m", also: "retry: {maxAttempts: 3, initial: 0s}\n"))
        try run.tick(after: .seconds(60))
        #expect(try run.attempt("j-poll").intent["timeout"] == "1m30s")
        try run.end("j-poll", .timedOut, after: .seconds(90))
        #expect(run.state.error?.message == "the job was not done by 2026-11-20T10:02:30.000000Z")
        #expect(run.entries(.taskRetry).isEmpty)
    }

    @Test("a poll has a time of its own", arguments: [("run: [ask]", "1m"), ("run: [ask], timeout: 5s", "5s")])
    func pollTimeout(poll: String, timeout: String) throws {
        var run = try EngineRun.started(
            graph("{id: j, wait: {job: {handle: h, poll: {\(poll)}, every: 1m}}}"))
        try run.tick(after: .seconds(60))
        #expect(try run.attempt("j-poll").intent["timeout"] == .string(timeout))
    }

    private static func responded(_ status: Int, _ headers: [(name: String, value: String)] = [])
        -> AttemptResult.Outcome
    {
        .responded(HTTPReply(status: status, headers: headers, body: Array("\(status)".utf8)))
    }

    @Test("a job may be asked about by HTTP: 202 says that it goes on, 200 that it is done")
    func requestPolls() throws {
        var run = try EngineRun.started(
            Self.limited("http: {url: 'https://jobs.test/${{ run.id }}'}")
                + "outputs: {body: '${{ steps.j.output.body }}'}\n")
        try run.tick(after: .seconds(60))
        let intent = try run.attempt("j-poll").intent
        #expect(intent["url"] == .string("https://jobs.test/\(EngineRun.id)"))
        #expect(intent["timeout"] == "30s")
        try run.end("j-poll", Self.responded(202))
        #expect(run.state.status == .waiting)
        try run.tick(after: .seconds(60))
        try run.end("j-poll", Self.responded(200))
        #expect(run.outputs == ["body": "200"])
        #expect(
            run.news().filter { $0.hasPrefix("TASK_RESUMED") || $0.hasPrefix("TASK_START") } == [
                "TASK_START j/1 wait", "TASK_RESUMED j/1 j by clock", "TASK_START j-poll/1 http",
                "TASK_RESUMED j/1 j by clock", "TASK_START j-poll.2/1 http",
            ])
    }

    @Test(
        "any other answer says that the job failed, and asking again would give it again",
        arguments: [
            (204, "the poll was answered with HTTP status 204"),
            (500, "the server answered with status 500 Internal Server Error"),
        ])
    func refusedPoll(status: Int, message: String) throws {
        var run = try EngineRun.started(
            Self.limited("http: {url: 'https://jobs.test'}", also: "retry: {maxAttempts: 3, initial: 0s}\n"))
        try run.tick(after: .seconds(60))
        try run.end("j-poll", Self.responded(status))
        #expect(run.state.error?.message == message)
        #expect(run.state.error?.step == "j-poll")
        #expect(run.entries(.taskRetry).isEmpty)
    }

    @Test("a poll that reaches nobody is made again where `retry` says so")
    func unreachablePoll() throws {
        var run = try EngineRun.started(
            Self.limited("http: {url: 'https://jobs.test'}", also: "retry: {maxAttempts: 2, initial: 0s}\n"))
        try run.tick(after: .seconds(60))
        try run.end("j-poll", .unreachable("no route"))
        #expect(run.launched == ["j-poll"])
        try run.end("j-poll", Self.responded(200))
        #expect(run.state.phase == .completed)
    }

    @Test("a cancellation ends the poll and the wait")
    func cancelledJob() throws {
        var run = try EngineRun.started(Self.job)
        try run.tick(after: .seconds(60))
        try run.drop("@cancel.json")
        try run.end("j-poll", .stopped)
        #expect(run.state.phase == .cancelled)
        #expect(run.status("j") == .cancelled)
    }

    @Test("a failure elsewhere lets a poll end, and the job is not asked about again")
    func failureElsewhere() throws {
        var run = try EngineRun.started(
            graph(
                "{id: j, wait: {job: {handle: h, poll: {run: [ask]}, every: 1m}}}", "{id: b, needs: [], run: [y]}"))
        try run.tick(after: .seconds(60))
        try run.end("b", .exited(1))
        try run.end("j-poll", .exited(75))
        #expect(run.status("j") == .cancelled)
        #expect(run.state.phase == .failed)
    }

    @Test("however often a job is asked about, a poll costs the same")
    func cost() throws {
        var run = try EngineRun.started(Self.job)
        var sizes: [Int] = []
        for _ in 0..<400 {
            let before = run.entries.count
            try run.tick(after: .seconds(60))
            try run.end("j-poll", .exited(75))
            sizes.append(run.entries[before...].filter { $0.type != .checkpoint }.count)
        }
        #expect(Set(sizes) == [4])
        #expect(run.state.frames.count == 1)
        #expect(run.state.checkpointBytes().count < 6_000)
    }

    private static let check = graph(
        "{id: a, run: [x], output: json, onUnknown: {check: {run: [look]}}}",
        "{id: b, set: {v: '${{ steps.a.output }}'}}")

    @Test("a check that ends with 0 says that it was done, and prints the output")
    func checked() throws {
        var run = try EngineRun.started(Self.check)
        let key = IdempotencyKey.make(run: run.state.id, address: "a", visit: 1)
        try run.lose("a")
        #expect(run.launched == ["a-check"])
        #expect(try run.attempt("a-check").intent["idempotencyKey"] == .string(key))
        #expect(run.status("a") == .unknown)
        try run.end("a-check", printing: "5")
        #expect(
            run.news() == [
                "RUN_START", "TASK_START a/1 run", "TASK_UNKNOWN a/1 gone", "TASK_START a-check/1 run",
                "TASK_END a-check/1 completed output=5 exitCode=0", "TASK_END a/1 completed output=5",
                "TASK_START b/1 set",
                "TASK_END b/1 completed output={\"v\":5}", "RUN_END completed outputs={}",
            ])
    }

    @Test("a check that ends with 1 has the attempt made again")
    func checkedAgain() throws {
        var run = try EngineRun.started(Self.check)
        try run.lose("a")
        try run.end("a-check", .exited(1))
        #expect(run.launched == ["a"])
        try run.lose("a")
        try run.end("a-check", .exited(1))
        #expect(try run.attempt("a").reference.attempt == 3)
        #expect(
            run.entries(.taskStart).map { "\($0.step ?? "").\($0.visit ?? 0)" } == [
                "a.1", "a-check.1", "a.1", "a-check.2", "a.1",
            ])
        #expect(run.state.counts.total == 2)
    }

    @Test("a check that cannot tell has somebody asked")
    func asked() throws {
        var run = try EngineRun.started(Self.check)
        try run.lose("a")
        try run.end("a-check", .exited(9))
        #expect(run.state.waits.keys.sorted() == ["a-unknown"])
        try run.drop("a-unknown.json", "{\"result\": \"done\", \"output\": 8}")
        #expect(run.output("b") == ["v": 8])
    }

    @Test("a cancellation ends a check, and with it the step whose outcome nobody knows")
    func cancelledCheck() throws {
        var run = try EngineRun.started(Self.check)
        try run.lose("a")
        try run.drop("@cancel.json")
        try run.end("a-check", .stopped)
        #expect(run.state.phase == .cancelled)
        #expect(run.status("a") == .cancelled)
    }
}
