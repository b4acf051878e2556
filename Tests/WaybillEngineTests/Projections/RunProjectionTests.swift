import Testing
import WaybillCore
import WaybillEngine

@Suite("run.json")
struct RunProjectionTests {
    private func value(_ run: EngineRun) throws -> Value { try JSON.parse(RunProjection.bytes(run.state)) }

    @Test("a waiting run shows what the contract lists")
    func waiting() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [a]}", "{id: q, ask: {prompt: Go?, timeout: 1h}}", "{id: b, run: [b]}"))
        try run.end("a")
        let value = try value(run)
        let since = Value.string((EngineRun.start + .seconds(1)).description)
        let until = Value.string((EngineRun.start + .seconds(3_601)).description)
        #expect(
            value == [
                "format": 1, "id": .string(EngineRun.id), "workflow": "w",
                "definition": .string(run.definition.digest.hex), "commit": "c0ffee", "status": "waiting",
                "createdAt": .string(EngineRun.start.description), "startedAt": .string(EngineRun.start.description),
                "endedAt": .null, "updatedAt": since, "trigger": ["type": "manual", "by": "alice"],
                "labels": .object(Object()), "session": .null, "parent": .null, "inputs": .object(Object()),
                "goal": .null,
                "progress": ["total": 3, "completed": 1, "running": 0, "waiting": 1, "failed": 0, "skipped": 0],
                "active": [["step": "q", "visit": 1, "attempt": 1, "status": "waiting", "since": since]],
                "waiting": [["key": "q", "step": "q", "reason": "user", "since": since, "until": until]],
                "outputs": .null, "error": .null, "compensation": .null, "diagnostics": ["errors": 0, "warnings": 0],
                "usage": ["steps": 1, "retries": 0, "activeSeconds": 1.0, "tokens": 0, "cost": 0.0],
                "durability": "full",
                "ledger": ["seq": .int(Int64(run.state.seq)), "head": .string(run.state.head.hex)],
            ])
    }

    @Test("an ended run shows outputs or its error")
    func ended() throws {
        var good = try EngineRun.started(graph("{id: a, run: [a]}", also: "outputs: {x: 1}\n"))
        try good.end("a")
        #expect(try value(good)["outputs"] == ["x": 1])
        #expect(try value(good)["endedAt"] == .string(good.now.description))
        var bad = try EngineRun.started(graph("{id: a, run: [a]}"))
        try bad.end("a", .exited(2))
        #expect(try value(bad)["status"] == "failed")
        #expect(
            try value(bad)["error"] == ["step": "a", "kind": "exit", "message": "exited with code 2", "exitCode": 2])
    }

    @Test("lists are cut at a hundred, and say how many more there are")
    func bounded() throws {
        let steps = (0..<150).map { "  - {id: q\($0), needs: [], ask: {prompt: Go?}}\n" }.joined()
        let run = try EngineRun.started("kind: Workflow\nname: w\nsteps:\n" + steps)
        let value = try value(run)
        #expect(value["active"]?.listValue?.count == 101)
        #expect(value["active"]?.listValue?.last == ["more": 50])
        #expect(value["waiting"]?.listValue?.count == 101)
        #expect(value["waiting"]?.listValue?.last == ["more": 50])
    }

    @Test("a quarantined run says so, and why")
    func quarantined() throws {
        let run = try EngineRun.started(graph("{id: a, run: [a]}"))
        let value = try JSON.parse(RunProjection.bytes(run.state, quarantine: "entry 3 was changed"))
        #expect(value["status"] == "quarantined")
        #expect(value["quarantine"] == "entry 3 was changed")
    }
}
