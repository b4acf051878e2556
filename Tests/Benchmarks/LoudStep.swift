import SystemPackage
import WaybillCore

/// What a step that prints far more than its log may hold costs those that look after it.
enum LoudStep {
    private static let printedBytes = 1 << 30
    /// Logs are cut there unless something else is said.
    private static let keptBytes = 64 << 20
    /// Megabytes, of 10^6 bytes.
    private static let most = 50.0

    /// The step lives on after its last byte, so that its monitor can be found.
    private static let manifest = """
        kind: Workflow
        name: bench
        steps:
          - id: print
            run: "head -c \(printedBytes) /dev/zero; : > printed; while [ ! -e go ]; do sleep 0.05; done"
        """

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let tree = try BenchTree(at: bench.path("output"), manifest: manifest)
        defer { bench.remove(tree.root) }
        let run = try tree.start(1)[0]
        let daemon = try Daemon(bench, root: tree.root)
        let peaks: (daemon: Int, monitor: Int)
        do {
            peaks = try follow(daemon, tree, tree.root.at("runs/\(run.text)"))
        } catch {
            try? daemon.stop()
            throw error
        }
        try daemon.stop()
        return [
            Figure(name: "daemon, at most", unit: "MB", samples: [megabytes(peaks.daemon)]),
            Figure(name: "monitor, at most", unit: "MB", samples: [megabytes(peaks.monitor)]),
            Figure(
                name: "both", unit: "MB", samples: [megabytes(peaks.daemon + peaks.monitor)], bar: .atMost(most)),
        ]
    }

    private static func megabytes(_ bytes: Int) -> Double { Double(bytes) / 1e6 }

    /// Both until the step has ended: a monitor without an attempt stays for the next one.
    private static func follow(
        _ daemon: Daemon, _ tree: BenchTree, _ run: FilePath
    ) throws -> (daemon: Int, monitor: Int) {
        let attempt = run.at("steps/print/1.1")
        try Daemon.until("all is printed") { PlainFile.exists(tree.root.at("printed")) }
        guard let monitor = number("monitor", in: attempt.at("monitor.lock")) else {
            throw BenchmarkError(description: "the step has no monitor")
        }
        try PlainFile.write([], to: tree.root.at("go"))
        try Daemon.until("the run has ended") {
            record(run.at("run.json"))?["status"]?.stringValue == "completed"
        }
        let kept = PlainFile.size(attempt.at("stdout.log"))
        let dropped = record(attempt.at("exit.json"))?["droppedBytes"]?["stdout"]?.intValue
        guard kept == keptBytes, dropped == Int64(printedBytes - keptBytes) else {
            throw BenchmarkError(description: "\(kept) bytes were kept and \(dropped ?? 0) dropped")
        }
        return (try daemon.peakBytes(), try Daemon.bytes("VmHWM", of: Int32(monitor)))
    }

    private static func number(_ member: String, in file: FilePath) -> Int64? { record(file)?[member]?.intValue }

    /// Nil if it is missing or, for a moment, not whole.
    private static func record(_ file: FilePath) -> Value? {
        PlainFile.text(file).flatMap { try? JSON.parse(Array($0.utf8)) }
    }
}
