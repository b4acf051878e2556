import Foundation
import Glibc
import Testing

/// How a daemon hears that it is to end, and what it is while there is nothing to hear.
@Suite("A daemon between signals")
struct SignalTests {
    private static let files = [
        "workflows/ask.yaml": """
        kind: Workflow
        name: ask
        steps:
          - {id: wait, wait: {event: {type: go}}}
        """
    ]

    @Test("each signal that asks it to end ends it in order", arguments: [SIGTERM, SIGINT, SIGHUP])
    func end(signal: Int32) async throws {
        let tree = try ScratchTree(Self.files)
        // Whoever started the tests may have had some of them ignored.
        let daemon = try await tree.startDaemon(through: ["--default-signal=HUP,INT,TERM"])
        try await tree.expect(0, "run", "ask", "--id", "r")
        try await tree.untilStatus("r", "waiting")
        _ = kill(daemon.processID, signal)
        let finished = await daemon.finish()
        #expect(finished.status == 0 && !finished.signalled, "\(finished)")
        #expect(finished.errors.contains("stopped"), "\(finished)")
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("what `nohup` keeps from it does not end it")
    func nohup() async throws {
        let tree = try ScratchTree(Self.files)
        let daemon = try await tree.startDaemon(through: ["nohup"])
        _ = kill(daemon.processID, SIGHUP)
        try await tree.expect(0, "run", "ask", "--id", "r")
        try await tree.untilStatus("r", "waiting")
        try await tree.expect(0, "emit", "--type", "go")
        try await tree.untilStatus("r", "completed")
        let finished = await daemon.stop()
        #expect(finished.status == 0 && !finished.signalled, "\(finished)")
    }

    /// The pool of tasks has a timer that wakes its process every second, which costs more than a tree at rest does.
    @Test("it has no thread but those that somebody named, and sleeps in the kernel")
    func threads() async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.withDaemon { daemon in
            try await tree.expect(0, "run", "ask", "--id", "r")
            try await tree.untilStatus("r", "waiting")
            try await tree.expect(0, "emit", "--type", "go")
            try await tree.untilStatus("r", "completed")
            let tasks = "/proc/\(daemon.processID)/task"
            // One that has just been made has no name for a moment.
            try await tree.until("every thread but the first has a name") {
                let threads = try FileManager.default.contentsOfDirectory(atPath: tasks).compactMap {
                    try? String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8)
                }
                return threads.count { $0 == "waybill\n" } == 1
            }
        }
    }
}
