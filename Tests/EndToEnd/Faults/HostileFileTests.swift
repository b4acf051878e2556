import Foundation
import Glibc
import Testing
import WaybillCore

/// Files that are no answers, in both doors, before a daemon looks and while it does.
@Suite("Hostile files")
struct HostileFileTests {
    private static let workflow = """
        kind: Workflow
        name: ask
        steps:
          - {id: q, ask: {prompt: go, choices: ["yes", "no"]}}
        outputs: {answer: "${{ steps.q.output }}"}
        """

    /// Puts one of each kind into a folder; `prefix` addresses a run in the common inbox.
    private func plant(_ tree: ScratchTree, in folder: String, prefix: String) throws {
        let path = { (name: String) in tree["\(folder)/\(prefix)\(name)"].path() }
        symlink("/etc/passwd", path("q--link.json"))
        mkfifo(path("q--fifo.json"), 0o600)
        mkdir(path("q--folder.json"), 0o700)
        try tree.drop("yes", at: "\(folder)/\(prefix)inner.tmp")
        let huge = open(path("q--huge.json"), O_CREAT | O_WRONLY, 0o600)
        ftruncate(huge, 1 << 30)
        close(huge)
        let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
        try tree.drop(deep, at: "\(folder)/\(prefix)q--deep.json")
        try Data([0xFF, 0xFE, 0x22]).write(to: tree["\(folder)/\(prefix)q--bytes.txt.part.tmp"])
        rename(path("q--bytes.txt.part.tmp"), path("q--bytes.txt"))
        tree.make(Array("\(prefix)q--".utf8) + [0xC3, 0x28] + Array(".json".utf8), in: folder) {
            open($0, O_CREAT | O_WRONLY, 0o600)
        }
        tree.make(Array("\(prefix)q\nrm.json".utf8), in: folder) { open($0, O_CREAT | O_WRONLY, 0o600) }
        link(tree["workflows/ask.yaml"].path(), path("q--hard.json"))
    }

    private let expected = [
        "q--link.json": "type", "q--fifo.json": "type", "q--folder.json": "type", "q--huge.json": "size",
        "q--deep.json": "syntax", "q--bytes.txt": "syntax", "q--%C3(.json": "syntax", "q%0Arm.json": "unknown-wait",
        "q--hard.json": "type",
    ]

    @Test(
        "each is refused with a reason, the daemon lives, and the run can still be answered", arguments: [false, true])
    func planted(isThereBefore: Bool) async throws {
        let tree = try ScratchTree(["workflows/ask.yaml": Self.workflow])
        try await tree.expect(3, "run", "ask", "--id", "r")
        if isThereBefore {
            try plant(tree, in: "runs/r/inbox", prefix: "")
            try plant(tree, in: "runs/inbox", prefix: "r.")
        }
        try await tree.withDaemon { daemon in
            if !isThereBefore {
                try plant(tree, in: "runs/r/inbox", prefix: "")
                try plant(tree, in: "runs/inbox", prefix: "r.")
            }
            let wanted = expected.flatMap { [$0.key, "r.\($0.key)"] }.sorted()
            try await tree.until("all are refused", watching: "r") {
                tree.refusals(in: "runs/r/inbox").keys.sorted() == wanted
            }
            for (file, kinds) in tree.refusals(in: "runs/r/inbox") {
                let name = file.hasPrefix("r.") ? String(file.dropFirst(2)) : file
                #expect(kinds == [expected[name]], "\(file)")
            }
            #expect(isAlive(daemon.processID))
            try tree.drop("yes\n", at: "runs/r/inbox/q.txt")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.names(in: "runs/r/inbox/.claimed") == [])
        #expect(tree.names(in: "runs/inbox/.claimed") == [])
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("junk in the common inbox is refused, and requests behind it are started")
    func junk() async throws {
        let tree = try ScratchTree(["workflows/ask.yaml": Self.workflow])
        try await tree.withDaemon { daemon in
            mkfifo(tree["runs/inbox/fifo"].path(), 0o600)
            symlink("/dev/zero", tree["runs/inbox/zero.json"].path())
            mkdir(tree["runs/inbox/folder"].path(), 0o700)
            tree.make([0xFF, 0x0A], in: "runs/inbox") { open($0, O_CREAT | O_WRONLY, 0o600) }
            try tree.drop("yes", at: "runs/inbox/nobody.q.txt")
            try tree.drop(#"{"workflow":"ask","id":"r"}"#, at: "runs/inbox/start.json")
            try await tree.untilWaiting("r", for: "q")
            for (file, kind) in [
                ("fifo", "type"), ("zero.json", "type"), ("folder", "type"), ("nobody.q.txt", "unknown-run"),
            ] {
                let found = try await tree.untilRefused(file)
                #expect(found == kind, "\(file)")
            }
            #expect(try await tree.untilRefused("%FF%0A") != "")
            #expect(isAlive(daemon.processID))
        }
    }
}
