import Testing
import WaybillCore
import WaybillEngine

@Suite("The first of several waits")
struct FirstTests {
    private static let text = graph(
        """
        {id: f, first: {pause: {for: 1h}, noon: {until: '2026-11-20T12:00:00Z'}, \
        alarm: {event: {type: alert}}, say: {ask: {prompt: Go?}}}}
        """, "{id: after, set: {v: '${{ steps.f.output.first }}'}}")

    @Test("an answer wins, the other waits close, and late answers are refused")
    func answer() throws {
        var run = try EngineRun.started(Self.text)
        #expect(run.state.waits.keys.sorted() == ["f-alarm", "f-noon", "f-pause", "f-say"])
        #expect(run.state.nextDeadline == run.now + .seconds(3_600))
        #expect(run.state.disposition(ofKey: "f-pause") == .notAnswerable)
        try run.drop("f-say.json", "\"now\"")
        #expect(run.output("f") == ["first": "say", "value": "now"])
        #expect(run.state.waits.isEmpty)
        #expect(run.state.nextDeadline == nil)
        #expect(run.news().contains("TASK_RESUMED f/1 f-say by answer"))
    }

    @Test("the clock wins, with nothing for a value")
    func clock() throws {
        var run = try EngineRun.started(Self.text)
        try run.tick(after: .seconds(3_600))
        #expect(run.output("f") == ["first": "pause", "value": .null])
    }

    @Test("an event wins, and is the value")
    func event() throws {
        var run = try EngineRun.started(Self.text)
        let event: Value = ["type": "alert", "id": "1", "source": "s"]
        #expect(run.engine.matches(waitKey: "f-alarm", event: event))
        try run.send(.event(waitKey: "f-alarm", seq: 5, event: event))
        #expect(run.output("f") == ["first": "alarm", "value": event])
    }

    @Test("a late answer to a wait that lost is refused while the run goes on")
    func late() throws {
        var run = try EngineRun.started(
            graph("{id: f, first: {a: {for: 1m}, b: {ask: {prompt: Go?}}}}", "{id: after, run: [x]}"))
        try run.tick(after: .seconds(60))
        _ = run.news()
        try run.drop("f-b.json", "1")
        #expect(
            run.news() == ["ANSWER_REJECTED f-b unknown-wait: f-b is closed: the run no longer waits for it"])
    }

    @Test("the waits of a second visit have its number in their keys")
    func visits() throws {
        var run = try EngineRun.started(
            machine("f: {first: {a: {for: 1m}, b: {ask: {prompt: Go?}}}, next: [{if: visit < 2, to: f}, {to: end}]}"))
        #expect(run.state.disposition(ofKey: "f.2-b") == .early)
        try run.tick(after: .seconds(60))
        #expect(run.state.waits.keys.sorted() == ["f.2-a", "f.2-b"])
        try run.drop("f.2-b.json", "1")
        #expect(run.state.phase == .completed)
    }

    @Test("a question's default wins at its deadline, and without one the step fails")
    func deadlines() throws {
        var run = try EngineRun.started(
            graph("{id: f, first: {a: {for: 1h}, b: {ask: {prompt: Go?, timeout: 1m, default: 7}}}}"))
        try run.tick(after: .seconds(60))
        #expect(run.output("f") == ["first": "b", "value": 7])
        run = try EngineRun.started(graph("{id: f, first: {a: {for: 1h}, b: {ask: {prompt: Go?, timeout: 1m}}}}"))
        try run.tick(after: .seconds(60))
        #expect(run.step("f")?.error?.kind == .timeout)
        #expect(run.state.waits.isEmpty)
    }
}
