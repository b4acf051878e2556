import Foundation
import Glibc
import Testing
import WaybillCore

/// A tree that is copied while a daemon works on it, in the order that the documentation gives.
@Suite("A backup of a live tree", .serialized)
struct BackupTests {
    private static let files = [
        "workflows/all.yaml": """
        kind: Workflow
        name: long
        steps:
          - {id: work, run: [./work.sh], onUnknown: retry}
          - {id: mark, run: 'echo "$WAYBILL_RUN_ID" >> marks'}
        ---
        kind: Workflow
        name: asking
        steps:
          - {id: approve, ask: {prompt: Go?, choices: [go]}}
          - {id: mark, run: 'echo "$WAYBILL_RUN_ID" >> marks', onUnknown: retry}
        ---
        kind: Workflow
        name: short
        steps:
          - {id: a, run: ["true"], onUnknown: retry}
          - {id: pause, wait: {for: 10ms}}
          - {id: b, run: ["true"], onUnknown: retry}
          - {id: c, call: {workflow: shorter}}
        ---
        kind: Workflow
        name: shorter
        steps: [{id: a, run: ["true"], onUnknown: retry}]
        """,
        "workflows/work.sh": """
        #!/bin/sh
        echo $$ > self.tmp; mv self.tmp runs/self
        while [ ! -e runs/go ]; do sleep 0.02; done
        """,
    ]

    /// The commands of the page `Backup`, word for word.
    private static func documentedCommands() throws -> String {
        let page = ScratchTree.repository.appending(path: "Sources/WaybillCommands/Waybill.docc/Backup.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let block = text.split(separator: "```sh\n").dropFirst().first?.split(separator: "```").first
        return try #require(block.map(String.init))
    }

    @Test("restores to a tree that verifies and goes on, and does not touch what runs in the original")
    func live() async throws {
        let tree = try ScratchTree(Self.files)
        let restored = try ScratchTree()
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "long", "--id", "long")
        try await tree.expect(0, "run", "asking", "--id", "asked")
        try await tree.until("the step runs") { tree.exists("runs/self") }
        try await tree.untilWaiting("asked", for: "approve")
        // Runs start, wait, call and end while the copy is made.
        for number in 1...30 {
            try tree.drop(#"{"workflow":"short","id":"s\#(number)"}"#, at: "runs/inbox/s\(number).json")
        }
        try await tree.until("some of them have ended") { tree.status("s3") == "completed" }
        let commands = try Self.documentedCommands()
            .replacingOccurrences(of: "/srv/flows", with: tree.root.path())
            .replacingOccurrences(of: "/srv/backup", with: restored["backup"].path())
        try FileManager.default.createDirectory(at: restored["backup"], withIntermediateDirectories: true)
        let copied = try await tree.run("sh", "-c", commands)
        // 1: a file changed while it was read; that is what happens in a live tree.
        #expect(copied.status == 0 || copied.status == 1, "\(copied)")

        let unpacked = try await restored.run(
            "sh", "-c", "tar -xf backup/tree.tar && cp -p backup/journal*.jsonl runs/")
        #expect(unpacked.status == 0, "\(unpacked)")
        try restored.write("", to: "runs/go")
        try await restored.expect(3, "reconcile")
        try restored.drop("go", at: "runs/asked/inbox/approve.txt")
        try await restored.expect(0, "reconcile")
        try await restored.expect(0, "verify", "--deep")
        #expect(restored.lines("marks").sorted() == ["asked", "long"])
        for run in restored.names(in: "runs") where run.hasPrefix("s") && !run.hasPrefix("self") {
            #expect(restored.status(run) == "completed", "\(run)")
        }

        // The original has not noticed.
        let step = try #require(tree.lines("runs/self").first.flatMap { pid_t($0) })
        #expect(isAlive(step))
        try tree.write("", to: "runs/go")
        try await tree.untilStatus("long", "completed")
        for number in 1...30 { try await tree.untilStatus("s\(number)", "completed") }
        await daemon.stop()
        #expect(tree.lines("marks") == ["long"])
        #expect(try tree.count("TASK_UNKNOWN", of: "long") == 0)
        try await tree.expect(0, "verify", "--deep")
    }
}
