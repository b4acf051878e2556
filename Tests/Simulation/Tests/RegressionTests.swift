import Simulation
import Testing

/// Worlds in which something was wrong once; the table in the page on simulation says what.
@Suite("Worlds that found mistakes")
struct RegressionTests {
    @Test("a workflow that cannot be read for a moment is not unknown, and no claim is forgotten")
    func diskTroubleAtTheDoor() {
        expectNone(Simulation(Workload(seed: 1), hasCrashes: false))
    }

    @Test("a receipt that cannot be written is written later")
    func receiptAfterDiskTrouble() {
        let place = Violation.Place(operation: 10, crash: .kill, isTorn: false)
        expectNone(Simulation(Workload(seed: 2), only: place))
    }

    @Test("an answer that was refused before the power failed is in the journal")
    func refusalBeforePowerLoss() {
        let place = Violation.Place(operation: 34, crash: .power, isTorn: false)
        expectNone(Simulation(Workload(seed: 2), only: place))
    }

    private func expectNone(_ simulation: Simulation, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(simulation.run().violations.map(\.description) == [], sourceLocation: sourceLocation)
    }
}
