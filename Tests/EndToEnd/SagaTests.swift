import Testing
import WaybillCore

/// What was done is undone by real programs that write down what they did.
@Suite("Sagas", .serialized)
struct SagaTests {
    private static let workflow = """
        kind: Workflow
        name: saga
        files: ['*.sh']
        steps:
          - {id: reserve, run: [./do.sh, reserve], output: text, compensate: {run: [./undo.sh, reserve, "${{ output }}"]}}
          - {id: charge, run: [./do.sh, charge], output: text, compensate: {run: [./undo.sh, charge, "${{ output }}"]}}
          - {id: ship, run: [./do.sh, ship]}
        finally: [{id: close, run: [./do.sh, close]}]
        """

    private static let act = """
        #!/bin/sh
        set -eu
        echo "do $1" >> record
        [ "$1" != ship ] || exit 3
        echo "$1-id"
        """

    /// Stands still in the middle, once, where the test asks for it.
    private static let undo = """
        #!/bin/sh
        set -eu
        if [ -p "gate-$1" ] && [ ! -e "entered-$1" ]; then
            : > "entered-$1"
            timeout 30 cat "gate-$1" > /dev/null
        fi
        echo "undo $1 $2" >> record
        """

    private func tree() throws -> ScratchTree {
        try ScratchTree([
            "workflows/saga/saga.yaml": Self.workflow, "workflows/saga/do.sh": Self.act,
            "workflows/saga/undo.sh": Self.undo,
        ])
    }

    private static let whole = [
        "do reserve", "do charge", "do ship", "undo charge charge-id", "undo reserve reserve-id", "do close",
    ]

    @Test("a saga whose third step fails undoes the second and the first, and says so")
    func failing() async throws {
        let tree = try tree()
        try await tree.expect(1, "run", "saga", "--id", "r")
        #expect(tree.lines("record") == Self.whole)
        #expect(
            tree.member("runs/r/run.json", "compensation")
                == ["status": "completed", "compensated": ["charge", "reserve"], "standing": [], "final": []])
        #expect(tree.member("runs/r/run.json", "error", "step") == "ship")
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test(
        "at whatever entry the daemon dies, all is done and undone, and what completed is not done again",
        arguments: [4, 6, 8, 10, 11, 12, 13, 14, 15])
    func killedAt(entry: Int) async throws {
        let tree = try tree()
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "saga", "--id", "r")
        try await tree.until("entry \(entry) is written", watching: "r") {
            tree.lines("runs/r/ledger.jsonl").count >= entry || tree.status("r") == "failed"
        }
        await daemon.kill()
        try await tree.withDaemon { _ in try await tree.untilEnded("r", "failed") }
        let record = tree.lines("record")
        // An attempt that was cut off may have written its line; the one after it does again.
        #expect(record.enumerated().filter { $0 == 0 || record[$0 - 1] != $1 }.map(\.element) == Self.whole)
        for step in ["reserve", "charge", "ship", "reserve-compensate", "charge-compensate", "close"] {
            #expect(try tree.count("TASK_END", step, of: "r") == 1, "\(step)")
        }
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test(
        "a daemon and a monitor that die while it is undone: it goes on where it was: what is unknown is asked, the rest is undone once"
    )
    func killed() async throws {
        let tree = try tree()
        #expect(try await tree.run("mkfifo", "gate-charge").status == 0)
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "saga", "--id", "r")
        try await tree.until("the undoing of charge has begun", watching: "r") { tree.exists("entered-charge") }
        await daemon.kill()
        try tree.killMonitor(of: "charge-compensate/1.1", in: "r")
        try await tree.withDaemon { _ in
            try await tree.untilWaiting("r", for: "charge-compensate-unknown")
            try tree.drop("retry", at: "runs/r/inbox/charge-compensate-unknown.txt")
            try await tree.untilStatus("r", "failed")
        }
        #expect(tree.lines("record") == Self.whole)
        #expect(try tree.count("COMPENSATION", of: "r") == 2)
        try await tree.expect(0, "verify", "r", "--deep")
    }
}
