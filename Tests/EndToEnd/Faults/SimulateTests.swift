import Foundation
import Testing

/// The command that repeats what `make simulate` found.
@Suite("The command that simulates crashes")
struct SimulateTests {
    @Test("a seed gives the same operations again, one for one", arguments: [3, 14, 25, 36])
    func sameSeed(seed: Int) async throws {
        let tree = try ScratchTree()
        let simulate = Waybill.binary.deletingLastPathComponent().appending(path: "simulate")
        func trace(_ number: Int) async throws -> [String] {
            let finished = try await RunningCommand(
                simulate, ["--seed", "\(seed)", "--operation", "0", "--trace"], in: tree.root,
                outputs: tree[".outputs/simulate-\(number)"]
            ).finish()
            #expect(finished.status == 0 && !finished.signalled, "\(finished)")
            return finished.lines
        }
        let first = try await trace(1)
        #expect(first.count > 50)
        #expect(try await trace(2) == first)
    }
}
