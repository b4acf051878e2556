import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

@Suite("Waiting for and sending events")
struct EventTests {
    private func event(_ id: String, type: String = "go", _ data: Value = .null) -> Value {
        ["specversion": "1.0", "id": .string(id), "source": "/s", "type": .string(type), "data": data]
    }

    private func send(_ event: Value, seq: Int, for key: String, to run: inout EngineRun) throws {
        try run.send(.event(waitKey: key, seq: seq, event: event))
    }

    /// Whether a state that was read from its own checkpoint knows the same.
    private func expectKept(_ run: EngineRun, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let bytes = run.state.checkpointBytes()
        let state = try RunState(checkpoint: bytes, definition: run.definition.workflow)
        #expect(state.checkpointBytes() == bytes, sourceLocation: sourceLocation)
        for id in run.definition.workflow.plan.steps.map(\.id) {
            let read = state.instance(at: id).map { state[$0].eventsTaken }
            #expect(read == run.step(id)?.eventsTaken, sourceLocation: sourceLocation)
        }
    }

    @Test("a wait says what it wants and from where on, and ends with the event as the step's output")
    func waiting() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, wait: {event: {type: go, key: '${{ run.id }}', match: 'event.data.n > 1'}}, timeout: 1h}",
                "{id: b, set: {n: '${{ steps.a.output.data.n }}'}}"))
        let until = (EngineRun.start + .seconds(3_600)).description
        #expect(
            run.news() == ["RUN_START", "TASK_START a/1 wait", "TASK_WAITING a/1 a event until \(until)"])
        #expect(run.state.waits["a"]?.event == EventSubscription(type: "go", key: EngineRun.id, cursor: 0))
        var fitting = event("1", ["n": 2]).objectValue ?? Object()
        #expect(!run.engine.matches(waitKey: "a", event: .object(fitting)))
        fitting["key"] = .string(EngineRun.id)
        #expect(run.engine.matches(waitKey: "a", event: .object(fitting)))
        fitting["data"] = ["m": 2]
        #expect(!run.engine.matches(waitKey: "a", event: .object(fitting)))
        fitting["data"] = ["n": 3]
        try send(.object(fitting), seq: 7, for: "a", to: &run)
        #expect(
            run.news().filter { !$0.hasPrefix("TASK_END a") } == [
                "EVENT_RECEIVED a", "TASK_RESUMED a/1 a by event", "TASK_START b/1 set",
                "TASK_END b/1 completed output={\"n\":3}", "RUN_END completed outputs={}",
            ])
        #expect(run.output("a") == .object(fitting))
        let received = try #require(run.entries(.eventReceived).first)
        #expect(received.actor == .event)
        #expect(received.by == "/s")
        #expect(received.data == ["key": "a", "seq": 7, "event": .object(fitting)])
    }

    @Test("a step takes an event once across its visits, also one that is older than the last it took")
    func visits() throws {
        var run = try EngineRun.started(
            machine(
                "a: {wait: {event: {type: go}}, next: [{if: \"output.id == 'last'\", to: end}, {to: a}]}"))
        try send(event("5"), seq: 5, for: "a", to: &run)
        #expect(run.engine.eventsTaken(waitKey: "a.2") == [5])
        #expect(run.state.waits["a.2"]?.event?.cursor == 0)
        try expectKept(run)
        #expect(throws: EngineError.self) { try send(event("5"), seq: 5, for: "a.2", to: &run) }
        try send(event("3"), seq: 3, for: "a.2", to: &run)
        #expect(run.engine.eventsTaken(waitKey: "a.3") == [3, 5])
        try expectKept(run)
        try send(event("last"), seq: 4, for: "a.3", to: &run)
        #expect(run.news().last == "RUN_END completed outputs={}")
    }

    @Test("two steps may take the same event, and `first` takes one for the step")
    func shared() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, needs: [], wait: {event: {type: go}}}",
                "{id: b, needs: [], first: {x: {event: {type: go}}, y: {event: {type: stop}}}}"))
        try send(event("1"), seq: 1, for: "a", to: &run)
        let key = try #require(run.state.waits.values.first { $0.branch == "x" }?.key)
        try send(event("1"), seq: 1, for: key, to: &run)
        #expect(run.output("b") == ["first": "x", "value": event("1")])
        #expect(run.state.waits.isEmpty)
        #expect(run.news().last == "RUN_END completed outputs={}")
    }

    @Test("an emit is an attempt that holds the complete event and ends with the journal's number")
    func emitting() throws {
        var run = try EngineRun.started(
            graph("{id: tell, emit: {type: done, key: k, subject: s, data: {n: '${{ visit }}'}}}"))
        let attempt = try run.attempt("tell")
        #expect(attempt.intent["action"] == "emit")
        let event = try CloudEvent(attempt.intent["event"] ?? .null)
        #expect([event.type, event.key, event.source] == ["done", "k", "/runs/\(EngineRun.id)/tell"])
        #expect(event.object["data"] == ["n": 1])
        _ = run.news()
        try run.send(.emitted(attempt.reference, seq: 9))
        #expect(
            run.news() == [
                "EVENT_EMITTED tell/1", "TASK_END tell/1 completed output={\"id\":\"\(event.id)\",\"seq\":9}",
                "RUN_END completed outputs={}",
            ])
        #expect(run.entries(.eventEmitted).first?.data == ["id": .string(event.id), "type": "done", "seq": 9])
    }
}
