import Foundation
import Testing
import WaybillCore

/// The ledger is the truth: what follows from it can be deleted.
@Suite("Deleted projections")
struct ProjectionTests {
    private static let workflow = """
        kind: Workflow
        name: small
        inputs: {text: {type: string}}
        steps:
          - {id: say, run: [./say.sh, "${{ inputs.text }}"], output: text}
          - {id: mark, snapshot: {name: half, description: said, tags: [a]}}
          - {id: ask, ask: {prompt: "${{ steps.say.output }}?", schema: {type: integer}}}
          - {id: sum, set: {n: "${{ steps.ask.output + 1 }}"}}
        outputs: {n: "${{ steps.sum.output.n }}"}
        """

    /// Every projection of a run by path; logs and rejected files are records, and stay.
    private func projections(_ tree: ScratchTree) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        let places =
            ["run.json"]
            + ["waits", "checkpoints", "snapshots", "inbox/accepted"].flatMap { folder in
                tree.names(in: "runs/r/\(folder)").map { "\(folder)/\($0)" }
            }
        for place in places { found[place] = tree.bytes("runs/r/\(place)") }
        return found
    }

    private func deleteAndCompare(_ tree: ScratchTree, exit status: Int32) async throws {
        let before = projections(tree)
        #expect(before.keys.contains("run.json"))
        for path in before.keys { try FileManager.default.removeItem(at: tree["runs/r/\(path)"]) }
        try await tree.expect(status, "reconcile")
        let after = projections(tree)
        #expect(after.keys.sorted() == before.keys.sorted())
        for (path, bytes) in before { #expect(after[path] == bytes, "\(path) differs") }
    }

    @Test("they come back byte for byte, of a waiting and of an ended run")
    func rebuilt() async throws {
        let tree = try ScratchTree([
            "workflows/small.yaml": Self.workflow, "workflows/say.sh": "#!/bin/sh\nprintf '%s\\n' \"$1\"\n",
        ])
        try await tree.expect(3, "run", "small", "--id", "r", "--input", "text=à $b \"c\"")
        try await deleteAndCompare(tree, exit: 3)
        try tree.drop("41", at: "runs/r/inbox/ask.json")
        try await tree.expect(0, "reconcile")
        #expect(tree.member("runs/r/run.json", "outputs", "n") == .int(42))
        try await deleteAndCompare(tree, exit: 0)
        try await tree.expect(0, "verify", "--deep")
    }
}
