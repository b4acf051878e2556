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

    @Test("files that came to a run at its end are refused by the next daemon, though the disk fails when it looks")
    func endedInboxOnFailingDisk() {
        let place = Violation.Place(operation: 703, crash: .kill, isTorn: true)
        expectNone(Simulation(Workload(seed: 9_071), only: place))
    }

    @Test(
        "whatever two daemons share, a broken unlock, a clock set back by years, lost notifications: all of it ends",
        arguments: [
            // A lock that could not be given back kept the other daemon out for ever.
            (18, 243, Crash.power),
            // Passes waited for the time that the clock had shown before it was set back.
            (14, 189, .power),
            // A notification was lost, and nobody ever looked into an inbox that was watched.
            (508, 1_408, .power),
            // The other daemon was killed while it wrote a checkpoint.
            (500, 450, .one),
            // A command was killed between its run's folder and the journal.
            (20, 345, .one),
            // A file that came before its run, and one that came after its end, each got a second receipt.
            (1_198, 473, .kill), (4, 483, .kill),
            // A checkpoint that the disk refused was forgotten behind a later one.
            (1_124, 299, .kill),
            // A claim for a run that ended just then was forgotten; nobody restored what another daemon owed.
            (1_107, 407, .one), (1_077, 977, .one),
            // An answer that was ripe woke its run again and again, and let nothing else have its turn.
            (1_398, 98, .power),
            // What was known of the journal was gone with a lock that could not be given back.
            (3_030, 398, .power),
            // A checkpoint was written behind one that the disk had refused.
            (9_057, 387, .kill),
            // Files that came to a run at its end were passed over, as `run.json` was newer.
            (20_116, 390, .kill), (20_054, 1_334, .one),
            // The power took back the journal's name, and all that was in it.
            (20_169, 27, .kill),
            // A claim that had been refused before its run was asked for waited for that run, and was accepted.
            (60_008, 313, .kill),
            // A snapshot that the power had torn could not be written at once, and never was.
            (20_229, 630, .power),
            // The power took back the name of a ledger's copy, and all that was in it.
            (20_252, 1_212, .power),
            // What a driver was woken for was forgotten when it had just come to rest and could not be opened then.
            (30_078, 878, .one), (3_018, 127, .power),
            // A claim was judged twice, as one that was known and as one that was found.
            (30_217, 97, .one),
            // A run that had ended just before the clock was set forward was not looked at after a power loss.
            (50_295, 2_255, .kill),
            // Who made `.claimed/` was killed before its name was durable, and the power took what was claimed next.
            (214, 266, .kill),
            // These the simulation itself took for mistakes: a process that was killed before its sync, which lost
            // nothing, and what a clock that was set back had put off twice.
            (61_046, 566, .one), (61_058, 418, .kill), (64_122, 1_023, .power),
        ])
    func shared(seed: UInt64, operation: Int, crash: Crash) {
        let place = Violation.Place(operation: operation, crash: crash, isTorn: false)
        expectNone(Simulation(Workload(seed: seed), only: place))
    }

    private func expectNone(_ simulation: Simulation, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(simulation.run().violations.map(\.description) == [], sourceLocation: sourceLocation)
    }
}
