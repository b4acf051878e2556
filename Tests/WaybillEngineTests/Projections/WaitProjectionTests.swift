import Testing
import WaybillCore
import WaybillEngine

@Suite("waits/<key>.json")
struct WaitProjectionTests {
    private func file(_ step: String) throws -> (wait: WaitState, value: Value) {
        let run = try EngineRun.started(graph(step))
        let wait = try #require(run.state.waits["q"])
        return (wait, try JSON.parse(WaitProjection.bytes(wait, run: EngineRun.id)))
    }

    @Test("an approval says everything a person or a script needs")
    func approval() throws {
        let (wait, value) = try file(
            "{id: q, ask: {prompt: Ship?, approval: true, timeout: 1h, default: {approve: false}}}")
        #expect(
            value == [
                "format": 1, "run": .string(EngineRun.id), "key": "q", "step": "q", "visit": 1, "reason": "user",
                "prompt": "Ship?", "choices": .null, "schema": Reply.approvalSchema, "from": .null,
                "token": .string(try #require(wait.token).hex), "since": .string(EngineRun.start.description),
                "until": .string((EngineRun.start + .seconds(3_600)).description), "default": ["approve": false],
                "drop": .string("runs/inbox/\(EngineRun.id).q.json"),
                "command": .string("waybill approve \(EngineRun.id) q"),
                "mv": .string("echo yes > answer.tmp && mv answer.tmp runs/\(EngineRun.id)/inbox/q.txt"),
            ])
    }

    @Test("a choice that a shell would take apart is quoted")
    func quoting() throws {
        let (_, value) = try file("{id: q, ask: {prompt: Go?, choices: [\"it's so\", no]}}")
        #expect(value["command"] == .string("waybill answer \(EngineRun.id) q --text 'it'\\''s so'"))
    }

    @Test("a wait for the clock takes no answer, and names no way to give one")
    func clock() throws {
        let (_, value) = try file("{id: q, wait: {for: 1h}}")
        #expect(value["reason"] == "until")
        #expect(value["drop"] == nil)
        #expect(value["command"] == nil)
    }

    @Test("a wait for an event says which one, and how to send it")
    func event() throws {
        let (_, value) = try file("{id: q, wait: {event: {type: order.paid, key: it's, match: event.data.n > 1}}}")
        #expect(value["reason"] == "event")
        #expect(value["event"] == ["type": "order.paid", "key": "it's"])
        #expect(value["emit"] == "waybill emit --type order.paid --key 'it'\\''s'")
        #expect(value["command"] == nil)
    }
}
