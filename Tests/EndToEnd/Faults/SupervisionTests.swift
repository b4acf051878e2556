import Foundation
import Glibc
import Testing
import WaybillCore

/// Steps whose daemon, supervisor, monitor or machine goes away while they are at work.
@Suite("A step at work")
struct SupervisionTests {
    private static func files(_ modifiers: String = "") -> [String: String] {
        [
            "workflows/long.yaml": """
            kind: Workflow
            name: long
            steps:
              - {id: work, run: [./work.sh], output: text\(modifiers.isEmpty ? "" : ", " + modifiers)}
              - {id: after, run: [./after.sh, "${{ steps.work.output }}"]}
            """,
            "workflows/work.sh": """
            #!/bin/sh
            echo begun >> begun
            setsid sh -c 'echo $$ > runs/daemon.tmp; mv runs/daemon.tmp runs/daemon; exec sleep 1000' &
            while [ ! -e runs/daemon ]; do sleep 0.02; done
            echo $$ > self.tmp; mv self.tmp runs/self
            while [ ! -e runs/go ]; do sleep 0.02; done
            echo by itself
            """,
            "workflows/after.sh": "#!/bin/sh\necho \"$1\" >> marks\n",
            "workflows/done.sh": "#!/bin/sh\necho found\nexit ${CHECK:-0}\n",
        ]
    }

    /// A tree whose run `r` is at its step `work`, and the daemon that began it.
    private func working(_ modifiers: String = "") async throws -> (ScratchTree, RunningCommand) {
        let tree = try ScratchTree(Self.files(modifiers))
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "long", "--id", "r")
        try await tree.until("the step runs") { tree.exists("runs/self") }
        return (tree, daemon)
    }

    private func process(_ tree: ScratchTree, _ file: String) throws -> pid_t {
        try #require(tree.lines("runs/\(file)").first.flatMap { pid_t($0) })
    }

    private func expectOnce(_ tree: ScratchTree) async throws {
        #expect(tree.lines("begun") == ["begun"])
        #expect(tree.lines("marks") == ["by itself"])
        #expect(try tree.count("TASK_START", "work", of: "r") == 1)
        #expect(try tree.count("TASK_UNKNOWN", of: "r") == 0)
        #expect(!isAlive(try process(tree, "daemon")))
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("is taken over by the next daemon, whether the first is killed or stopped", arguments: [SIGKILL, SIGTERM])
    func adopted(signal: Int32) async throws {
        let (tree, daemon) = try await working()
        kill(daemon.processID, signal)
        let ended = await daemon.finish()
        #expect(ended.signalled == (signal == SIGKILL))
        #expect(isAlive(try process(tree, "self")))
        try await tree.withDaemon { _ in
            try tree.write("", to: "runs/go")
            try await tree.untilStatus("r", "completed")
        }
        try await expectOnce(tree)
    }

    @Test("that ends while there is no daemon is collected by the next one, and by a reconciliation")
    func collected() async throws {
        let (tree, daemon) = try await working()
        await daemon.stop()
        let step = try process(tree, "self")
        try tree.write("", to: "runs/go")
        try await tree.until("the step is over") { !isAlive(step) && tree.exists("runs/r/steps/work/1.1/exit.json") }
        try await tree.expect(0, "reconcile")
        try await expectOnce(tree)
    }

    @Test("goes on when the command that began it is stopped")
    func command() async throws {
        let tree = try ScratchTree(Self.files())
        let command = try tree.start(["run", "long", "--id", "r"])
        try await tree.until("the step runs") { tree.exists("runs/self") }
        let stopped = await command.stop()
        #expect(stopped.status == 75 && !stopped.signalled, "\(stopped)")
        try tree.write("", to: "runs/go")
        try await tree.expect(0, "reconcile")
        try await expectOnce(tree)
    }

    @Test("is cancelled by a daemon that did not begin it, with all that it started")
    func cancelled() async throws {
        let (tree, daemon) = try await working()
        await daemon.kill()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "cancel", "r")
            try await tree.untilStatus("r", "cancelled")
        }
        for file in ["self", "daemon"] { #expect(!isAlive(try process(tree, file))) }
        #expect(tree.lines("begun") == ["begun"])
        #expect(tree.member("runs/r/steps/work/1.1/exit.json", "stopped") == .bool(true))
    }

    @Test("times out although no daemon is there")
    func timeout() async throws {
        let (tree, daemon) = try await working("timeout: 2s")
        await daemon.kill()
        let step = try process(tree, "self")
        try await tree.until("the step is over") { !isAlive(step) && tree.exists("runs/r/steps/work/1.1/exit.json") }
        #expect(!isAlive(try process(tree, "daemon")))
        try await tree.expect(0, "reconcile")
        #expect(tree.status("r") == "failed")
        #expect(tree.member("runs/r/run.json", "error", "kind") == .string("timeout"))
    }

    @Test("does not mind the supervisor's death, and the next step finds a new one")
    func supervisorKilled() async throws {
        let (tree, daemon) = try await working()
        try tree.killSupervisor(of: "work/1.1", in: "r")
        try tree.write("", to: "runs/go")
        try await tree.untilStatus("r", "completed")
        await daemon.stop()
        try await expectOnce(tree)
    }

    @Test("does not mind the death of both daemon and supervisor")
    func bothKilled() async throws {
        let (tree, daemon) = try await working()
        try tree.killSupervisor(of: "work/1.1", in: "r")
        await daemon.kill()
        try await tree.withDaemon { _ in
            try tree.write("", to: "runs/go")
            try await tree.untilStatus("r", "completed")
        }
        try await expectOnce(tree)
    }

    @Test("that prints 200 MB keeps 64 MiB to the byte and counts the rest, and what was cut is no output")
    func loud() async throws {
        let tree = try ScratchTree([
            "workflows/loud.yaml": """
            kind: Workflow
            name: loud
            steps:
              - {id: print, run: "yes 'fifteen letters' | head -c 200000000; echo done >&2"}
              - {id: read, run: "yes 'fifteen letters' | head -c 70000000", output: text, continueOnError: true}
              - {id: after, run: [./after.sh, "${{ steps.read.status }}"]}
            """,
            "workflows/after.sh": "#!/bin/sh\necho \"$1\" >> marks\n",
        ])
        try await tree.expect(0, "run", "loud", "--id", "r")
        let limit = 64 << 20
        let log = try Data(contentsOf: tree["runs/r/steps/print/1.1/stdout.log"])
        #expect(log == Data(String(repeating: "fifteen letters\n", count: limit / 16).utf8))
        #expect(tree.lines("runs/r/steps/print/1.1/stderr.log") == ["done"])
        let exit = "runs/r/steps/print/1.1/exit.json"
        #expect(tree.member(exit, "exitCode") == 0)
        #expect(tree.member(exit, "truncated") == ["stdout": true, "stderr": false])
        #expect(tree.member(exit, "droppedBytes") == ["stdout": .int(Int64(200_000_000 - limit)), "stderr": 0])
        let ends = try tree.ledger("r").filter { $0["type"] == "TASK_END" }
        #expect(ends.map { $0["data"]?["status"] } == ["completed", "failed", "completed"])
        #expect(ends[1]["data"]?["error"]?["kind"] == "verification")
        #expect(ends[1]["data"]?["error"]?["message"]?.stringValue?.contains("was cut off at the log's limit") == true)
        #expect(tree.lines("marks") == ["failed"])
    }

    @Test(
        "whose monitor is killed is unknown at once, nothing of it lives, and the rule decides",
        arguments: [
            ("onUnknown: retry", "completed", ["by itself"], 2), ("onUnknown: fail", "failed", [], 1),
            ("sideEffects: idempotent", "completed", ["by itself"], 2),
            ("onUnknown: {check: {run: [./done.sh]}}", "completed", ["found"], 1),
            ("onUnknown: {check: {run: [./done.sh], env: {CHECK: \"1\"}}}", "completed", ["by itself"], 2),
        ] as [(String, String, [String], Int)])
    func monitorKilled(rule: String, status: String, marks: [String], starts: Int) async throws {
        let (tree, daemon) = try await working(rule)
        let processes = try [process(tree, "self"), process(tree, "daemon")]
        try tree.killMonitor(of: "work/1.1", in: "r")
        try await tree.until("the loss is recorded", watching: "r") { try tree.count("TASK_UNKNOWN", of: "r") == 1 }
        #expect(!processes.contains(where: isAlive))
        try tree.write("", to: "runs/go")
        try await tree.untilStatus("r", status)
        await daemon.stop()
        #expect(tree.lines("marks") == marks)
        #expect(try tree.count("TASK_START", "work", of: "r") == starts)
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("whose monitor is killed is asked about, where nothing else was said")
    func asked() async throws {
        let (tree, daemon) = try await working()
        try tree.killMonitor(of: "work/1.1", in: "r")
        try await tree.untilWaiting("r", for: "work-unknown")
        try tree.drop(#"{"result":"done","output":"by hand"}"#, at: "runs/r/inbox/work-unknown.json")
        try await tree.untilStatus("r", "completed")
        await daemon.stop()
        #expect(tree.lines("marks") == ["by hand"])
        #expect(tree.lines("begun") == ["begun"])
    }

    private static let canMount = geteuid() == 0

    @Test("is unknown after the machine was started anew", .enabled(if: canMount, "needs a mount of its own"))
    func reboot() async throws {
        let (tree, daemon) = try await working("onUnknown: retry")
        // What a power loss leaves of the processes.
        await daemon.kill()
        try tree.killMonitor(of: "work/1.1", in: "r")
        try tree.write("", to: "runs/go")
        try tree.write("5f0c0c6e-0000-4000-8000-000000000001\n", to: "boot")
        let script = """
            mount --bind boot /proc/sys/kernel/random/boot_id && exec "$0" reconcile
            """
        let done = try await tree.run("unshare", "-m", "sh", "-c", script, Waybill.binary.path())
        #expect(done.status == 0, "\(done)")
        #expect(tree.status("r") == "completed")
        let lost = try tree.ledger("r").first { $0["type"]?.stringValue == "TASK_UNKNOWN" }
        #expect(lost?["data"]?["reason"]?.stringValue == "the machine was started anew")
        #expect(tree.lines("marks") == ["by itself"])
        // What is left of the step of the "earlier boot" is this machine's own.
        kill(try process(tree, "daemon"), SIGKILL)
    }
}
