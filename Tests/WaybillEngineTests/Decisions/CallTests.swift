import Testing
import WaybillCore
import WaybillEngine

@Suite("Sub-runs")
struct CallTests {
    private static let child = """
        ---
        kind: Workflow
        name: child
        inputs: {n: {type: integer, default: 7}}
        steps: [{id: s, run: [s]}]
        outputs: {n: '${{ inputs.n }}'}

        """

    private func calling(_ steps: String..., also: String = "") -> String {
        "kind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined() + also + Self.child
    }

    private func end(
        _ run: EngineRun, _ key: String, _ status: RunStatus = .completed, canBeUndone: Bool = false,
        standing: Bool = false
    ) throws -> Stimulus {
        let wait = try #require(run.state.waits[key])
        return .childEnded(
            waitKey: key,
            ChildEnd(
                run: try #require(wait.run), status: status, outputs: status == .completed ? ["n": 3] : nil,
                error: status == .completed ? nil : Failure(.exit, "exited with code 2", step: "s"),
                head: Digest.sha256("end"), canBeUndone: canBeUndone, hasStandingEffects: standing))
    }

    private func orders(_ run: EngineRun) -> Int {
        run.effects.filter { if case .instructChildren = $0 { true } else { false } }.count
    }

    @Test("a call waits for its sub-run, which is started with checked inputs under a recorded id")
    func call() throws {
        var run = try EngineRun.started(calling("{id: c, call: {workflow: child, with: {n: '${{ 4 }}'}}}"))
        let start = try #require(run.engine.childStart("c"))
        #expect(start.workflow == "child")
        #expect(start.inputs == ["n": 4])
        #expect(start.parent == ["run": .string(EngineRun.id), "step": "c", "visit": 1, "depth": 1])
        #expect(start.run.hasPrefix("child-20261120T100000-"))
        #expect(run.step("c")?.run == start.run)
        #expect(run.effects.contains { if case .startRun(waitKey: "c") = $0 { true } else { false } })
        #expect(run.state.status == .waiting)
        _ = run.news()
        try run.send(try end(run, "c"))
        #expect(
            run.news() == [
                "TASK_RESUMED c/1 c by subworkflow", "TASK_END c/1 completed output={\"n\":3}",
                "RUN_END completed outputs={}",
            ])
        let data = try #require(run.entries(.taskEnd).first?.data)
        #expect(data["head"] == .string(Digest.sha256("end").hex))
    }

    @Test("a sub-run that fails fails the step, which may call another one")
    func retried() throws {
        var run = try EngineRun.started(
            calling("{id: c, call: {workflow: child}, retry: {maxAttempts: 2, initial: 1s}}"))
        let first = run.engine.childStart("c")?.run
        try run.send(try end(run, "c", .failed))
        try run.tick(after: .seconds(1))
        let second = run.engine.childStart("c")?.run
        #expect(second != nil && second != first)
        try run.send(try end(run, "c", .failed))
        #expect(run.state.status == .failed)
        #expect(run.state.error?.message == "the sub-run \(second ?? "") failed: exited with code 2")
    }

    @Test("a call whose sub-run no policy lets in fails before anything is started, and says why")
    func denied() throws {
        let rule =
            "---\nkind: Policy\nname: p\nmatch: {workflows: {names: [child]}}\nrules:\n"
            + "  - {id: few, at: run.admit, deny: inputs.n > 3, message: '${{ inputs.n }} are too many'}\n"
        let steps = "{id: c, call: {workflow: child, with: {n: '${{ 4 }}'}}, retry: {maxAttempts: 3}}"
        var run = try EngineRun.started(calling(steps) + rule)
        #expect(
            run.news() == [
                "RUN_START", "POLICY_PRE c p/few enforce deny", "TASK_END c failed policy[c]: p/few: 4 are too many",
                "RUN_END failed policy[c]: p/few: 4 are too many",
            ])
        run = try EngineRun.started(calling("{id: c, call: {workflow: child, with: {n: '${{ 3 }}'}}}") + rule)
        #expect(run.state.status == .waiting)
        #expect(run.entries(.policyPre).isEmpty)
    }

    @Test("a sub-run that its group does not let in fails the call as that says")
    func refused() throws {
        var run = try EngineRun.started(calling("{id: c, call: {workflow: child}, catch: [{output: none}]}"))
        let child = try #require(run.state.waits["c"]?.run)
        try run.send(
            .childEnded(
                waitKey: "c",
                ChildEnd(
                    run: child, status: .failed, outputs: nil, error: Failure(.limit, "the group 'g' is full (x)"),
                    head: .zero, isRefused: true)))
        let end = try #require(run.entries(.taskEnd).last)
        #expect(Failure(end.data["caught"])?.kind == .limit)
        #expect(Failure(end.data["caught"])?.message == "the group 'g' is full (x)")
        #expect(end.data["head"] == nil)
    }

    @Test("a sub-run is told in whose groups' places it works; a detached one works in its own")
    func groups() throws {
        for (detach, expected) in [("", Value?.some(["outer", "g"])), (", detach: true", nil)] {
            var run = try EngineRun(calling("{id: c, call: {workflow: child\(detach)}}"))
            var start = RunStart(
                id: EngineRun.id, commit: nil, inputs: Object(), trigger: ["type": "parent"], actor: .parent, by: "r")
            start.parent = ["run": "r", "step": "c", "visit": 1, "groups": ["outer"]]
            start.group = "g"
            try run.send(.start(start))
            try run.send(.admitted)
            #expect(run.engine.childStart("c")?.parent["groups"] == expected)
        }
    }

    @Test("a detached call is done once its sub-run is there")
    func detached() throws {
        var run = try EngineRun.started(calling("{id: c, call: {workflow: child, detach: true}}"))
        let child = try #require(run.engine.childStart("c"))
        #expect(child.isDetached)
        try run.send(.childStarted(waitKey: "c"))
        #expect(run.output("c") == ["run": .string(child.run)])
        #expect(run.state.status == .completed)
    }

    @Test("sub-runs are told of pauses, resumes and the end, and the run waits for theirs")
    func orders() throws {
        var run = try EngineRun.started(calling("{id: c, call: {workflow: child}}"))
        #expect(run.state.childOrder == .resume)
        try run.drop("@pause.json")
        #expect(run.state.childOrder == .pause)
        #expect(orders(run) == 1)
        #expect(run.state.status == .paused)
        try run.drop("@resume.json")
        #expect(run.state.childOrder == .resume)
        #expect(orders(run) == 1)
        try run.drop("@cancel.json")
        #expect(run.state.childOrder == .cancel)
        #expect(orders(run) == 1)
        try run.drop("@cancel.json")
        #expect(run.state.childOrder == .abort)
        #expect(orders(run) == 1)
        #expect(run.state.awaitedRuns.count == 1)
        _ = run.news()
        try run.send(try end(run, "c", .cancelled))
        #expect(run.news().last == "RUN_END cancelled cancelled[run]: cancelled")
    }

    private func order(_ word: ChildOrder, _ seq: Int) -> (name: String, text: String) {
        let file = ParentOrder.file(word, parent: "p-1", seq: seq, reason: "because")
        return (file.name, String(decoding: file.bytes, as: UTF8.self))
    }

    private func called() throws -> EngineRun {
        var run = try EngineRun(
            graph("{id: a, run: [a], compensate: {run: [una]}}", "{id: q, ask: {prompt: Go?}}"))
        try run.begin(parent: ["run": "p-1", "step": "c", "visit": 1])
        try run.end("a")
        return run
    }

    @Test("an order that comes twice, or late, changes nothing")
    func repeated() throws {
        var run = try called()
        let (pause, resume, cancel, abort) = (order(.pause, 5), order(.resume, 8), order(.cancel, 9), order(.abort, 12))
        try run.drop(pause.name, pause.text)
        #expect(run.state.status == .paused)
        try run.drop(resume.name, resume.text)
        #expect(run.state.status == .waiting)
        try run.drop(pause.name, pause.text)
        #expect(run.settlement?.message == "a newer order of p-1 came before")
        #expect(run.state.status == .waiting)
        try run.drop(cancel.name, cancel.text)
        #expect(run.entries(.runCancelled).map(\.actor) == [.parent])
        #expect(run.launched == ["a-compensate"])
        try run.drop(cancel.name, cancel.text)
        #expect(run.settlement?.message == "the run is being cancelled already")
        #expect(!run.state.isAborted)
        try run.drop(abort.name, abort.text)
        #expect(run.state.isAborted)
        try run.end("a-compensate", .stopped)
        #expect(run.state.status == .cancelled)
    }

    @Test("what its user paused a parent does not resume, and nobody else can order")
    func mine() throws {
        var run = try called()
        try run.drop("@pause.json")
        let resume = order(.resume, 8)
        try run.drop(resume.name, resume.text)
        #expect(run.settlement?.message == "the run was not paused by p-1")
        #expect(run.state.status == .paused)
        let foreign = ParentOrder.file(.resume, parent: "p-2", seq: 3, reason: "")
        try run.drop(foreign.name, String(decoding: foreign.bytes, as: UTF8.self))
        #expect(run.settlement?.message == "the run was not called by p-2")
        #expect(run.state.status == .paused)
    }

    @Test("calls that go round in a circle end")
    func depth() throws {
        var run = try EngineRun(calling("{id: c, call: {workflow: child}}"))
        try run.begin(parent: ["run": "p-1", "step": "c", "visit": 1, "depth": 64])
        #expect(run.state.status == .failed)
        #expect(run.state.error?.kind == .limit)
    }

    @Test("a completed sub-run is undone as one position, by a run of its own")
    func undone() throws {
        var run = try EngineRun.started(
            calling(
                "{id: a, run: [a], compensate: {run: [una]}}", "{id: c, call: {workflow: child}}", "{id: f, run: [f]}"))
        try run.end("a")
        let child = try #require(run.engine.childStart("c")?.run)
        try run.send(try end(run, "c", canBeUndone: true))
        _ = run.news()
        try run.end("f", .exited(1))
        #expect(
            run.news() == [
                "TASK_END f/1 failed exitCode=1 exit[f]: exited with code 1", "COMPENSATION c",
                "TASK_START c-compensate/1 call", "TASK_WAITING c-compensate/1 c-compensate subworkflow",
            ])
        let undo = try #require(run.engine.childStart("c-compensate"))
        #expect(undo.undoes == child)
        #expect(undo.run == child + "-undo")
        try run.send(try end(run, "c-compensate", .cancelled))
        #expect(run.status("c") == .compensated)
        #expect(run.launched == ["a-compensate"])
        try run.end("a-compensate")
        #expect(run.report?["compensated"] == ["c", "a"])
    }

    @Test("what a sub-run could not undo stands, also for its parent")
    func standing() throws {
        var run = try EngineRun.started(calling("{id: c, call: {workflow: child}}"))
        try run.send(try end(run, "c", .failed, standing: true))
        #expect(run.report == ["status": "failed", "compensated": [], "standing": ["c"], "final": []])
        #expect(run.entries(.compensation).isEmpty)
    }

    @Test("the run that undoes begins with the past, adds its own compensations, and cleans up nothing")
    func undo() throws {
        var run = try EngineRun(
            graph(
                "{id: a, run: [a], compensate: {run: [una, '${{ run.id }}']}}",
                also: "finally: [{id: x, run: [x]}]\n"))
        try run.begin(parent: ["run": "p-1", "step": "c", "visit": 1])
        try run.end("a")
        try run.end("x")
        let ended = try #require(run.entries(.runEnd).first)
        #expect(ended.data["undo"] == true)
        #expect(ended.data["usage"]?["started"] == 2)
        var past = try run.before(.runEnd)
        let start = ChildStart(
            run: "w-undo", workflow: "w", inputs: Object(), parent: ["run": "p-1", "step": "c-compensate", "visit": 1],
            undoes: EngineRun.id, isDetached: false)
        _ = past.news()
        try past.send(.undo(start))
        #expect(past.news() == ["FORKED"])
        #expect(past.state.id == "w-undo")
        try past.send(.tick)
        #expect(past.news() == ["COMPENSATION a", "TASK_START a-compensate/1 run"])
        #expect(try past.argv("a-compensate") == ["una", EngineRun.id])
        try past.end("a-compensate")
        #expect(
            past.news() == [
                "TASK_END a-compensate/1 completed exitCode=0",
                "RUN_END cancelled cancelled[run]: undid \(EngineRun.id)",
            ])
        #expect(past.report == ["status": "completed", "compensated": ["a"], "standing": [], "final": []])
    }
}
