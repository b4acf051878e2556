import Simulation
import Testing

/// The workload that every change is checked with.
@Suite("Simulated crashes")
struct SimulationTests {
    /// One operation of so many, so that it takes seconds; `make test` looks into every one, with the optimised build.
    private static let every = 89

    @Test(
        "all through the reference workload daemons are killed and the power fails, and all promises hold",
        arguments: 0..<Workload.referenceCount)
    func operations(story: Int) {
        let tally = Simulation(Workload.reference(story), every: Self.every).run()
        #expect(tally.violations.map(\.description) == [])
        // Operations are crash points unless nothing has changed since the one before.
        #expect(tally.crashes > tally.operations / (2 * Self.every))
    }
}
