import Foundation
import Glibc
import Testing
import WaybillCore

/// More files than anybody can want to be looked at.
@Suite("Floods of junk")
struct JunkTests {
    /// WAYBILL_FLOOD=100000 makes it as bad as can be; that takes minutes.
    private static let count = ProcessInfo.processInfo.environment["WAYBILL_FLOOD"].flatMap { Int($0) } ?? 2_000
    private static let workflow = """
        kind: Workflow
        name: ask
        steps:
          - {id: q, ask: {prompt: go, choices: ["yes", "no"]}}
        outputs: {answer: "${{ steps.q.output }}"}
        """

    private func flood(_ tree: ScratchTree, _ folder: String, prefix: String) {
        for number in 0..<Self.count {
            let path = tree["\(folder)/\(prefix)\(number).json"].path()
            close(open(path, O_CREAT | O_WRONLY, 0o600))
        }
    }

    /// The most memory that a process had, in MiB.
    private func peak(_ process: pid_t) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 / 1_024 } ?? .max
    }

    /// How many files entries of a type say of, those that are only counted included.
    private func told(_ entries: [Value], _ type: String) -> Int {
        entries.filter { $0["type"]?.stringValue == type }
            .reduce(0) { $0 + Int($1["data"]?["count"]?.intValue ?? 1) }
    }

    @Test(
        "thousands of files in a run's inbox: the run goes on as soon as it is answered, and all of them are accounted for"
    )
    func ownInbox() async throws {
        let tree = try ScratchTree(["workflows/ask.yaml": Self.workflow])
        try await tree.expect(3, "run", "ask", "--id", "r")
        flood(tree, "runs/r/inbox", prefix: "junk")
        try await tree.withDaemon { daemon in
            try await tree.until("junk is being refused", watching: "r") {
                try tree.types("r").contains("ANSWER_REJECTED")
            }
            try tree.drop("yes\n", at: "runs/r/inbox/q.txt")
            try await tree.until("r is completed", watching: "r", limit: .seconds(300)) {
                tree.status("r") == "completed"
            }
            let before = try tree.ledger("r").prefix { $0["type"]?.stringValue != "ANSWER_ACCEPTED" }
            #expect(told(Array(before), "ANSWER_REJECTED") < Self.count)
            try await tree.until("the rest is refused", watching: "r", limit: .seconds(300)) {
                tree.lines("runs/journal.jsonl").contains { $0.contains("RUN_ENDED") }
            }
            #expect(peak(daemon.processID) < 256)
        }
        let journal = try tree.lines("runs/journal.jsonl").map { try JSON.parse([UInt8]($0.utf8)) }
        let refused = told(try tree.ledger("r"), "ANSWER_REJECTED") + told(journal, "ANSWER_REFUSED")
        #expect(refused == Self.count)
        #expect(tree.names(in: "runs/r/inbox/rejected").count <= 2_000)
        #expect(tree.names(in: "runs/r/inbox").filter { $0.hasPrefix("junk") } == [])
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("thousands of files in the common inbox: requests and answers between them are taken at once")
    func commonInbox() async throws {
        let tree = try ScratchTree(["workflows/ask.yaml": Self.workflow])
        flood(tree, "runs/inbox", prefix: "junk")
        try await tree.withDaemon { daemon in
            try tree.drop(#"{"workflow":"ask","id":"r"}"#, at: "runs/inbox/start.json")
            try await tree.until("r asks", watching: "r", limit: .seconds(300)) { tree.exists("runs/r/waits/q.json") }
            try tree.drop("yes\n", at: "runs/inbox/r.q.txt")
            try await tree.until("r is completed", watching: "r", limit: .seconds(300)) {
                tree.status("r") == "completed"
            }
            try await tree.until("the rest is refused", watching: "r", limit: .seconds(300)) {
                !tree.names(in: "runs/inbox").contains { $0.hasPrefix("junk") }
            }
            #expect(peak(daemon.processID) < 256)
        }
        #expect(tree.names(in: "runs/inbox/rejected").count <= 2_000)
        try await tree.expect(0, "reconcile")
        try await tree.expect(0, "verify", "--deep")
    }
}
