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
