import Testing
import WaybillCore

/// Loops, groups and back-offs with real processes and files.
@Suite("Loops and groups, end to end", .serialized)
struct LoopTests {
    private static let flaky = """
        #!/bin/sh
        set -eu
        echo "$WAYBILL_STEP $1 $WAYBILL_ATTEMPT" >> marks
        test "$1" != b || test "$WAYBILL_ATTEMPT" -gt 1
        echo "done with $1"
        """

    @Test("a daemon killed during the back-off of an item leaves the next one to go on with it")
    func killedDuringBackoff() async throws {
        let tree = try ScratchTree([
            "workflows/items.yaml": """
            kind: Workflow
            name: items
            steps:
              - id: load
                forEach: {items: [a, b, c], maxParallel: 2}
                run: [./flaky.sh, "${{ item }}"]
                output: text
                retry: {maxAttempts: 3, initial: 2s}
            outputs: {all: "${{ steps.load.output }}"}
            """, "workflows/flaky.sh": Self.flaky,
        ])
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "items", "--id", "r")
        try await tree.untilWaiting("r", for: "load-1-retry")
        try await tree.until("the other items are done", watching: "r") {
            try tree.count("TASK_END", of: "r") == 2
        }
        await daemon.kill()
        #expect(try tree.count("TASK_RETRY", "load-1", of: "r") == 1)
        try await tree.withDaemon { _ in
            try await tree.untilStatus("r", "completed")
        }
        #expect(
            tree.member("runs/r/run.json", "outputs", "all")
                == ["done with a", "done with b", "done with c"])
        #expect(tree.lines("marks").sorted() == ["load-0 a 1", "load-1 b 1", "load-1 b 2", "load-2 c 1"])
        #expect(tree.names(in: "runs/r/steps") == ["load-0", "load-1", "load-2"])
        #expect(tree.names(in: "runs/r/steps/load-1") == ["1.1", "1.2"])
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("questions in the groups of items are answered by files under their addresses")
    func answersInItems() async throws {
        let tree = try ScratchTree([
            "workflows/files.yaml": """
            kind: Workflow
            name: files
            steps:
              - id: load
                forEach: {items: [u, v], key: item}
                steps:
                  - {id: check, run: [echo, "${{ item }}"], output: text}
                  - {id: triage, ask: {prompt: "Fix ${{ item }}?", choices: [fix, drop]}}
                  - {id: apply, run: [echo, "${{ steps.triage.output }}", "${{ steps.check.output }}"], output: text}
            outputs: {applied: "${{ steps.load.items.map(i, i.key + ': ' + i.output.apply) }}"}
            """
        ])
        try await tree.expect(3, "run", "files", "--id", "r")
        #expect(tree.names(in: "runs/r/waits") == ["load-0.triage.json", "load-1.triage.json"])
        tree.expectAttempt("runs/r/steps/load-1.check/1.1")
        try tree.drop("drop", at: "runs/r/inbox/load-1.triage.txt")
        try tree.drop("\"fix\"", at: "runs/inbox/r.load-0.triage.json")
        try await tree.expect(0, "reconcile")
        #expect(tree.member("runs/r/run.json", "outputs", "applied") == ["u: fix u", "v: drop v"])
        #expect(tree.names(in: "runs/r/waits") == [])
        try await tree.expect(0, "verify", "r", "--deep")
    }
}

extension ScratchTree {
    /// Expects what an attempt leaves in its folder.
    fileprivate func expectAttempt(_ folder: String) {
        #expect(names(in: folder) == ["exit.json", "stderr.log", "stdout.log"], "\(folder)")
    }

    @Test("a job that is not done in time fails its step, however often it was asked about")
    func lateJob() async throws {
        let tree = try ScratchTree([
            "workflows/late.yaml": """
            kind: Workflow
            name: late
            steps:
              - {id: j, timeout: 1500ms, wait: {job: {handle: h, poll: {run: exit 75}, every: 300ms}}}
            """
        ])
        try await tree.expect(1, "run", "late", "--id", "r", "--wait")
        #expect(tree.member("runs/r/run.json", "error", "kind") == "timeout")
        #expect(tree.member("runs/r/run.json", "error", "step") == "j")
        #expect(try tree.ledger("r").contains { $0["data"]?["by"] == "deadline" })
    }

    @Test("`show` and `graph` show members below their group or loop")
    func shownMembers() async throws {
        let tree = try ScratchTree([
            "workflows/nested.yaml": """
            kind: Workflow
            name: nested
            steps:
              - {id: load, forEach: [1], steps: [{id: one, set: {n: 1}}]}
              - {id: last, set: {n: 1}}
            """
        ])
        try await tree.expect(0, "run", "nested", "--id", "r")
        let page = try await tree.expect(0, "show", "r")
        let steps = page.lines.drop { !$0.hasPrefix("STEP") }.dropFirst().map { $0.prefix { $0 != "c" } }
        #expect(
            steps.map { $0.replacing(#/ +$/#, with: "") }
                == ["load", "  load-0", "    load-0.one", "last"])
        let drawing = try await tree.expect(0, "graph", "nested")
        #expect(drawing.output.contains("  subgraph load[\"load<br/><i>forEach</i>\"]\n    load_x_one["))
        let dot = try await tree.expect(0, "graph", "r", "--format", "dot")
        #expect(dot.output.contains("subgraph \"cluster_load\""))
    }
}
