import Glibc
import SystemPackage
import WaybillCore

/// From the start of a daemon until it attends to every run that waits, in a tree full of runs that have ended, beside the
/// least that anybody needs to know as much: all names, and the waiting runs' `run.json`.
enum Restart {
    /// Seconds within which a daemon has looked at everything, however slow the disk.
    private static let patience = 600.0

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let crowd = try Crowd(at: bench.path("restart"))
        defer { bench.remove(crowd.tree.root) }
        let waiting = try await crowd.addWaiting(bench.size(10_000))
        let alone = try await starts(crowd, waiting, bench)
        let finished = try await crowd.addFinished(bench.size(100_000))
        let together = try await starts(crowd, waiting, bench)
        let runs = Text.count(waiting.count)
        return [
            Figure(
                name: "\(runs) waiting runs", unit: "s", samples: alone.map(\.seconds),
                baseline: .init(name: "s, find and their run.json", samples: alone.map(\.plain))),
            Figure(
                name: "\(runs) beside \(Text.count(finished.count)) finished", unit: "s",
                samples: together.map(\.seconds),
                baseline: .init(name: "s, find and their run.json", samples: together.map(\.plain)), bar: .atMost(2)),
            Figure(
                name: "what the finished runs add", unit: "s",
                samples: zip(together, alone).map { $0.seconds - $1.seconds },
                baseline: .init(
                    name: "s, runs/ listed and the journal hashed", samples: together.map(\.least)), isPaired: false),
        ]
    }

    private struct Round {
        /// Until the daemon has looked at every run.
        var seconds: Double
        var plain: Double
        /// Listing `runs/` and reading the journal.
        var least: Double
    }

    private static func starts(_ crowd: Crowd, _ waiting: [RunID], _ bench: Workbench) async throws -> [Round] {
        var rounds: [Round] = []
        // The first start notes the machine's boot, and fills the caches.
        _ = try start(crowd, bench)
        try await bench.rounds(5) {
            let plain = Stopwatch()
            try find(crowd.tree.root.at("runs"), [])
            for run in waiting { _ = PlainFile.text(crowd.tree.root.at("runs/\(run.text)/run.json")) }
            let plainSeconds = plain.seconds
            let least = Stopwatch()
            try find(crowd.tree.root.at("runs"), ["-maxdepth", "1"])
            try PlainProcess(["/usr/bin/sha256sum", crowd.tree.root.at("runs/journal.jsonl").string]).wait()
            let leastSeconds = least.seconds
            rounds.append(Round(seconds: try start(crowd, bench), plain: plainSeconds, least: leastSeconds))
        }
        return rounds
    }

    private static func find(_ folder: FilePath, _ options: [String]) throws {
        try PlainProcess(["/usr/bin/find", folder.string] + options).wait()
    }

    /// - Parameter look: is called once the daemon has nothing more to do.
    static func start(_ crowd: Crowd, _ bench: Workbench, look: (Daemon) throws -> Void = { _ in }) throws -> Double {
        let watch = Stopwatch()
        let daemon = try Daemon(bench, root: crowd.tree.root)
        do {
            try daemon.until(says: Daemon.ready, within: patience)
            let seconds = watch.seconds
            try daemon.untilIdle()
            try look(daemon)
            try daemon.stop()
            return seconds
        } catch {
            try? daemon.stop()
            throw error
        }
    }
}
