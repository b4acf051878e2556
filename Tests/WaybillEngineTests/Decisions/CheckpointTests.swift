import Testing
import WaybillCore
import WaybillEngine

@Suite("When checkpoints are due")
struct CheckpointTests {
    private func marks(_ run: EngineRun) -> [String] {
        run.entries.enumerated().filter { $1.type == .checkpoint }.map { index, _ in run.entries[index - 1].summary }
    }

    @Test("at a wait, at a snapshot, at a pause and at the end")
    func milestones() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a]}", "{id: s, snapshot: {name: n}}", "{id: b, run: [b]}", "{id: q, ask: {prompt: Go?}}")
        )
        #expect(marks(run) == [])
        try run.end("a")
        #expect(marks(run) == ["TASK_START b/1 run"])
        try run.end("b")
        #expect(marks(run).last == "TASK_WAITING q/1 q user")
        try run.drop("@pause.json")
        #expect(marks(run).last == "RUN_PAUSED")
        try run.drop("q.json", "1")
        #expect(marks(run).count == 3)
        try run.drop("@resume.json")
        #expect(marks(run).count == 4)
        #expect(run.entries.last?.type == .runEnd)
        #expect(run.entries.dropLast().last?.type == .checkpoint)
        #expect(run.checkpoints.count == 4)
    }

    @Test("after every so many steps where that is asked for")
    func every() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a]}", "{id: b, run: [b]}", "{id: c, run: [c]}", "{id: d, run: [d]}",
                also: "checkpoint: {every: 2}\n"))
        for step in ["a", "b", "c"] { try run.end(step) }
        #expect(marks(run) == ["TASK_START c/1 run"])
    }

    @Test("in a run that does not rest only when the ledger has grown by a multiple of the last one")
    func amortized() throws {
        var limits = EngineLimits()
        limits.tail = 2_000
        limits.stepsPerDecision = 1
        let visits = "a: {set: {x: \"${{ visit }}\"}, maxVisits: 1000, next: [{if: 'visit < 300', to: a}, {to: end}]}"
        let run = try EngineRun.started(machine(visits), limits: limits)
        #expect(run.state.status == .completed)
        // The last one is that of the end.
        let weighty = run.checkpoints.dropLast()
        #expect(weighty.count > 3)
        let marks = run.entries.filter { $0.type == .checkpoint }.dropLast()
        for (mark, next) in zip(marks, marks.dropFirst()) {
            let (size, from, to) = (
                mark.data["size"]?.intValue, mark.data["bytes"]?.intValue, next.data["bytes"]?.intValue
            )
            let least = max(2_000, limits.tailPerCheckpoint * Int(try #require(size)))
            #expect(Int(try #require(to) - #require(from)) > least, "between entries \(mark.seq) and \(next.seq)")
        }
        #expect(weighty.reduce(0) { $0 + $1.bytes.count } < run.lines.count / limits.tailPerCheckpoint)
    }

    @Test("when the ledger outweighs the last one many times over; large ones not at every wait")
    func weight() throws {
        var limits = EngineLimits()
        limits.tail = 2_000
        limits.smallCheckpoint = 100
        let yaml = machine("a: {ask: {prompt: Go?}, maxVisits: 1000, next: [{if: 'visit < 300', to: a}, {to: end}]}")
        var run = try EngineRun.started(yaml, limits: limits)
        for visit in 1...300 { try run.drop(visit == 1 ? "a.json" : "a.\(visit).json", "\(visit)") }
        #expect(run.state.status == .completed)
        // What all checkpoints weigh together stays within a few times the ledger, however many waits there were.
        let weight = run.checkpoints.reduce(0) { $0 + $1.bytes.count }
        #expect(weight < 3 * run.lines.count)
        #expect(run.checkpoints.count > 3)
    }

    @Test(
        "what is no checkpoint, or of a newer format, is refused",
        arguments: ["", "[]", "{}", "{\"format\":2,\"state\":{}}"])
    func malformed(text: String) throws {
        let run = try EngineRun(graph("{id: a, set: {x: 1}}"))
        #expect(throws: EngineError.self) {
            try RunState(checkpoint: Array(text.utf8), definition: run.definition.workflow)
        }
    }

    @Test("a checkpoint of another definition is refused, not folded on")
    func foreign() throws {
        let run = try EngineRun.started(graph("{id: a, set: {x: 1}}", "{id: b, ask: {prompt: Go?}}"))
        let other = try EngineRun(graph("{id: a, set: {x: 1}}"))
        #expect(throws: EngineError.self) {
            try RunState(checkpoint: run.state.checkpointBytes(), definition: other.definition.workflow)
        }
        var state = RunState(definition: other.definition.workflow, genesis: other.definition.digest)
        #expect(throws: EngineError.self) { for entry in run.entries { try state.apply(entry) } }
    }

    @Test("a checkpoint speaks for itself: entry, head, definition, goal, context and outputs")
    func selfDescribing() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, set: {x: 1}}", "{id: q, ask: {prompt: Go?}}",
                also: "goal: {summary: Ship}\ncontext: {low: 1}\n"))
        let value = try JSON.parse(try #require(run.checkpoints.last).bytes)
        #expect(value["format"] == 1)
        #expect(value["seq"] == .int(Int64(run.state.seq - 1)))
        #expect(value["head"] == .string(run.entries[run.state.seq - 1].prev.hex))
        #expect(value["definition"] == .string(run.definition.digest.hex))
        #expect(value["goal"] == ["summary": "Ship", "acceptance": []])
        #expect(value["context"] == ["low": 1])
        #expect(value["outputs"] == ["a": ["x": 1]])
        #expect(value["status"] == "waiting")
    }
}
