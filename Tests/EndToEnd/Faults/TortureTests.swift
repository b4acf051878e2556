import Foundation
import Testing

/// The small form of `make torture`: the same program, with the seed fixed.
@Suite("Runs whose processes are killed at random")
struct TortureTests {
    @Test("all end, and every completed step had its effect exactly once")
    func small() async throws {
        let tree = try ScratchTree()
        let torture = Waybill.binary.deletingLastPathComponent().appending(path: "torture")
        let finished = try await RunningCommand(
            torture,
            [
                "--runs", "40", "--kills", "30", "--at-once", "30", "--seed", "1", "--directory", tree.root.path(),
                "--waybill", Waybill.binary.path(),
            ], in: tree.root, outputs: tree[".outputs/torture"]
        ).finish(limit: 600)
        #expect(finished.status == 0 && !finished.signalled, "\(finished)")
        #expect(finished.lines.last?.hasPrefix("ok: ") == true, "\(finished)")
    }
}
