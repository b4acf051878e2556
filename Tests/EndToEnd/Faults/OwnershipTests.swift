import Foundation
import Glibc
import Testing
import WaybillCore

/// Runs whose ledger is somebody's: an owner that is killed, that stands still, or that meets what it did not write.
@Suite("A run and its owner", .serialized)
struct OwnershipTests {
    private static let files = [
        "workflows/long.yaml": """
        kind: Workflow
        name: long
        steps:
          - {id: work, run: [./work.sh]}
          - {id: after, run: "echo after >> marks"}
        ---
        kind: Workflow
        name: asking
        steps: [{id: approve, ask: {prompt: Go?, choices: [go]}}]
        """,
        "workflows/work.sh": """
        #!/bin/sh
        echo begun >> begun
        : > runs/self
        while [ ! -e runs/go ]; do sleep 0.02; done
        """,
    ]

    private func working() async throws -> (ScratchTree, RunningCommand) {
        let tree = try ScratchTree(Self.files)
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "long", "--id", "r")
        try await tree.until("the step runs") { tree.exists("runs/self") }
        return (tree, daemon)
    }

    private func expectOnce(_ tree: ScratchTree) async throws {
        #expect(tree.lines("begun") == ["begun"])
        #expect(tree.lines("marks") == ["after"])
        #expect(try tree.count("TASK_START", "work", of: "r") == 1)
        #expect(try tree.count("TASK_UNKNOWN", of: "r") == 0)
        try await tree.expect(0, "verify", "r", "--deep")
    }

    private static func isFree(_ file: URL) -> Bool {
        let descriptor = open(file.path(), O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        return descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    @Test("another daemon leaves the run to an owner that stands still, and takes it over when that one is killed")
    func standby() async throws {
        let (tree, owner) = try await working()
        try await tree.expect(0, "run", "asking", "--id", "other")
        try await tree.untilWaiting("other", for: "approve")
        // It stops with nothing in its hands but what it works on.
        try await tree.until("the owner lets go of what waits") {
            Self.isFree(tree["runs/other/ledger.jsonl"]) && Self.isFree(tree["runs/journal.jsonl"])
        }
        let ledger = tree.lines("runs/r/ledger.jsonl")
        kill(owner.processID, SIGSTOP)
        try await tree.withDaemon { _ in
            // What nobody has is done by the one that works, and the run is not.
            try tree.write("", to: "runs/go")
            try tree.drop("go", at: "runs/other/inbox/approve.txt")
            try await tree.untilStatus("other", "completed")
            #expect(tree.lines("runs/r/ledger.jsonl") == ledger)
            let refused = try await tree.expect(75, "cancel", "r")
            #expect(refused.errors.contains("\(owner.processID)"), "\(refused)")
            for name in tree.names(in: "runs/r/inbox") where name.hasPrefix("@cancel") {
                try FileManager.default.removeItem(at: tree["runs/r/inbox/\(name)"])
            }
            await owner.kill()
            try await tree.untilStatus("r", "completed")
        }
        try await expectOnce(tree)
    }

    /// Whether a process stands still in the kernel until somebody gives back the lock on a file (proc(5), `locks`). It may
    /// wait for others: a daemon that finds a step at work waits for the end of that.
    private static func waits(_ process: Int32, for file: URL) -> Bool {
        var status = stat()
        guard stat(file.path(), &status) == 0 else { return false }
        let locks = (try? String(contentsOfFile: "/proc/locks", encoding: .utf8)) ?? ""
        return locks.split(separator: "\n").contains { line in
            let words = line.split(separator: " ").map(String.init)
            return words.contains("->") && words.contains("FLOCK") && words.contains(String(process))
                && words.contains { $0.hasSuffix(":\(status.st_ino)") }
        }
    }

    @Test("the kernel wakes a second daemon when the first is killed, for the common inbox and for its runs")
    func takeover() async throws {
        let (tree, owner) = try await working()
        let door = tree[".waybill/door.lock"]
        try await tree.withDaemon { second in
            try await tree.until("the second daemon waits for the first") { Self.waits(second.processID, for: door) }
            await owner.kill()
            try await tree.until("it waits no more") { !Self.waits(second.processID, for: door) }
            try tree.drop(#"{"workflow": "asking", "id": "late"}"#, at: "runs/inbox/late.json")
            try tree.write("", to: "runs/go")
            try await tree.untilWaiting("late", for: "approve")
            try await tree.untilStatus("r", "completed")
        }
        try await expectOnce(tree)
    }

    @Test("a command takes over at once from an owner that was killed")
    func command() async throws {
        let (tree, owner) = try await working()
        try tree.write("", to: "runs/go")
        await owner.kill()
        try await tree.expect(0, "reconcile")
        try await expectOnce(tree)
    }

    @Test("what somebody else appended is found before the next write, kept aside, and the run goes on")
    func appended() async throws {
        let (tree, daemon) = try await working()
        let handle = try FileHandle(forWritingTo: tree["runs/r/ledger.jsonl"])
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("by hand\n".utf8))
        try tree.write("", to: "runs/go")
        try await tree.untilStatus("r", "completed")
        await daemon.stop()
        #expect(daemon.errors.contains("somebody else wrote to it"))
        #expect(tree.lines("runs/r/ledger.torn.1") == ["by hand"])
        try await expectOnce(tree)
    }

    @Test("a ledger that was replaced by a copy of itself is found before the next write, and the copy goes on")
    func replaced() async throws {
        let (tree, daemon) = try await working()
        try tree.drop(tree.lines("runs/r/ledger.jsonl").map { $0 + "\n" }.joined(), at: "runs/r/ledger.jsonl")
        try tree.write("", to: "runs/go")
        try await tree.untilStatus("r", "completed")
        await daemon.stop()
        #expect(daemon.errors.contains("was replaced or removed by somebody else"))
        try await expectOnce(tree)
    }

    @Test("a ledger that was cut is found before the next write, and the run is set aside until it is put back")
    func cut() async throws {
        let (tree, daemon) = try await working()
        let whole = tree.lines("runs/r/ledger.jsonl")
        try await tree.until("the head is published", watching: "r") {
            tree.member("runs/r/run.json", "ledger", "seq")?.intValue == Int64(whole.count)
        }
        try tree.write(whole.dropLast().map { $0 + "\n" }.joined(), to: "runs/r/ledger.jsonl")
        try tree.write("", to: "runs/go")
        try await tree.untilStatus("r", "quarantined")
        #expect(!tree.exists("marks"))
        await daemon.stop()
        try tree.write(whole.map { $0 + "\n" }.joined(), to: "runs/r/ledger.jsonl")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("r") == "completed")
        try await expectOnce(tree)
    }
}
