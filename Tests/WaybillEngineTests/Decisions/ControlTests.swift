import Testing
import WaybillCore
import WaybillEngine

@Suite("Control files")
struct ControlTests {
    private let two = graph(
        "{id: a, needs: [], run: [a]}", "{id: q, needs: [], ask: {prompt: Go?, timeout: 1m, default: 0}}",
        "{id: b, needs: [a], run: [b]}")

    private func stopped(_ run: EngineRun) -> [String] {
        run.effects.compactMap {
            switch $0 {
            case .terminate(let reference): "TERM \(reference.step)"
            case .kill(let reference): "KILL \(reference.step)"
            default: nil
            }
        }
    }

    @Test("cancelling ends attempts with TERM, closes waits, and reports `cancelled` when all have ended")
    func cancel() throws {
        var run = try EngineRun.started(two)
        _ = run.news()
        try run.drop("@cancel.json", "{\"reason\":\"wrong version\"}")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED @cancel by bob", "RUN_CANCELLED wrong version", "TASK_RESUMED q/1 q by end",
                "TASK_END q/1 cancelled cancelled[q]: the run ended while this step waited",
            ])
        #expect(stopped(run) == ["TERM a"])
        #expect(run.entries(.runCancelled)[0].by == "bob")
        #expect(run.state.status == .running)
        try run.drop("@cancel--now.json")
        #expect(stopped(run) == ["KILL a"])
        #expect(run.news() == ["ANSWER_ACCEPTED @cancel by bob", "RUN_CANCELLED"])
        try run.end("a", .stopped)
        #expect(
            run.news() == [
                "TASK_END a/1 cancelled cancelled[a]: ended because the run ends",
                "RUN_END cancelled cancelled[run]: cancelled",
            ])
        #expect(run.status("b") == .pending)
    }

    @Test("an attempt that ends by itself during a cancellation counts as what it is")
    func cancelledInTime() throws {
        var run = try EngineRun.started(two)
        try run.drop("@cancel.txt", "enough\n")
        try run.end("a")
        #expect(run.status("a") == .completed)
        #expect(run.state.status == .cancelled)
    }

    @Test("pausing starts nothing new, and reports `paused` when what runs has ended")
    func pause() throws {
        var run = try EngineRun.started(two)
        _ = run.news()
        try run.drop("@pause.json")
        #expect(run.news() == ["ANSWER_ACCEPTED @pause by bob"])
        #expect(run.state.status == .running)
        try run.end("a")
        #expect(run.news() == ["TASK_END a/1 completed exitCode=0", "RUN_PAUSED"])
        #expect(run.state.status == .paused)
        #expect(run.state.pausedAt == run.now)
        try run.drop("@resume.json", "reason: go on\n".replacing("reason: go on\n", with: "{\"reason\":\"go on\"}"))
        #expect(run.news() == ["ANSWER_ACCEPTED @resume by bob", "RUN_RESUMED go on", "TASK_START b/1 run"])
        #expect(run.state.pausedAt == nil)
    }

    @Test("deadlines that pass during a pause fire at resume, also while it waits for what runs")
    func deadlines() throws {
        var run = try EngineRun.started(two)
        try run.drop("@pause.json")
        #expect(run.state.nextDeadline == nil)
        try run.tick(after: .seconds(120))
        #expect(run.state.waits.count == 1)
        try run.end("a")
        try run.tick(after: .seconds(120))
        #expect(run.state.waits.count == 1)
        try run.drop("@resume.json")
        #expect(run.state.nextDeadline == EngineRun.start + .seconds(60))
        try run.tick()
        #expect(run.output("q") == 0)
    }

    @Test("answers count while a run is paused")
    func answered() throws {
        var run = try EngineRun.started(graph("{id: q, ask: {prompt: Go?}}", "{id: a, run: [a]}"))
        try run.drop("@pause.json")
        #expect(run.state.status == .paused)
        try run.drop("q.json", "1")
        #expect(run.status("q") == .completed)
        #expect(run.launched == [])
        #expect(run.state.status == .paused)
        try run.drop("@resume.json")
        #expect(run.launched == ["a"])
    }

    @Test("a pause that was taken back before it came into force leaves no trace")
    func takenBack() throws {
        var run = try EngineRun.started(two)
        try run.drop("@pause.json")
        try run.drop("@resume.json")
        try run.end("a")
        #expect(run.launched == ["b"])
        #expect(run.entries(.runPaused).isEmpty)
    }

    @Test("a paused run can be cancelled")
    func cancelPaused() throws {
        var run = try EngineRun.started(graph("{id: q, ask: {prompt: Go?}}"))
        try run.drop("@pause.json")
        _ = run.news()
        try run.drop("@cancel.json")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED @cancel by bob", "RUN_RESUMED cancelled", "RUN_CANCELLED", "TASK_RESUMED q/1 q by end",
                "TASK_END q/1 cancelled cancelled[q]: the run ended while this step waited",
                "RUN_END cancelled cancelled[run]: cancelled",
            ])
    }

    @Test("a failure ends a run that was asked to pause")
    func failureDuringPause() throws {
        var run = try EngineRun.started(two)
        try run.drop("@pause.json")
        try run.end("a", .exited(1))
        #expect(run.state.status == .failed)
    }

    @Test("a snapshot takes a name, a description and tags")
    func snapshot() throws {
        var run = try EngineRun.started(two)
        _ = run.news()
        try run.drop("@snapshot.json", "{\"name\":\"before\",\"description\":\"d\",\"tags\":[\"t\"],\"reason\":\"r\"}")
        #expect(run.news() == ["ANSWER_ACCEPTED @snapshot by bob", "SNAPSHOT before"])
        #expect(run.state.snapshots["before"]?.by == "bob")
        #expect(run.state.snapshots["before"]?.tags == ["t"])
        try run.drop("@snapshot.yaml", "name: before\n")
        #expect(run.news().last == "SNAPSHOT before.2")
    }

    @Test(
        "what makes no sense is rejected, and says why",
        arguments: [
            ("@snapshot.json", "", "name: is missing"),
            ("@snapshot.json", "{\"name\":\"../x\"}", "name: '../x' must be 1 to 64 letters"),
            ("@snapshot.json", "{\"name\":\"x\",\"tags\":[1]}", "tags: expected a list of strings"),
            ("@resume.json", "", "the run is not paused"),
            ("@retry.json", "", "nothing is held for a retry"),
            ("@cancle.json", "", "there is no control file '@cancle'; "),
            ("@.json", "", "there is no control file '@'; "),
            ("@cancel.json", "[1]", "expected a map such as {\"reason\": \"...\"}, got list"),
            ("@cancel.json", "{\"reason\":1}", "reason: expected string, got "),
            ("@cancel.json", "{", ""),
        ])
    func nonsense(name: String, text: String, message: String) throws {
        var run = try EngineRun.started(two)
        try run.drop(name, text)
        #expect(run.entries(.answerRejected).count == 1)
        #expect(run.settlement?.message.hasPrefix(message) == true, "\(run.settlement?.message ?? "")")
        #expect(run.state.ending == nil)
        #expect(run.state.outstandingAttempts.count == 1)
    }

    @Test("a second pause is refused, and one of a run that is ending")
    func pauseTwice() throws {
        var run = try EngineRun.started(two)
        try run.drop("@pause.json")
        try run.drop("@pause.json")
        #expect(run.settlement?.message == "the run is paused already")
        try run.drop("@cancel.json")
        try run.drop("@pause.json")
        #expect(run.settlement?.message == "the run is ending")
    }
}
