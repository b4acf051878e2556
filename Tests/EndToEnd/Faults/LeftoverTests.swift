import Foundation
import Glibc
import Testing
import WaybillCore

/// What a process had taken in hand when it died, and what the next one makes of it.
@Suite("Claimed files that were left over")
struct LeftoverTests {
    private static let workflow = """
        kind: Workflow
        name: ask
        steps:
          - {id: q, ask: {prompt: ship, choices: ["yes", "no"], timeout: 5s, default: "no"}}
          - {id: more, ask: {prompt: more, choices: [go]}}
        outputs: {answer: "${{ steps.q.output }}"}
        """

    private func tree() throws -> ScratchTree { try ScratchTree(["workflows/ask.yaml": Self.workflow]) }

    /// The name of a claimed file, which carries when the file changed before the claim.
    private func claimed(_ name: String, _ changedAt: Timestamp) -> String {
        ".claimed/\(changedAt.microseconds).0~\(name)"
    }

    @Test("a claimed start request starts the run it was named after, once")
    func request() async throws {
        let tree = try tree()
        try tree.write(#"{"workflow":"ask"}"#, to: "runs/inbox/.claimed/ask-20261120T101500-7k3f9q.json")
        try await tree.expect(3, "reconcile")
        #expect(tree.status("ask-20261120T101500-7k3f9q") == "waiting")
        try tree.write(#"{"workflow":"ask"}"#, to: "runs/inbox/.claimed/ask-20261120T101500-7k3f9q.json")
        try await tree.expect(3, "reconcile")
        #expect(tree.names(in: "runs").filter { $0.hasPrefix("ask-") }.count == 1)
        #expect(tree.names(in: "runs/inbox/.claimed") == [])
    }

    @Test(
        "an answer that was claimed before the deadline counts after it, from either door",
        arguments: ["runs/r/inbox q.txt", "runs/inbox r.q.txt"])
    func inTime(place: String) async throws {
        let tree = try tree()
        try await tree.expect(3, "run", "ask", "--id", "r")
        let until = try #require(tree.member("runs/r/waits/q.json", "until")?.stringValue)
        let deadline = try #require(Timestamp(rfc3339: until))
        let parts = place.split(separator: " ").map(String.init)
        try tree.write("yes", to: "\(parts[0])/" + claimed(parts[1], deadline - .seconds(1)))
        try await tree.untilPassed(deadline)
        try await tree.withDaemon { _ in try await tree.untilWaiting("r", for: "more") }
        try tree.drop("go", at: "runs/r/inbox/more.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.member("runs/r/run.json", "outputs", "answer") == .string("yes"))
        #expect(tree.names(in: "\(parts[0])/.claimed") == [])
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("a control file whose entry was written is not carried out again")
    func recorded() async throws {
        let tree = try tree()
        try await tree.expect(3, "run", "ask", "--id", "r")
        try await tree.expect(0, "pause", "r")
        try await tree.expect(0, "resume", "r")
        for entry in try tree.ledger("r") where entry["type"]?.stringValue == "ANSWER_ACCEPTED" {
            let data = try #require(entry["data"])
            let changedAt = try #require(data["changedAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) })
            let file = try #require(data["file"]?.stringValue)
            try tree.write(data["bytes"]?.stringValue ?? "", to: "runs/r/inbox/" + claimed(file, changedAt))
        }
        #expect(tree.names(in: "runs/r/inbox/.claimed").count == 2)
        try FileManager.default.removeItem(at: tree["runs/r/inbox/accepted"])
        let before = try tree.count("ANSWER_ACCEPTED", of: "r")
        _ = try await tree.waybill("reconcile")
        #expect(try tree.count("ANSWER_ACCEPTED", of: "r") == before)
        #expect(try tree.count("ANSWER_REJECTED", of: "r") == 0)
        #expect(tree.names(in: "runs/r/inbox/.claimed") == [])
        #expect(tree.names(in: "runs/r/inbox/accepted").count == 4)
    }

    @Test("a second daemon takes the common door over from one that died")
    func takeOver() async throws {
        let tree = try tree()
        let first = try await tree.startDaemon()
        try await tree.withDaemon { _ in
            await first.kill()
            try tree.drop(#"{"workflow":"ask","id":"r"}"#, at: "runs/inbox/start.json")
            try await tree.untilWaiting("r", for: "q")
            try tree.drop("yes", at: "runs/inbox/r.q.txt")
            try await tree.untilWaiting("r", for: "more")
        }
    }

    @Test("a daemon's start makes deleted projections anew, byte for byte")
    func projections() async throws {
        let tree = try tree()
        try await tree.expect(3, "run", "ask", "--id", "waiting")
        try await tree.expect(3, "run", "ask", "--id", "ended")
        try await tree.expect(0, "snapshot", "waiting", "--name", "here")
        try tree.drop("no", at: "runs/ended/inbox/q.txt")
        try tree.drop("go", at: "runs/ended/inbox/more.txt")
        try tree.drop("yes", at: "runs/waiting/inbox/q.txt")
        try await tree.expect(3, "reconcile")
        let before = all(tree)
        #expect(tree.status("ended") == "completed")
        #expect(before.count > 12)
        for path in before.keys { try FileManager.default.removeItem(at: tree[path]) }
        try await tree.withDaemon { _ in
            try await tree.untilStatus("ended", "completed")
            try await tree.untilStatus("waiting", "waiting")
        }
        let after = all(tree)
        #expect(after.keys.sorted() == before.keys.sorted())
        for (path, bytes) in before { #expect(after[path] == bytes, "\(path) differs") }
    }

    private func all(_ tree: ScratchTree) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for run in ["waiting", "ended"] {
            found["runs/\(run)/run.json"] = tree.bytes("runs/\(run)/run.json")
            for folder in ["waits", "checkpoints", "snapshots", "inbox/accepted"] {
                for name in tree.names(in: "runs/\(run)/\(folder)") {
                    found["runs/\(run)/\(folder)/\(name)"] = tree.bytes("runs/\(run)/\(folder)/\(name)")
                }
            }
        }
        return found
    }
}
