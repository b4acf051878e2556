import Foundation
import Testing
import WaybillCore

/// What is damaged is explained, what can be brought back is, and nothing is given up unasked.
@Suite("Repairs")
struct RepairTests {
    private static let workflow = """
        kind: Workflow
        name: small
        steps:
          - {id: say, run: [echo, hello], output: text}
          - {id: ask, ask: {prompt: "Go?", approval: true}}
        """
    private let ledger = "runs/r/ledger.jsonl"

    /// A run that waits, or one that ended.
    private func tree(ended: Bool) async throws -> ScratchTree {
        let tree = try ScratchTree(["workflows/small.yaml": Self.workflow])
        try await tree.expect(3, "run", "small", "--id", "r")
        if ended { try await tree.expect(0, "approve", "r", "ask") }
        return tree
    }

    @Test("a sound run needs none, and one without its glance gets it back")
    func sound() async throws {
        let tree = try await tree(ended: true)
        #expect(try await tree.expect(0, "repair", "r").output.contains("nothing is to be done"))
        let glance = tree.bytes("runs/r/run.json")
        try FileManager.default.removeItem(at: tree["runs/r/run.json"])
        #expect(try await tree.expect(1, "repair", "r").output.contains("add --yes"))
        #expect(!tree.exists("runs/r/run.json"))
        try await tree.expect(0, "repair", "r", "--yes")
        #expect(tree.bytes("runs/r/run.json") == glance)
    }

    @Test("the doctor names a quarantined run, and the repair that explains it")
    func doctor() async throws {
        let tree = try await tree(ended: false)
        try tree.edit(ledger) { $0.removeLast(2) }
        try await tree.expect(1, "reconcile")
        #expect(tree.status("r") == "quarantined")
        let doctor = try await tree.expect(1, "doctor")
        #expect(doctor.output.contains("1 run set aside, as the ledger cannot be trusted: r"))
        #expect(doctor.output.contains("waybill repair <run>"))
    }

    @Test("a cut ledger comes back from a backup that holds all that is known, and from no other")
    func backup() async throws {
        let tree = try await tree(ended: false)
        try tree.write(tree.lines(ledger).map { $0 + "\n" }.joined(), to: "early.jsonl")
        try await tree.expect(0, "approve", "r", "ask")
        let whole = try #require(tree.bytes(ledger))
        try tree.write(String(decoding: whole, as: UTF8.self), to: "backup.jsonl")
        let cut = Array(whole.prefix(whole.count / 2))
        try tree.write(String(decoding: cut, as: UTF8.self), to: ledger)
        #expect(try await tree.expect(1, "repair", "r", "--from", "early.jsonl").output.contains("no safe remedy"))
        let planned = try await tree.expect(1, "repair", "r", "--from", "backup.jsonl")
        #expect(planned.output.contains("the journal knows entry"))
        #expect(planned.output.contains("put back what backup.jsonl holds"))
        #expect(tree.bytes(ledger) == cut, "a dry run changes nothing")
        try await tree.expect(0, "repair", "r", "--from", "backup.jsonl", "--yes")
        #expect(tree.bytes(ledger) == whole)
        #expect(tree.bytes("runs/r/damaged/1/ledger.jsonl") == cut, "the bytes as they were are kept")
        try await tree.expect(0, "verify", "--deep")
        #expect(tree.lines("runs/journal.jsonl").contains { $0.contains(#""type":"RUN_REPAIRED""#) })
    }

    @Test("a tail that was saved aside is put back where it fits")
    func savedTail() async throws {
        let tree = try await tree(ended: true)
        let whole = try #require(tree.bytes(ledger))
        let lines = tree.lines(ledger)
        let answer = try #require(try tree.types("r").firstIndex(of: "ANSWER_ACCEPTED"))
        try tree.write(lines[..<answer].map { $0 + "\n" }.joined(), to: ledger)
        try tree.write(lines[answer...].map { $0 + "\n" }.joined(), to: "runs/r/ledger.torn.1")
        try await tree.expect(0, "repair", "r", "--yes")
        #expect(tree.bytes(ledger) == whole)
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("a loss is accepted by name only; then it is recorded, and the run waits for somebody")
    func loss() async throws {
        let tree = try await tree(ended: true)
        let before = tree.bytes(ledger)
        let answer = try #require(try tree.types("r").firstIndex(of: "ANSWER_ACCEPTED"))
        try tree.edit(ledger) { $0.removeLast($0.count - answer) }
        let cut = tree.bytes(ledger)
        let refused = try await tree.expect(1, "repair", "r", "--yes")
        #expect(refused.output.contains("no safe remedy"))
        #expect(tree.bytes(ledger) == cut)
        try await tree.expect(1, "repair", "r", "--accept-loss")
        #expect(tree.bytes(ledger) == cut, "without --yes nothing is changed")
        try await tree.expect(0, "repair", "r", "--accept-loss", "--yes")
        #expect(tree.bytes("runs/r/damaged/1/ledger.jsonl") == cut)
        #expect(tree.exists("runs/r/damaged/1/run.json"))
        let repaired = try #require(try tree.ledger("r").first { $0["type"] == "REPAIRED" })
        let lost = repaired.member("data")?.member("lost")?.listValue?.compactMap { $0.member("source")?.stringValue }
        #expect(lost == ["the journal", "run.json"])
        #expect(tree.status("r") == "paused")
        try await tree.expect(0, "verify", "--deep")
        try await tree.expect(0, "resume", "r")
        try await tree.expect(0, "approve", "r", "ask")
        try await tree.expect(0, "verify", "--deep")
        #expect(tree.status("r") == "completed")
        #expect(tree.bytes(ledger) != before)
    }

    @Test("a changed definition is explained, and left to its owner")
    func definition() async throws {
        let tree = try await tree(ended: false)
        try tree.write("kind: Workflow\n", to: "runs/r/definition/workflows/small.yaml")
        let refused = try await tree.expect(1, "repair", "r", "--accept-loss", "--yes")
        #expect(refused.output.contains("put definition/ back"))
    }

    @Test("a run that somebody works on is left alone")
    func busy() async throws {
        let tree = try ScratchTree([
            "workflows/slow.yaml": """
            kind: Workflow
            name: slow
            steps:
              - {id: wait, run: "until [ -e go ]; do sleep 0.05; done"}
            """
        ])
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "slow", "--id", "r")
            try await tree.untilStatus("r", "running")
            try await tree.expect(75, "repair", "r")
            try tree.write("", to: "go")
            try await tree.untilStatus("r", "completed")
        }
    }
}
