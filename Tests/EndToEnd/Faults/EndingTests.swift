import Testing
import WaybillCore

/// Runs that are on their way to their end, or stand still, when something happens to them.
@Suite("Runs that end or are held")
struct EndingTests {
    private static let workflows = """
        kind: Workflow
        name: many
        steps:
          - id: each
            forEach: {items: [a, b, c, d, e, f], maxParallel: 6}
            run: "echo $N >> record; while [ ! -e go ]; do sleep 0.02; done"
            env: {N: "${{ item }}"}
            onUnknown: fail
        ---
        kind: Workflow
        name: held
        failure: hold
        steps:
          - {id: ev, needs: [], wait: {event: {type: ping}}}
          - {id: bad, needs: [], run: "test -e ok"}
        outputs: {n: "${{ steps.ev.output.data.n }}"}
        ---
        kind: Workflow
        name: gated
        vars: {go: {default: false, merge: replace}}
        steps:
          - {id: ev, needs: [], wait: {event: {type: ping, match: vars.go}}}
          - {id: ask, needs: [], ask: {prompt: "Go?", choices: [go]}, update: {go: true}}
        outputs: {n: "${{ steps.ev.output.data.n }}"}
        ---
        kind: Workflow
        name: twice
        steps:
          - {id: one, needs: [], call: {workflow: asking, id: shared}}
          - {id: two, needs: [], call: {workflow: asking, id: shared}}
        outputs: {one: "${{ steps.one.output.say }}", two: "${{ steps.two.output.say }}"}
        ---
        kind: Workflow
        name: asking
        steps: [{id: say, ask: {prompt: "Say", choices: [yes, no]}}]
        outputs: {say: "${{ steps.say.output }}"}
        ---
        kind: Workflow
        name: leaving
        steps: [{id: c, call: {workflow: failing, id: gone, detach: true}}]
        outputs: {run: "${{ steps.c.output.run }}"}
        ---
        kind: Workflow
        name: failing
        steps: [{id: no, fail: {message: no}}]
        """

    private func tree() throws -> ScratchTree {
        try ScratchTree([
            "workflows/all.yaml": Self.workflows,
            "workflows/settings.yaml": "kind: Settings\nname: default\nconcurrency: {steps: 1}\n",
        ])
    }

    private func ping(_ tree: ScratchTree) async throws {
        try await tree.expect(0, "emit", "--type", "ping", "--id", "1", "--data", "{n: 7}")
    }

    @Test("after a crash, a cancelled run starts nothing of what had not begun")
    func cancelledThenKilled() async throws {
        let tree = try tree()
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "many", "--id", "r")
        try await tree.until("the first item runs") { tree.lines("record").count == 1 }
        try tree.drop("{}", at: "runs/r/inbox/@cancel.json")
        try await tree.until("the cancellation is recorded", watching: "r") {
            try tree.types("r").contains("RUN_CANCELLED")
        }
        await daemon.kill()
        try tree.write("", to: "go")
        try await tree.withDaemon { _ in try await tree.untilStatus("r", "cancelled") }
        #expect(tree.lines("record").count == 1, "\(tree.lines("record"))")
    }

    @Test("an event that comes while a run is held is taken once it goes on")
    func eventWhileHeld() async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "held", "--id", "r")
            try await tree.untilStatus("r", "paused")
            try await ping(tree)
            try tree.write("", to: "ok")
            try await tree.expect(0, "retry", "r")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.member("runs/r/run.json", "outputs", "n") == 7)
    }

    @Test("an event that did not fit is looked at again once `vars` have changed")
    func eventBeforeItsCondition() async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "gated", "--id", "r")
            try await tree.untilWaiting("r", for: "ask")
            try await ping(tree)
            try await tree.expect(0, "answer", "r", "ask", "--text", "go")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.member("runs/r/run.json", "outputs", "n") == 7)
    }

    @Test("two steps that joined one run both hear of its end")
    func joinedTwice() async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "twice", "--id", "r")
            try await tree.untilWaiting("shared", for: "say")
            try await tree.expect(0, "answer", "shared", "say", "--text", "yes")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.member("runs/r/run.json", "outputs") == ["one": "yes", "two": "yes"])
    }

    @Test("a call that leaves its run to itself does not care how that ended")
    func detachedFromAnEndedRun() async throws {
        let tree = try tree()
        for run in ["a", "b"] {
            try await tree.expect(0, "run", "leaving", "--id", run)
            #expect(tree.member("runs/\(run)/run.json", "outputs") == ["run": "gone"])
        }
        #expect(tree.status("gone") == "failed")
    }
}
