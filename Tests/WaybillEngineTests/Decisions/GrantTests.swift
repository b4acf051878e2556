import Testing
import WaybillCore
import WaybillEngine

@Suite("What sub-runs are granted")
struct GrantTests {
    private func calling(_ steps: String..., limits: String, child: String = "") -> String {
        graph("{id: a, set: {x: 1}}", also: "")
            + steps.map { "  - \($0)\n" }.joined() + "limits: \(limits)\n"
            + "---\nkind: Workflow\nname: k\n\(child)steps: [{id: s, run: [s]}]\n"
    }

    private func grant(_ run: EngineRun, _ key: String) -> Object? { run.engine.childStart(key)?.grant }

    private func end(_ run: inout EngineRun, _ key: String, using usage: Usage, failing: Bool = false) throws {
        let child = try #require(run.state.waits[key]?.run)
        try run.send(
            .childEnded(
                waitKey: key,
                ChildEnd(
                    run: child, status: failing ? .failed : .completed, outputs: failing ? nil : [:],
                    error: failing ? Failure(.exit, "exited with code 1") : nil, head: .zero, usage: usage)))
    }

    private func usage(started: Int, tokens: Int64 = 0, cost: Double = 0) -> Usage {
        var usage = Usage()
        usage.started = started
        usage.tokens = tokens
        usage.cost = cost
        return usage
    }

    @Test("a call beside which nothing goes on is granted all that is left, and what it does not use comes back")
    func whole() throws {
        var run = try EngineRun.started(
            calling("{id: b, call: {workflow: k}}", "{id: c, call: {workflow: k}}", limits: "{steps: 10, cost: 4}"))
        #expect(grant(run, "b") == ["steps": 8, "cost": 4.0])
        #expect(run.state.granted.steps == 8)
        try end(&run, "b", using: usage(started: 3, cost: 1.5))
        #expect(grant(run, "c") == ["steps": 4, "cost": 2.5])
        try end(&run, "c", using: usage(started: 1))
        #expect(run.state.granted.isEmpty)
        #expect(run.state.usage.started == 7)
        #expect(run.state.status == .completed)
    }

    @Test("calls side by side share what is left, and together never get more than that")
    func shared() throws {
        var run = try EngineRun.started(
            calling(
                "{id: b, needs: [a], call: {workflow: k}}", "{id: c, needs: [a], call: {workflow: k}}",
                limits: "{steps: 11, tokens: 100, active: 10m, elapsed: 1h, retries: 1}"))
        #expect(grant(run, "b") == ["steps": 4, "retries": 1, "elapsed": "1h", "active": "5m", "tokens": 50])
        #expect(grant(run, "c") == ["steps": 4, "retries": 0, "elapsed": "1h", "active": "5m", "tokens": 50])
        try end(&run, "b", using: usage(started: 1, tokens: 10))
        #expect(run.state.granted.tokens == 50)
        #expect(run.state.granted.holders == 1)
    }

    @Test("a workflow that limits itself is granted that, or what is left of it")
    func declared() throws {
        let run = try EngineRun.started(
            calling(
                "{id: b, needs: [a], call: {workflow: k}}", "{id: c, needs: [a], call: {workflow: k}}",
                "{id: d, needs: [a], call: {workflow: k}}", limits: "{steps: 12, cost: 9}",
                child: "limits: {steps: 4}\n"))
        #expect(grant(run, "b") == ["steps": 4, "cost": 3.0])
        #expect(grant(run, "c") == ["steps": 4, "cost": 3.0])
        #expect(grant(run, "d") == ["steps": 0, "cost": 3.0])
    }

    @Test("items that run at once share as well; one that begins later gets what came back")
    func items() throws {
        var run = try EngineRun.started(
            calling(
                "{id: b, forEach: {items: [1, 2, 3], maxParallel: 2}, call: {workflow: k}}", limits: "{steps: 20}"))
        #expect(grant(run, "b-0") == ["steps": 8])
        #expect(grant(run, "b-1") == ["steps": 8])
        try end(&run, "b-0", using: usage(started: 2))
        // 20, less the 5 steps of its own, the 2 that were used and the 8 that are granted.
        #expect(grant(run, "b-2") == ["steps": 5])
    }

    @Test("what is granted, nobody else uses: a step beside a sub-run stops before it")
    func reserved() throws {
        var run = try EngineRun.started(
            calling(
                "{id: b, needs: [a], call: {workflow: k}}", "{id: c, needs: [a], wait: {for: 1m}}",
                "{id: d, set: {x: 1}}",
                limits: "{steps: 8}", child: "limits: {steps: 5}\n"))
        #expect(grant(run, "b") == ["steps": 5])
        try run.tick(after: .seconds(60))
        #expect(
            run.state.error?.message == "limits: the limit of 8 steps (3, and 5 granted to sub-runs) is used up")
    }

    @Test("a call that is tried again gives back one grant and gets another, and what the first one used counts")
    func retried() throws {
        var run = try EngineRun.started(
            calling("{id: b, call: {workflow: k}, retry: {maxAttempts: 2, initial: 0s}}", limits: "{steps: 10}"))
        try end(&run, "b", using: usage(started: 3), failing: true)
        #expect(run.state.usage.started == 6)
        #expect(grant(run, "b") == ["steps": 4])
        try end(&run, "b", using: usage(started: 1))
        #expect(run.state.granted.isEmpty)
        #expect(run.state.usage.started == 7)
    }

    @Test("a detached sub-run takes its share for good")
    func detached() throws {
        var run = try EngineRun.started(
            calling(
                "{id: b, call: {workflow: k, detach: true}}", "{id: c, call: {workflow: k}}", limits: "{steps: 20}"))
        #expect(grant(run, "b") == ["steps": 9])
        try run.send(.childStarted(waitKey: "b"))
        #expect(run.state.granted.steps == 9 + 8)
        #expect(run.state.granted.holders == 1)
        #expect(grant(run, "c") == ["steps": 8])
        try end(&run, "c", using: usage(started: 1))
        #expect(run.state.granted.steps == 9)
    }

    @Test("a sub-run that cleans up is held up by no grant")
    func cleaning() throws {
        let run = try EngineRun.started(
            graph("{id: a, set: {x: 1}}", also: "limits: {steps: 1}\nfinally: [{id: z, call: {workflow: k}}]\n")
                + "---\nkind: Workflow\nname: k\nsteps: [{id: s, run: [s]}]\n")
        #expect(grant(run, "z") == [:])
    }
}
