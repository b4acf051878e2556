import Foundation
import Glibc
import Testing
import WaybillCore

/// Owners that die, stop or meet, and what becomes of the work between their hands.
@Suite("Interrupted work")
struct InterruptionTests {
    private static func files(onUnknown rule: String) -> [String: String] {
        [
            "workflows/long.yaml": """
            kind: Workflow
            name: long
            steps:
              - {id: work, run: [./work.sh], output: text, onUnknown: \(rule)}
              - {id: after, run: [./after.sh, "${{ steps.work.output }}"]}
            """,
            "workflows/work.sh": """
            #!/bin/sh
            echo begun >> begun
            echo $$ > self.tmp; mv self.tmp runs/self
            while [ ! -e runs/go ]; do sleep 0.02; done
            echo by itself
            """,
            "workflows/after.sh": "#!/bin/sh\necho \"$1\" >> marks\n",
        ]
    }

    /// A run whose daemon and whose step's monitor are killed while the step is at work.
    private func interrupted(_ rule: String) async throws -> ScratchTree {
        let tree = try ScratchTree(Self.files(onUnknown: rule))
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "long", "--id", "r")
        try await tree.until("the step runs") { tree.exists("runs/self") }
        await daemon.kill()
        try tree.killMonitor(of: "work/1.1", in: "r")
        return tree
    }

    @Test(
        "with `ask`, each of the three answers does what it says",
        arguments: [
            (#"{"result":"done","output":"by hand"}"#, "completed", ["by hand"], 1),
            (#""retry""#, "completed", ["by itself"], 2), (#""failed""#, "failed", [], 1),
        ] as [(String, String, [String], Int)])
    func ask(answer: String, status: String, marks: [String], starts: Int) async throws {
        let tree = try await interrupted("ask")
        try await tree.withDaemon { _ in
            try await tree.untilWaiting("r", for: "work-unknown")
            try tree.write("", to: "runs/go")
            try tree.drop(answer, at: "runs/r/inbox/work-unknown.json")
            try await tree.untilStatus("r", status)
        }
        #expect(tree.lines("marks") == marks)
        #expect(try tree.count("TASK_START", "work", of: "r") == starts)
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("with `retry` it is tried again, with `fail` the run fails", arguments: ["retry", "fail"])
    func rules(rule: String) async throws {
        let tree = try await interrupted(rule)
        try tree.write("", to: "runs/go")
        try await tree.withDaemon { _ in try await tree.untilStatus("r", rule == "retry" ? "completed" : "failed") }
        #expect(try tree.count("TASK_UNKNOWN", "work", of: "r") == 1)
        #expect(try tree.count("TASK_START", "work", of: "r") == (rule == "retry" ? 2 : 1))
        if rule == "fail" { #expect(tree.member("runs/r/run.json", "error", "kind") == .string("unknown")) }
    }

    @Test("a changed or removed workflow does not touch a run that was started")
    func changedWorkflow() async throws {
        let tree = try ScratchTree(Self.files(onUnknown: "ask"))
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "long", "--id", "r")
            try await tree.until("the step runs") { tree.exists("runs/self") }
            try tree.write("#!/bin/sh\necho changed >> marks\n", to: "workflows/after.sh")
            try tree.drop("kind: [", at: "workflows/long.yaml")
            try tree.write("", to: "runs/go")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.lines("marks") == ["by itself"])
    }

    @Test("daemons, reconciliations and commands at once do every step once")
    func together() async throws {
        let tree = try ScratchTree([
            "workflows/row.yaml": """
            kind: Workflow
            name: row
            steps:
              - {id: a, run: [./mark.sh]}
              - {id: q, ask: {prompt: go, choices: [go]}}
              - {id: b, run: [./mark.sh]}
              - {id: c, run: [./mark.sh]}
            """,
            "workflows/mark.sh": "#!/bin/sh\necho \"$WAYBILL_RUN_ID $WAYBILL_STEP\" >> marks\n",
        ])
        try await tree.withDaemon { _ in
            try await tree.withDaemon { _ in
                for number in 0..<4 { try await tree.expect(0, "run", "row", "--id", "r\(number)") }
                let others = try (0..<3).map { _ in try tree.start(["reconcile"]) }
                for number in 0..<4 {
                    try await tree.untilWaiting("r\(number)", for: "q")
                    try tree.drop(
                        "go", at: number % 2 == 0 ? "runs/inbox/r\(number).q.txt" : "runs/r\(number)/inbox/q.txt")
                }
                for other in others { _ = await other.finish() }
                for number in 0..<4 { try await tree.untilStatus("r\(number)", "completed") }
            }
        }
        let wanted = (0..<4).flatMap { run in ["a", "b", "c"].map { "r\(run) \($0)" } }
        #expect(tree.lines("marks").sorted() == wanted)
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("an owner that stands still is named with 75, and taken over from once it is dead")
    func standingStill() async throws {
        let tree = try ScratchTree(Self.files(onUnknown: "retry"))
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "long", "--id", "r")
        try await tree.until("the step runs") { tree.exists("runs/self") }
        kill(daemon.processID, SIGSTOP)
        let refused = try await tree.expect(75, "pause", "r")
        #expect(refused.errors.contains("\(daemon.processID)"), "\(refused)")
        await daemon.kill()
        try tree.write("", to: "runs/go")
        // The pause was kept, and is what the next owner finds.
        try await tree.expect(3, "reconcile")
        #expect(tree.status("r") == "paused")
        try await tree.expect(0, "resume", "r")
        #expect(tree.status("r") == "completed")
        #expect(tree.lines("marks") == ["by itself"])
    }

    @Test("as many steps and runs are at work at once as the settings allow")
    func limits() async throws {
        let tree = try ScratchTree([
            "workflows/settings.yaml": "kind: Settings\nname: default\nconcurrency: {runs: 2, steps: 1}\n",
            "workflows/busy.yaml": """
            kind: Workflow
            name: busy
            steps:
              - {id: a, needs: [], run: [./alone.sh]}
              - {id: b, needs: [], run: [./alone.sh]}
            """,
            "workflows/alone.sh": """
            #!/bin/sh
            mkdir alone || echo crowded >> crowded
            sleep 0.05
            rmdir alone
            echo done >> marks
            """,
        ])
        try await tree.withDaemon { _ in
            for number in 0..<3 { try await tree.expect(0, "run", "busy", "--id", "r\(number)") }
            for number in 0..<3 { try await tree.untilStatus("r\(number)", "completed") }
        }
        #expect(tree.lines("marks").count == 6)
        #expect(!tree.exists("crowded"))
    }

    @Test("a disk that refuses a write stops the run with an error, loses nothing, and the run goes on by itself")
    func fullDisk() async throws {
        let tree = try ScratchTree(Self.files(onUnknown: "ask"))
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "long", "--id", "r")
        try await tree.until("the step runs") { tree.exists("runs/self") }
        let before = tree.lines("runs/r/ledger.jsonl")
        // No file of the daemon may grow beyond where the ledger ends.
        let size = try #require(tree.bytes("runs/r/ledger.jsonl")).count
        let limit = try await tree.run("prlimit", "--pid", "\(daemon.processID)", "--fsize=\(size + 10):")
        #expect(limit.status == 0, "\(limit)")
        try tree.write("", to: "runs/go")
        try tree.drop(#"{"name":"kept"}"#, at: "runs/r/inbox/@snapshot.json")
        try await tree.until("the daemon says so") {
            daemon.errors.contains("[error] r:") || daemon.errors.contains("r: ")
        }
        #expect(isAlive(daemon.processID))
        // Of each attempt to go on a part is in the file for a moment.
        try await tree.until("what was refused is gone") { tree.lines("runs/r/ledger.jsonl") == before }
        #expect(try await tree.run("prlimit", "--pid", "\(daemon.processID)", "--fsize=unlimited:").status == 0)
        try await tree.untilStatus("r", "completed")
        await daemon.stop()
        #expect(tree.lines("marks") == ["by itself"])
        #expect(try tree.count("TASK_START", "work", of: "r") == 1)
        #expect(try tree.count("SNAPSHOT", of: "r") == 1)
        #expect(Array(tree.lines("runs/r/ledger.jsonl").prefix(before.count)) == before)
        try await tree.expect(0, "verify", "--deep")
    }
}
