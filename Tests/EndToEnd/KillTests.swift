import Testing
import WaybillCore

/// The daemon dies at many moments of one run; the run does not mind.
@Suite("A daemon that is killed", .serialized)
struct KillTests {
    /// Pure steps, processes side by side and in a row, a timer and two questions; each process appends a line.
    private static let workflow = """
        kind: Workflow
        name: long
        steps:
          - {id: first, set: {n: 1}}
          - {id: a, run: [./mark.sh], onUnknown: retry}
          - {id: b, needs: [first], run: [./mark.sh], onUnknown: retry}
          - {id: c, needs: [first], run: [./mark.sh], onUnknown: retry}
          - {id: joined, needs: [a, b, c], set: {n: "${{ steps.first.output.n + 1 }}"}}
          - {id: pause, wait: {for: 50ms}}
          - {id: ask1, ask: {prompt: one, choices: [go]}}
          - {id: d, run: [./mark.sh], onUnknown: retry}
          - {id: mark, snapshot: {name: half}}
          - {id: ask2, ask: {prompt: two, choices: [go]}}
          - {id: e, run: [./mark.sh], onUnknown: retry}
          - {id: last, set: {n: "${{ steps.joined.output.n + 1 }}"}}
        outputs: {n: "${{ steps.last.output.n }}"}
        """

    private static let mark = """
        #!/bin/sh
        set -eu
        echo "$WAYBILL_STEP" >> marks
        """

    @Test("no completed step runs again and none is forgotten, at whatever entry the daemon dies", arguments: 1...20)
    func killedAtEntry(entry: Int) async throws {
        let tree = try ScratchTree(["workflows/long.yaml": Self.workflow, "workflows/mark.sh": Self.mark])
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "long", "--id", "r")
        // Answers lie ready: a declared wait takes one that is early.
        try tree.drop("go", at: "runs/r/inbox/ask1.txt")
        try tree.drop("go", at: "runs/r/inbox/ask2.txt")
        try await tree.until("entry \(entry * 2) is written", watching: "r") {
            tree.lines("runs/r/ledger.jsonl").count >= entry * 2 || tree.status("r") == "completed"
        }
        await daemon.kill()
        try await tree.withDaemon { _ in
            try await tree.untilStatus("r", "completed")
        }
        let entries = try tree.ledger("r")
        func count(_ type: String, _ step: String) -> Int {
            entries.filter { $0.member("type") == .string(type) && $0.member("step") == .string(step) }.count
        }
        let marks = tree.lines("marks")
        for step in ["a", "b", "c", "d", "e"] {
            // Its processes do not mind: the next daemon takes them over.
            #expect(count("TASK_START", step) == 1, "\(step) starts once")
            #expect(count("TASK_END", step) == 1, "\(step) ends once")
            #expect(marks.filter { $0 == step }.count == 1, "\(step) ran once")
        }
        #expect(!entries.contains { $0.member("type") == .string("TASK_UNKNOWN") })
        #expect(tree.member("runs/r/run.json", "outputs", "n") == .int(3))
        try await tree.expect(0, "verify", "r", "--deep")
    }
}
