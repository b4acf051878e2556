import Foundation
import Testing
import WaybillCore

/// A ledger that is not what it was: that run is set aside, the others go on.
@Suite("Damaged ledgers")
struct LedgerFaultTests {
    private static let workflow = """
        kind: Workflow
        name: small
        steps:
          - {id: one, set: {n: 1}}
          - {id: mark, snapshot: {name: half}}
          - {id: ask, ask: {prompt: go, choices: [go]}}
        """

    /// What is done to the lines of a ledger.
    enum Damage: String, CaseIterable {
        case edited, truncated, reordered, emptied

        func apply(_ lines: [String]) -> [String] {
            var lines = lines
            switch self {
            case .edited: lines[1] = lines[1].replacingOccurrences(of: "\"one\"", with: "\"two\"")
            case .truncated: lines.removeLast()
            case .reordered: lines.swapAt(1, 2)
            case .emptied: lines = []
            }
            return lines
        }

        /// The first entry that is not what it should be.
        func entry(of count: Int) -> Int {
            switch self {
            case .edited: 3
            case .truncated: count
            case .reordered: 2
            case .emptied: 1
            }
        }
    }

    private func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    @Test(
        "the damage is named, the run is set aside until it is restored, and the others go on",
        arguments: Damage.allCases)
    func damaged(damage: Damage) async throws {
        let tree = try ScratchTree(["workflows/small.yaml": Self.workflow])
        try await tree.expect(3, "run", "small", "--id", "bad")
        try await tree.expect(3, "run", "small", "--id", "good")
        let whole = tree.lines("runs/bad/ledger.jsonl")
        let head = tree.member("runs/bad/run.json", "ledger")
        try tree.write(text(damage.apply(whole)), to: "runs/bad/ledger.jsonl")
        // Without a checkpoint the whole ledger is folded.
        try FileManager.default.removeItem(at: tree["runs/bad/checkpoints"])
        try await tree.withDaemon { _ in
            try await tree.untilStatus("bad", "quarantined")
            let reason = tree.member("runs/bad/run.json", "quarantine")?.stringValue ?? ""
            #expect(reason.contains("entry \(damage.entry(of: whole.count))"), "\(reason)")
            #expect(tree.member("runs/bad/run.json", "ledger") == head)
            try tree.drop("go", at: "runs/good/inbox/ask.txt")
            try await tree.untilStatus("good", "completed")
            // An answer is no reason to believe the ledger, and waits.
            try tree.drop("go", at: "runs/bad/inbox/ask.txt")
            try tree.drop(text(whole), at: "runs/bad/ledger.jsonl")
            try tree.drop("go", at: "runs/bad/inbox/ask--again.txt")
            try await tree.untilStatus("bad", "completed")
        }
        try await tree.expect(0, "verify", "bad", "--deep")
    }

    @Test("a torn last line is saved beside the ledger and cut, and the run goes on")
    func torn() async throws {
        let tree = try ScratchTree(["workflows/small.yaml": Self.workflow])
        try await tree.expect(3, "run", "small", "--id", "r")
        let whole = tree.lines("runs/r/ledger.jsonl")
        try tree.write(text(whole) + "{\"seq\":99,\"ts\":\"20", to: "runs/r/ledger.jsonl")
        try tree.drop("go", at: "runs/r/inbox/ask.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("r") == "completed")
        #expect(tree.lines("runs/r/ledger.torn.1") == ["{\"seq\":99,\"ts\":\"20"])
        #expect(Array(tree.lines("runs/r/ledger.jsonl").prefix(whole.count)) == whole)
    }

    @Test("a newest checkpoint that was changed is passed over, and made anew")
    func checkpoint() async throws {
        let tree = try ScratchTree(["workflows/small.yaml": Self.workflow])
        try await tree.expect(3, "run", "small", "--id", "r")
        let newest = try #require(tree.names(in: "runs/r/checkpoints").max { $0.count < $1.count || $0 < $1 })
        let path = "runs/r/checkpoints/\(newest)"
        let before = try #require(tree.bytes(path))
        let changed = String(decoding: before, as: UTF8.self).replacingOccurrences(of: "\"n\": 1", with: "\"n\": 2")
        try tree.write(changed + " ", to: path)
        try await tree.expect(3, "reconcile")
        #expect(tree.bytes(path) == before)
        try tree.drop("go", at: "runs/r/inbox/ask.txt")
        try await tree.expect(0, "reconcile")
        try await tree.expect(0, "verify", "--deep")
    }
}
