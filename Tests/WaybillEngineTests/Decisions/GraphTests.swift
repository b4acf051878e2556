import Testing
import WaybillCore
import WaybillEngine

@Suite("Graphs of steps")
struct GraphTests {
    @Test("pure steps run one after the other, in one decision, and the run ends")
    func order() throws {
        var run = try EngineRun.started(
            graph("{id: a, set: {x: 1}}", "{id: b, set: {y: '${{ steps.a.output.x + 1 }}'}}")
                + "outputs: {sum: '${{ steps.b.output.y }}'}\n")
        #expect(
            run.news() == [
                "RUN_START",
                "TASK_START a/1 set", "TASK_END a/1 completed output={\"x\":1}",
                "TASK_START b/1 set", "TASK_END b/1 completed output={\"y\":2}",
                "RUN_END completed outputs={\"sum\":2}",
            ])
        #expect(run.state.status == .completed)
        #expect(run.entries.first?.of == run.entries.count)
        #expect(run.state.usage.steps == 2)
    }

    @Test("RUN_START holds everything the run was started with")
    func runStart() throws {
        var run = try EngineRun(
            "kind: Workflow\nname: w\nlabels: {tier: web}\ncontext: {low: 1.0}\n"
                + "inputs: {v: {type: string}}\ngoal: {summary: 'Ship ${{ inputs.v }}', acceptance: ['1 < 2']}\n"
                + "steps: [{id: a, set: {x: 1}}]\n")
        try run.begin(
            inputs: ["v": "v1"], labels: ["team": "blue"],
            diagnostics: [Diagnostic(level: .warning, kind: .contract, message: "int divided by int", place: nil)])
        let first = try #require(run.entries.first)
        #expect(first.actor == .user)
        #expect(first.by == "alice")
        #expect(
            first.data == [
                "run": .string(EngineRun.id), "workflow": "w", "commit": "c0ffee", "inputs": ["v": "v1"],
                "context": ["low": 1.0], "labels": ["team": "blue", "tier": "web"], "durability": "full",
                "trigger": ["type": "manual", "by": "alice"],
                "goal": ["summary": "Ship v1", "acceptance": ["1 < 2"]],
                "startDigest": .string(RunStart.digest(workflow: "w", inputs: ["v": "v1"]).hex),
            ])
        #expect(run.news()[1] == "DIAGNOSTIC int divided by int")
        #expect(run.state.diagnostics.warnings == 1)
    }

    @Test("a run is started once")
    func startedTwice() throws {
        var run = try EngineRun.started(graph("{id: a, run: [make]}"))
        #expect(throws: EngineError.self) { try run.begin() }
    }

    @Test("branches run side by side, and a join waits for all of them")
    func parallel() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, needs: [], run: [a]}", "{id: b, needs: [], run: [b]}", "{id: c, needs: [a, b], run: [c]}",
                "{id: d, needs: [a], run: [d]}"))
        #expect(run.launched == ["a", "b"])
        #expect(run.news() == ["RUN_START", "TASK_START a/1 run", "TASK_START b/1 run"])
        try run.end("b")
        #expect(run.news() == ["TASK_END b/1 completed exitCode=0"])
        #expect(run.launched == [])
        try run.end("a")
        #expect(
            run.news() == ["TASK_END a/1 completed exitCode=0", "TASK_START c/1 run", "TASK_START d/1 run"])
        try run.end("d")
        try run.end("c")
        #expect(
            run.news() == [
                "TASK_END d/1 completed exitCode=0", "TASK_END c/1 completed exitCode=0",
                "RUN_END completed outputs={}",
            ])
    }

    @Test("steps written before what they need wait for it")
    func backwards() throws {
        var run = try EngineRun.started(graph("{id: b, needs: [a], set: {x: 2}}", "{id: a, needs: [], set: {x: 1}}"))
        #expect(
            run.news() == [
                "RUN_START", "TASK_START a/1 set", "TASK_END a/1 completed output={\"x\":1}", "TASK_START b/1 set",
                "TASK_END b/1 completed output={\"x\":2}", "RUN_END completed outputs={}",
            ])
    }

    @Test("an attempt's intent is recorded as it is run: argv, environment, folder, input, timeout and boot")
    func intent() throws {
        let run = try EngineRun.started(
            """
            kind: Workflow
            name: w
            inputs: {v: {type: string}}
            env: {A: flow, B: flow}
            steps:
              - id: a
                run: {argv: [tool, '${{ inputs.v }}', 'n=${{ 1 + 1 }}', '${{ optional.none() }}'], stdin: {k: [1]}, cwd: sub}
                env: {B: '${{ inputs.v }}', C: '${{ 3 }}'}
                timeout: 90s
              - {id: b, needs: [], run: 'echo hi', sideEffects: pure}
              - {id: c, needs: [], run: {script: exit, shell: /bin/bash, cwd: scratch, stdin: text}}
            ---
            kind: Settings
            env: {PATH: /bin, A: settings}
            """, inputs: ["v": "v1"])
        let starts = run.entries(.taskStart)
        #expect(
            starts[0].data == [
                "action": "run", "argv": ["tool", "v1", "n=2"], "stdin": "{\"k\":[1]}", "cwd": "sub",
                "env": ["A": "flow", "B": "v1", "C": "3", "PATH": "/bin"], "timeout": "1m30s", "boot": "boot-1",
            ])
        #expect(
            starts[1].data == [
                "action": "run", "argv": ["/bin/sh", "-eu", "-c", "echo hi"], "boot": "boot-1",
                "env": ["A": "flow", "B": "flow", "PATH": "/bin"],
            ])
        #expect(starts[2].data["argv"] == ["/bin/bash", "-eu", "-c", "exit"])
        #expect(starts[2].data["scratch"] == true)
        #expect(starts[2].data["stdin"] == "text")
    }

    @Test("a decision holds at most so many steps, says that there is more, and goes on")
    func split() throws {
        var limits = EngineLimits()
        limits.stepsPerDecision = 4
        var run = try EngineRun(
            graph(
                "{id: a, set: {x: 1}}", "{id: b, set: {x: 1}}", "{id: c, set: {x: 1}}", "{id: d, set: {x: 1}}",
                "{id: e, set: {x: 1}}"), limits: limits)
        run.goesOn = false
        try run.begin()
        #expect(run.hasMore)
        #expect(run.state.counts.completed == 4)
        #expect(run.state.status == .running)
        try run.send(.resume)
        #expect(!run.hasMore)
        #expect(run.state.status == .completed)
    }

    @Test("an outcome of an attempt that is not running is refused, and changes nothing")
    func foreignOutcome() throws {
        var run = try EngineRun.started(graph("{id: a, run: [make]}"))
        let attempt = try run.attempt("a")
        let result = AttemptResult(outcome: .exited(0), startedAt: run.now, endedAt: run.now)
        var other = attempt.reference
        other.attempt = 2
        #expect(throws: EngineError.self) { try run.send(.attemptEnded(other, result)) }
        try run.end("a")
        let seq = run.state.seq
        #expect(throws: EngineError.self) { try run.send(.attemptEnded(attempt.reference, result)) }
        #expect(throws: EngineError.self) { try run.send(.attemptLost(attempt.reference, reason: "late")) }
        #expect(run.state.seq == seq)
        try run.tick(after: .seconds(60))
        #expect(run.state.seq == seq)
    }

    @Test("what is outstanding is read off the state, with the recorded intent")
    func outstanding() throws {
        var run = try EngineRun.started(graph("{id: a, needs: [], run: [a]}", "{id: b, needs: [], run: [b]}"))
        #expect(run.state.outstandingAttempts.map(\.reference.step) == ["a", "b"])
        #expect(run.state.outstandingAttempts.map(\.intent["argv"]) == [["a"], ["b"]])
        try run.end("a")
        #expect(run.state.outstandingAttempts.map(\.reference.step) == ["b"])
        try run.end("b")
        #expect(run.state.outstandingAttempts == [])
    }

    @Test("a chain of 10,000 steps is decided with one step looked at at a time")
    func long() throws {
        let count = 10_000
        let steps = (0..<count).map { "  - {id: s\($0), set: {x: 1}}\n" }.joined()
        var run = try EngineRun("kind: Workflow\nname: w\nsteps:\n" + steps)
        run.goesOn = false
        try run.begin()
        for _ in 0..<3 {
            // One step is ready at any time, so a decision chooses among one, whatever the plan's size.
            #expect(run.state.ready.sorted.count == 1)
            try run.send(.resume)
        }
        #expect(run.state.counts.completed == 4 * EngineLimits().stepsPerDecision)
    }
}
