import Foundation
import Glibc
import Testing
import WaybillCore

private enum Mounts {
    static let areAllowed = geteuid() == 0
}

/// A file system of a few megabytes that is really full.
@Suite("A full file system", .serialized, .enabled(if: Mounts.areAllowed, "needs a mount of its own"))
struct FullDiskTests {
    private static let workflow = """
        kind: Workflow
        name: long
        steps:
          - {id: work, run: [./work.sh]}
          - {id: after, run: 'echo after >> "$MARKS/marks"', env: {MARKS: MARKS_FOLDER, LONG: LONG_TEXT}}
        ---
        kind: Workflow
        name: asking
        steps: [{id: approve, ask: {prompt: Go?, choices: [go]}}]
        """

    /// The step needs no room on the file system.
    private static let work = """
        #!/bin/sh
        : > runs/self
        while [ ! -e runs/go ]; do sleep 0.02; done
        """

    /// A tree on a small file system of its own, which only processes see that enter it.
    private struct SmallDisk {
        let outside: ScratchTree
        let inside: ScratchTree
        let keeper: RunningCommand
        private let place: String

        init() async throws {
            let outside = try ScratchTree()
            let place = outside["small"].path()
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let script = #"mount -t tmpfs -o size=4m,mode=700 none "$0" && echo ready && exec sleep 1000"#
            let keeper = try RunningCommand(
                URL(filePath: "/usr/bin/env"), ["unshare", "-m", "sh", "-c", script, place], in: outside.root,
                outputs: outside[".outputs/keeper"])
            try await outside.until("the file system is there") { keeper.output.contains("ready") }
            (self.outside, self.place, self.keeper) = (outside, place, keeper)
            inside = ScratchTree(seenAt: URL(filePath: "/proc/\(keeper.processID)/root\(place)"))
        }

        /// Starts `waybill` where the file system is mounted; what it prints is kept elsewhere.
        func start(_ words: String...) throws -> RunningCommand {
            let enter = ["nsenter", "-t", "\(keeper.processID)", "-m", Waybill.binary.path(), "-C", place]
            return try RunningCommand(
                URL(filePath: "/usr/bin/env"), enter + words, in: outside.root,
                outputs: outside[".outputs/\(words.joined(separator: "-"))"])
        }

        func expect(_ status: Int32, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws
            -> Finished
        {
            let enter = ["nsenter", "-t", "\(keeper.processID)", "-m", Waybill.binary.path(), "-C", place]
            let finished = try await outside.run(enter + words)
            #expect(finished.status == status, "\(words): \(finished)", sourceLocation: sourceLocation)
            return finished
        }

        /// Takes all the room that is left.
        func fill() async throws {
            let filled = try await outside.run("dd", "if=/dev/zero", "of=\(inside["filler"].path())", "bs=4k")
            #expect(filled.status != 0 && filled.errors.contains("No space left"), "\(filled)")
        }
    }

    @Test("holds what cannot be written, loses nothing, and all goes on by itself when there is room again")
    func full() async throws {
        let disk = try await SmallDisk()
        let (inside, outside) = (disk.inside, disk.outside)
        // The end of the first step, and with it the start of the second, need another block of the ledger.
        let workflow = Self.workflow.replacingOccurrences(of: "MARKS_FOLDER", with: outside.root.path())
            .replacingOccurrences(of: "LONG_TEXT", with: String(repeating: "x", count: 8_192))
        try inside.write(workflow, to: "workflows/long.yaml")
        try inside.write(Self.work, to: "workflows/work.sh")
        try FileManager.default.createDirectory(at: inside["runs"], withIntermediateDirectories: true)
        let daemon = try disk.start("daemon")
        try await outside.until("the daemon attends the tree") { daemon.errors.contains("attending") }
        _ = try await disk.expect(0, ["run", "long", "--id", "r"])
        _ = try await disk.expect(0, ["run", "asking", "--id", "q"])
        try await inside.until("the step runs") { inside.exists("runs/self") }
        try await inside.untilWaiting("q", for: "approve")
        let before = inside.lines("runs/r/ledger.jsonl")
        try await disk.fill()
        #expect(inside.bytes(".waybill/reserve")?.count == 1 << 20)

        try inside.write("", to: "runs/go")
        try await outside.until("the daemon says so") { daemon.errors.contains("error r: ") }
        #expect(daemon.errors.contains("after is not started on a full disk"), "\(daemon.errors)")
        #expect(daemon.errors.contains("o space left"), "\(daemon.errors)")
        // How the step ended found room where nothing else does.
        #expect(try inside.count("TASK_END", "work", of: "r") == 1)
        let left = try #require(inside.bytes(".waybill/reserve")).count
        #expect(left < 1 << 20 && left > 1 << 19, "\(left)")
        let report = try await disk.expect(1, ["doctor"])
        #expect(report.output.contains("KiB are left for the outcomes of what runs"), "\(report)")
        let refused = try await disk.expect(1, ["answer", "q", "approve", "--text", "go"])
        #expect(refused.errors.contains("space"), "\(refused)")
        #expect(isAlive(daemon.processID))
        // Whoever takes over knows it, too: a daemon that has nothing in memory.
        await daemon.kill()
        let next = try disk.start("daemon", "--verbose")
        #expect(Array(inside.lines("runs/r/ledger.jsonl").prefix(before.count)) == before)
        #expect(try inside.count("TASK_END", "after", of: "r") == 0)
        #expect(!outside.exists("marks"))

        try FileManager.default.removeItem(at: inside["filler"])
        try await inside.untilStatus("r", "completed")
        _ = try await disk.expect(0, ["answer", "q", "approve", "--text", "go"])
        try await inside.untilStatus("q", "completed")
        #expect(outside.lines("marks") == ["after"])
        #expect(try inside.count("TASK_START", "work", of: "r") == 1)
        #expect(inside.bytes(".waybill/reserve")?.count == 1 << 20)
        await next.stop()
        _ = try await disk.expect(0, ["verify", "--deep"])
        await disk.keeper.kill()
    }
}
