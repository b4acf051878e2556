import Simulation
import Testing

/// The simulated world itself, and the workloads that every change is checked with.
@Suite("Simulated crashes")
struct SimulationTests {
    /// One operation of so many, so that it takes seconds; `make simulate` looks into every one.
    private static let every = 27
    /// Stories in which some crash points still break a promise.
    private static let open: Set = [1, 2, 3, 6]

    @Test(
        "all through the reference workload daemons are killed and the power fails, and all promises hold",
        arguments: 0..<Workload.referenceCount)
    func operations(story: Int) {
        let tally = Simulation(Workload.reference(story), every: Self.every).run()
        if Self.open.contains(story) {
            // The page on simulation says what is known about them.
            withKnownIssue(isIntermittent: true) { #expect(tally.violations.map(\.description) == []) }
        } else {
            #expect(tally.violations.map(\.description) == [])
        }
        // Operations are crash points unless nothing has changed since the one before.
        #expect(tally.crashes > tally.operations / (2 * Self.every))
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
        // Not all of the runtime is driven by the seed yet.
        withKnownIssue(isIntermittent: true) { #expect(first == trace()) }
    }
}
