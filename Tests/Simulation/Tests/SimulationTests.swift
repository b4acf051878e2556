import Simulation
import Testing

/// The simulated world itself, and the workloads that every change is checked with.
@Suite("Simulated crashes")
struct SimulationTests {
    @Test(
        "at every operation of the reference workload daemons are killed and the power fails, and all promises hold",
        arguments: 0..<Workload.referenceCount)
    func everyOperation(story: Int) {
        let tally = Simulation(Workload.reference(story)).run()
        #expect(tally.violations.map(\.description) == [])
        // Every operation is a crash point unless nothing has changed since the one before.
        #expect(tally.crashes > tally.operations / 2)
    }

    @Test("a seed gives the same operations again, byte for byte", arguments: [3, 14, 25, 36] as [UInt64])
    func sameSeed(seed: UInt64) {
        func trace() -> [String] {
            var lines: [String] = []
            _ = Simulation(Workload(seed: seed), hasCrashes: false) { lines.append($0) }.run()
            return lines
        }
        let first = trace()
        #expect(first.count > 50)
        #expect(first == trace())
    }
}
