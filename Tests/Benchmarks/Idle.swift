import Glibc
import SystemPackage
import WaybillCore

/// What a daemon costs that has nothing to do: memory for each run that waits, and system calls between two passes.
enum Idle {
    /// Seconds within which a daemon has brought all runs to their waits, however slow the disk.
    private static let patience = 3_600.0
    /// Seconds from one pass to the next, and what the first one may be late by.
    private static let passInterval = 30.0
    private static let slack = 3.0
    private static let strace = "/usr/bin/strace"

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let count = bench.isQuick ? 1_000 : 100_000
        let crowd = try Crowd(at: bench.path("idle"))
        defer { bench.remove(crowd.tree.root) }
        let empty = try attend(crowd, bench) { Double(try $0.residentBytes()) }
        _ = try crowd.addStarted(count)
        let worked = try attend(crowd, bench) { Double(try $0.residentBytes()) }
        var quiet: [Figure] = []
        let restarted = try attend(crowd, bench) { daemon in
            let bytes = Double(try daemon.residentBytes())
            quiet = try silence(daemon, bench, name: "\(Text.count(count)) waiting runs")
            return bytes
        }
        func figure(_ name: String, _ bytes: Double) -> Figure {
            Figure(
                name: "memory for one of \(Text.count(count)) waiting runs, \(name)", unit: "bytes",
                samples: [(bytes - empty) / Double(count)],
                // What the threads keep, however many runs there are, is too much for a few.
                bar: bench.isQuick ? nil : .atMost(2_048))
        }
        return [figure("just brought there", worked), figure("after a restart", restarted)] + quiet
    }

    private static func attend<Result>(
        _ crowd: Crowd, _ bench: Workbench, _ body: (Daemon) throws -> Result
    ) throws -> Result {
        let daemon = try Daemon(bench, root: crowd.tree.root)
        do {
            try daemon.until(says: Daemon.ready, within: patience)
            try daemon.untilIdle()
            let result = try body(daemon)
            try daemon.stop()
            return result
        } catch {
            try? daemon.stop()
            throw error
        }
    }

    /// Context switches and system calls of some seconds between two passes.
    private static func silence(_ daemon: Daemon, _ bench: Workbench, name: String) throws -> [Figure] {
        let seconds: Int32 = bench.isQuick ? 5 : 15
        try untilPassed(1, daemon)
        let before = try daemon.contextSwitches()
        Daemon.rest(milliseconds: seconds * 1_000)
        let switches = try daemon.contextSwitches().reduce(0) { $0 + $1.value - (before[$1.key] ?? 0) }
        var figures = [
            Figure(
                name: "context switches in \(seconds) s, \(name)", unit: "", samples: [Double(switches)],
                bar: .atMost(0))
        ]
        guard PlainFile.exists(FilePath(strace)) else { return figures }
        try untilPassed(2, daemon)
        let trace = bench.path("strace")
        let tracer = try PlainProcess([strace, "-f", "-p", "\(daemon.pid)", "-o", trace.string])
        Daemon.rest(milliseconds: seconds * 1_000)
        try tracer.end(by: SIGINT)
        // A call in which a thread slept before and after has no result.
        let calls = (PlainFile.text(trace) ?? "").split(separator: "\n").count { $0.contains(" = ") }
        figures.append(
            Figure(
                name: "system calls in \(seconds) s, \(name)", unit: "", samples: [Double(calls)], bar: .atMost(0)))
        return figures
    }

    /// Returns when so many passes are over. What starts a daemon has gone by then, too: threads that are not needed any
    /// more end after some seconds.
    private static func untilPassed(_ count: Int, _ daemon: Daemon) throws {
        let end = Double(count) * passInterval + slack
        try Daemon.until("pass \(count) is over", within: end + 60) { daemon.age > end }
        try daemon.untilIdle()
    }
}
