import Foundation
import Glibc
import Testing
import WaybillCore

/// Real system calls of a real daemon that fail: what was said stays true, and work goes on once they work again.
@Suite("A disk with errors", .serialized)
struct InputOutputErrorTests {
    private static let files = [
        "workflows/long.yaml": """
        kind: Workflow
        name: long
        steps:
          - {id: work, run: [./work.sh], output: text}
          - {id: after, run: [./after.sh, "${{ steps.work.output }}"]}
        """,
        "workflows/work.sh": """
        #!/bin/sh
        echo begun >> begun
        : > runs/self
        while [ ! -e runs/go ]; do sleep 0.02; done
        echo by itself
        """,
        "workflows/after.sh": "#!/bin/sh\necho \"$1\" >> marks\n",
    ]

    @Test(
        "holds the run whose ledger it fails, and neither loses nor repeats anything of it",
        arguments: [["write"], ["sync"], ["sync", "rename"], ["sync", "truncate"], ["sync", "truncate", "rename"]])
    func ledger(calls: [String]) async throws {
        let tree = try ScratchTree(Self.files)
        let daemon = try await tree.startFaultyDaemon()
        try await tree.expect(0, "run", "long", "--id", "r")
        try await tree.until("the step runs") { tree.exists("runs/self") }
        let before = tree.lines("runs/r/ledger.jsonl")
        let inode = try tree.inode("runs/r/ledger.jsonl")
        try tree.fail(calls.map { "\($0) \(EIO) /runs/r/" })
        try tree.write("", to: "runs/go")
        try await tree.until("the daemon says so") {
            daemon.errors.contains("[error] r:") || daemon.errors.contains("error r:")
        }
        #expect(tree.systemCalls.contains { $0.error == EIO && $0.path.contains("/runs/r/") })
        #expect(isAlive(daemon.processID))
        #expect(Array(tree.lines("runs/r/ledger.jsonl").prefix(before.count)) == before)
        #expect(!tree.exists("marks"), "nothing follows from what is not durable")
        try tree.fail([])
        try await tree.untilStatus("r", "completed")
        await daemon.stop()
        #expect(tree.lines("begun") == ["begun"])
        #expect(tree.lines("marks") == ["by itself"])
        #expect(try tree.count("TASK_START", "work", of: "r") == 1)
        #expect(try tree.count("TASK_END", "work", of: "r") == 1)
        #expect(Array(tree.lines("runs/r/ledger.jsonl").prefix(before.count)) == before)
        expectNoSecondSync(of: inode, "/runs/r/ledger.jsonl", tree)
        try await tree.expect(0, "verify", "--deep")
    }

    /// After a sync that failed, another one of the same file would say that all is well.
    private func expectNoSecondSync(of inode: UInt64, _ path: String, _ tree: ScratchTree) {
        let syncs = tree.systemCalls.filter { $0.name == "sync" && $0.inode == inode && $0.path.hasSuffix(path) }
        guard let failure = syncs.firstIndex(where: { $0.error != 0 }) else { return }
        #expect(syncs.count == failure + 1, "\(syncs)")
    }

    @Test(
        "keeps a start from beginning while the journal takes no entry, and lets it begin once",
        arguments: ["write", "sync"])
    func journal(call: String) async throws {
        let tree = try ScratchTree(Self.files)
        let daemon = try await tree.startFaultyDaemon()
        try tree.write("", to: "runs/go")
        try tree.fail(["\(call) \(EIO) journal.jsonl"])
        try tree.drop(#"{"workflow":"long","id":"s"}"#, at: "runs/inbox/s.json")
        try await tree.until("the call failed") { tree.systemCalls.contains { $0.error == EIO } }
        try await tree.until("the daemon says so") { daemon.errors.contains("error") }
        #expect(isAlive(daemon.processID))
        #expect(!tree.exists("begun"))
        try tree.fail([])
        try await tree.untilStatus("s", "completed")
        await daemon.stop()
        #expect(tree.lines("begun") == ["begun"])
        #expect(tree.lines("marks") == ["by itself"])
        #expect(tree.lines("runs/journal.jsonl").filter { $0.contains("RUN_STARTED") }.count == 1)
        try await tree.expect(0, "verify", "--deep")
    }
}
