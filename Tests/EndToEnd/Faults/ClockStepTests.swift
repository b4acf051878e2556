import Foundation
import Testing
import WaybillCore

/// A clock that is set while a daemon runs: that of its process alone, as the machine's serves others too.
@Suite("A clock that is set", .serialized)
struct ClockStepTests {
    private static let files = [
        "workflows/later.yaml": """
        kind: Workflow
        name: later
        steps:
          - {id: hour, wait: {for: 1h}}
          - {id: mark, run: "echo later >> marks"}
        ---
        kind: Workflow
        name: asking
        steps:
          - {id: approve, ask: {prompt: Go?, choices: [go]}}
          - {id: mark, run: "echo answered >> marks"}
        """
    ]

    private func times(_ tree: ScratchTree, _ run: String) throws -> [Timestamp] {
        try tree.ledger(run).compactMap { $0["ts"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } }
    }

    @Test("forwards brings what became due, at once and only once, and leaves what is not")
    func forwards() async throws {
        let tree = try ScratchTree(Self.files)
        let daemon = try await tree.startFaultyDaemon()
        #expect(try await tree.faultyWaybill("run", "later", "--id", "r").status == 0)
        try await tree.untilWaiting("r", for: "hour")
        try tree.fail(["clock 3000 1"])
        // What is started and done after the step shows that the daemon has seen the new time.
        #expect(try await tree.faultyWaybill("run", "asking", "--id", "a").status == 0)
        try tree.drop("go", at: "runs/a/inbox/approve.txt")
        try await tree.untilStatus("a", "completed")
        #expect(tree.status("r") == "waiting")
        try tree.fail(["clock 3700 2"])
        try await tree.untilStatus("r", "completed")
        await daemon.stop()
        #expect(tree.lines("marks") == ["answered", "later"])
        let times = try times(tree, "r")
        #expect(times == times.sorted())
        #expect(try #require(times.last) - times[0] >= .seconds(3_600))
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("back dates nothing before what was written, moves no deadline, and is named")
    func backwards() async throws {
        let tree = try ScratchTree(Self.files)
        let daemon = try await tree.startFaultyDaemon()
        #expect(try await tree.faultyWaybill("run", "later", "--id", "r").status == 0)
        #expect(try await tree.faultyWaybill("run", "asking", "--id", "a").status == 0)
        try await tree.untilWaiting("r", for: "hour")
        try await tree.untilWaiting("a", for: "approve")
        try tree.fail(["clock -7200 1"])
        try tree.drop("go", at: "runs/a/inbox/approve.txt")
        try await tree.untilStatus("a", "completed")
        let times = try times(tree, "a")
        #expect(times == times.sorted())
        let doctor = try await tree.faultyWaybill("doctor")
        #expect(doctor.status == 1)
        #expect(doctor.lines.contains { $0.contains("behind the newest entry") }, "\(doctor)")
        // The deadline is where it was: an hour after the beginning, by a clock that was set right.
        try tree.fail(["clock 0 2"])
        try tree.fail(["clock 3700 3"])
        try await tree.untilStatus("r", "completed")
        await daemon.stop()
        #expect(tree.lines("marks") == ["answered", "later"])
        try await tree.expect(0, "verify", "--deep")
    }
}
