import Testing
import WaybillCore
import WaybillEngine
import WaybillExpressions

@Suite("Deadlines")
struct DeadlineTests {
    @Test("a wait ends when its time has come, and not before")
    func waitFor() throws {
        var run = try EngineRun.started(graph("{id: t, wait: {for: '${{ \"30m\" }}'}}"))
        #expect(run.state.nextDeadline == EngineRun.start + .seconds(1_800))
        _ = run.news()
        try run.tick(after: .seconds(1_799))
        #expect(run.news() == [])
        try run.tick(after: .seconds(1))
        #expect(
            run.news() == ["TASK_RESUMED t/1 t by clock", "TASK_END t/1 completed", "RUN_END completed outputs={}"])
        #expect(run.state.nextDeadline == nil)
    }

    @Test("`until` is a time; one that has passed ends with the next tick")
    func waitUntil() throws {
        var run = try EngineRun.started(graph("{id: t, wait: {until: '2026-11-20T09:00:00+01:00'}}"))
        #expect(run.state.nextDeadline == Timestamp(rfc3339: "2026-11-20T08:00:00Z"))
        #expect(run.state.status == .waiting)
        try run.tick()
        #expect(run.state.status == .completed)
    }

    /// Zones with the rule of central Europe, and none else.
    private static let zones = ZoneFiles { name in
        guard name == "Europe/Paris" else { return nil }
        let counts = [UInt8](repeating: 0, count: 19) + [1, 0, 0, 0, 4]
        let block = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts
        let type = [UInt8](repeating: 0, count: 6) + Array("LMT\0".utf8)
        return block + type + block + type + Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8)
    }

    @Test(
        "a cron wait ends at the next time in its zone, through both changes of the clock",
        arguments: [
            ("0 11 * * *", "Europe/Paris", "2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z"),
            ("0 12 * * *", "Europe/Paris", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"),
            ("0 12 * * *", "UTC", "2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z"),
            // The night in which 02:00 to 03:00 is skipped, and the one in which it comes twice.
            ("0 4 * * *", "Europe/Paris", "2027-03-28T00:30:00Z", "2027-03-28T02:00:00Z"),
            ("0 4 * * *", "Europe/Paris", "2026-10-24T23:30:00Z", "2026-10-25T03:00:00Z"),
        ])
    func cron(text: String, zone: String, now: String, end: String) throws {
        var run = try EngineRun(
            graph("{id: t, wait: {until: {next: '\(text)', timezone: \(zone)}}}"), zones: Self.zones)
        run.now = try #require(Timestamp(rfc3339: now))
        try run.begin()
        let until = try #require(Timestamp(rfc3339: end))
        #expect(run.state.nextDeadline == until)
        try run.tick(after: until - run.now - .microseconds(1))
        #expect(run.state.status == .waiting)
        try run.tick(after: .microseconds(1))
        #expect(run.state.status == .completed)
    }

    @Test("a zone that nobody knows fails the step")
    func unknownZone() throws {
        var run = try EngineRun(
            graph("{id: t, wait: {until: {next: '0 2 * * *', timezone: Mars/Olympus}}}"), zones: Self.zones)
        try run.begin()
        #expect(run.state.error?.message == "wait.until.timezone: there is no time zone 'Mars/Olympus'")
    }

    @Test("what is no duration and no time fails the step", arguments: ["for", "until"])
    func nonsense(field: String) throws {
        let run = try EngineRun.started(
            "kind: Workflow\nname: w\ninputs: {t: {type: string}}\nsteps: [{id: t, wait: {\(field): '${{ inputs.t }}'}}]\n",
            inputs: ["t": "soon"])
        #expect(run.state.error?.kind == .expression)
        #expect(run.state.error?.message.hasPrefix("wait.\(field): 'soon' is no ") == true)
    }

    @Test("at the deadline the default is taken, and said to be one")
    func defaultAnswer() throws {
        var run = try EngineRun.started(
            graph(
                "{id: q, ask: {prompt: Go?, approval: true, timeout: 48h, default: {approve: false}}}",
                "{id: a, run: [a]}"))
        _ = run.news()
        try run.tick(after: .seconds(48 * 3_600))
        #expect(
            run.news() == [
                "TASK_RESUMED q/1 q by deadline", "TASK_END q/1 completed output={\"approve\":false}",
                "TASK_START a/1 run",
            ])
        #expect(
            run.step("q")?.answers == [
                ["at": .string(run.now.description), "by": .null, "sha256": .null, "source": "default"]
            ])
        try run.drop("q.txt", "yes")
        #expect(run.settlement?.verdict == .rejected(.late))
    }

    @Test("a default that is no valid answer fails the step when it is asked")
    func badDefault() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, set: {x: perhaps}}",
                "{id: q, ask: {prompt: Go?, choices: [yes], timeout: 1h, default: '${{ steps.a.output.x }}'}}"))
        #expect(
            run.state.error
                == Failure(.answer, "ask.default is no valid answer: expected one of yes, got \"perhaps\"", step: "q"))
    }

    @Test("without a default the step fails with `timeout`")
    func timeout() throws {
        var run = try EngineRun.started(graph("{id: q, ask: {prompt: Go?}, timeout: 1h}"))
        try run.tick(after: .seconds(3_600))
        #expect(run.state.error == Failure(.timeout, "nobody answered by 2026-11-20T11:00:00.000000Z", step: "q"))
    }

    @Test(
        "an answer counts if its file changed no later than the deadline, whenever it is read before the clock's turn")
    func inTime() throws {
        let yaml = graph("{id: q, ask: {prompt: Go?, timeout: 1h, default: 0}}")
        let deadline = EngineRun.start + .seconds(3_600)
        var inTime = try EngineRun.started(yaml)
        inTime.now = deadline + .seconds(600)
        try inTime.drop("q.json", "1", changedAt: deadline)
        #expect(inTime.output("q") == 1)
        var late = try EngineRun.started(yaml)
        late.now = deadline + .seconds(600)
        try late.drop("q.json", "1", changedAt: Timestamp(microseconds: deadline.microseconds + 1))
        #expect(late.settlement?.verdict == .rejected(.late))
        #expect(late.state.disposition(ofKey: "q") == .open)
        try late.tick()
        #expect(late.output("q") == 0)
    }

    @Test("deadlines fire in their order, and those behind a failure do not")
    func order() throws {
        var run = try EngineRun.started(
            graph(
                "{id: c, needs: [], wait: {for: 3m}}", "{id: b, needs: [], ask: {prompt: Go?, timeout: 2m}}",
                "{id: a, needs: [], wait: {for: 1m}}"))
        _ = run.news()
        try run.tick(after: .seconds(600))
        #expect(
            run.news() == [
                "TASK_RESUMED a/1 a by clock", "TASK_END a/1 completed", "TASK_RESUMED b/1 b by deadline",
                "TASK_END b/1 failed timeout[b]: nobody answered by 2026-11-20T10:02:00.000000Z",
                "TASK_RESUMED c/1 c by end",
                "TASK_END c/1 cancelled cancelled[c]: the run ended while this step waited",
                "RUN_END failed timeout[b]: nobody answered by 2026-11-20T10:02:00.000000Z",
            ])
    }

    @Test("times of entries never go back, whatever the clock does")
    func clockSteps() throws {
        var run = try EngineRun.started(graph("{id: q, ask: {prompt: Go?}}"))
        run.now = EngineRun.start - .seconds(86_400)
        try run.drop("q.json", "1")
        #expect(run.entries.allSatisfy { $0.ts == EngineRun.start })
        #expect(run.state.status == .completed)
    }

    @Test("only the clock's own stimulus lets deadlines fire")
    func onlyTicks() throws {
        var run = try EngineRun.started(
            graph("{id: q, needs: [], ask: {prompt: Go?, timeout: 1m}}", "{id: a, needs: [], run: [a]}"))
        try run.end("a", after: .seconds(600))
        #expect(run.state.waits.count == 1)
        try run.tick()
        #expect(run.state.status == .failed)
    }
}
