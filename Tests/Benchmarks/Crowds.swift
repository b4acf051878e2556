import Glibc
import SystemPackage
import WaybillCore

/// Answers and events in a tree of thousands of runs that wait: how soon one of them goes on, and how all of them do when
/// all are meant at once. Trees stay until all is measured, as in ``WholeRuns``.
enum Crowds {
    /// Microseconds over the bare notification that an answer may take to a step's start: half of them, and all but one of
    /// a hundred.
    private static let latencyBars = (median: 2_000.0, rare: 10_000.0)
    /// Of the rate at which 64 plain threads sync records of the same size.
    private static let rateBar = 0.7
    private static let threads = 64
    /// Seconds within which all runs have ended, however slow the disk.
    private static let patience = 900.0

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let count = bench.size(10_000)
        let answered = bench.size(500)
        let crowd = try Crowd(at: bench.path("crowd"))
        let waiting = try await crowd.addWaiting(count + 2 * answered)
        let bare = Figure.percentile(50, of: try Answers.notifications(answered, bench))
        let daemon = try attending(crowd, bench)
        defer { try? daemon.stop() }
        var figures: [Figure] = []
        for (index, name) in ["the run's inbox", "the common door"].enumerated() {
            let runs = waiting.dropFirst(index * answered).prefix(answered)
            let latencies = try runs.map { try answer($0, crowd, common: index == 1) - bare }
            figures.append(
                Figure(
                    name: "\(name): TASK_START over a bare notification", unit: "us", samples: latencies,
                    bar: .atMost(latencyBars.median)))
            figures.append(
                Figure(
                    name: "\(name): the slowest but one of a hundred", unit: "us",
                    samples: [Figure.percentile(99, of: latencies)], bar: .atMost(latencyBars.rare)))
        }
        figures += try burst(
            "\(Text.count(count)) answers at once", crowd, daemon, bench, runs: Array(waiting.suffix(count)), drop)
        try daemon.stop()
        if let burst = figures.last(where: { $0.unit == "runs/s" }) {
            let plain = try plainAnswers(count, bench) { try $0.answer($1) }
            figures.append(
                Figure(
                    name: "the same beside a plain program", unit: "runs/s", samples: burst.samples,
                    baseline: .init(name: "answers/s, the same files made plainly", samples: [plain])))
            let least = try plainAnswers(count, bench) { try $0.accept($1) }
            let appends = try PureSteps.appends(threads, recordsOf: PlainTree.answerBytes, isSynced: true, bench)
            figures.append(
                Figure(
                    name: "a plain program that takes answers and shows nothing", unit: "answers/s", samples: [least],
                    baseline: .init(name: "appends/s, \(threads) plain threads", samples: [appends])))
        }
        return figures + (try await events(crowd, count, bench))
    }

    /// Answers in a second, if plain threads do to the files what each of them asks for.
    private static func plainAnswers(
        _ count: Int, _ bench: Workbench, _ answer: @escaping @Sendable (PlainTree, String) throws -> Void
    ) throws -> Double {
        let tree = try PlainTree(at: bench.path("plain-answers"), manifest: "")
        for number in 0..<count { try tree.addWaiting("r\(number)") }
        let threads = threads
        let seconds = try PlainThreads.time(threads) { thread in
            for number in stride(from: thread, to: count, by: threads) { try answer(tree, "r\(number)") }
        }
        return Double(count) / seconds
    }

    private static func events(_ crowd: Crowd, _ count: Int, _ bench: Workbench) async throws -> [Figure] {
        let listening = try await crowd.addListening(count)
        let daemon = try attending(crowd, bench)
        defer { try? daemon.stop() }
        return try burst(
            "one event for \(Text.count(count)) runs", crowd, daemon, bench, runs: listening
        ) { crowd, _, drafts in
            let event = #"{"specversion":"1.0","id":"1","source":"bench","type":"go"}"#
            try PlainFile.write(Array(event.utf8), to: drafts.appending("go"))
            rename(drafts.appending("go").string, crowd.tree.root.at("runs/inbox/go.json").string)
        }
    }

    private static func attending(_ crowd: Crowd, _ bench: Workbench) throws -> Daemon {
        let daemon = try Daemon(bench, root: crowd.tree.root)
        try daemon.until(says: Daemon.ready, within: patience)
        try daemon.untilIdle()
        return daemon
    }

    // MARK: - One after the other

    /// Microseconds from the rename of an answer to the start of what follows.
    private static func answer(_ run: RunID, _ crowd: Crowd, common: Bool) throws -> Double {
        let root = crowd.tree.root
        let ledger = try FileDescriptor.open(crowd.tree.ledger(of: run), .readOnly)
        defer { try? ledger.close() }
        let end = PlainFile.size(crowd.tree.ledger(of: run))
        let draft = root.appending("answer.tmp")
        try PlainFile.write(Array("yes".utf8), to: draft)
        Daemon.rest(milliseconds: 5)
        let target = common ? "runs/inbox/\(run.text).approve.txt" : "runs/\(run.text)/inbox/approve.txt"
        let watch = Stopwatch()
        rename(draft.string, root.at(target).string)
        try Answers.spin(watch) { try Answers.hasStarted("ship", ledger, behind: end) }
        return watch.seconds * 1e6
    }

    // MARK: - All at once

    private static func drop(_ crowd: Crowd, _ runs: [RunID], _ drafts: FilePath) throws {
        for run in runs {
            rename(drafts.appending(run.text).string, crowd.tree.root.at("runs/\(run.text)/inbox/approve.txt").string)
        }
    }

    /// From the first rename until the journal has the end of every run, and the most memory that the daemon had.
    private static func burst(
        _ name: String, _ crowd: Crowd, _ daemon: Daemon, _ bench: Workbench, runs: [RunID],
        _ begin: (Crowd, [RunID], FilePath) throws -> Void
    ) throws -> [Figure] {
        let drafts = crowd.tree.root.appending("drafts")
        mkdir(drafts.string, 0o700)
        for run in runs { try PlainFile.write(Array("yes".utf8), to: drafts.appending(run.text)) }
        let already = try crowd.countEnded()
        let before = runs.reduce(0) { $0 + PlainFile.size(crowd.tree.ledger(of: $1)) }
        let watch = Stopwatch()
        try begin(crowd, runs, drafts)
        try Daemon.until("all \(runs.count) runs have ended", within: patience) {
            Daemon.rest(milliseconds: 20)
            return try crowd.countEnded() - already >= runs.count
        }
        let rate = Double(runs.count) / watch.seconds
        let peak = Double(try daemon.peakBytes()) / Double(1 << 20)
        bench.remove(drafts)
        let bytes = (runs.reduce(0) { $0 + PlainFile.size(crowd.tree.ledger(of: $1)) } - before) / runs.count
        let plain = try PureSteps.appends(threads, recordsOf: bytes, isSynced: true, bench)
        return [
            Figure(
                name: "\(name), until all have ended", unit: "runs/s", samples: [rate],
                baseline: .init(name: "appends/s, \(threads) plain threads", samples: [plain]), bar: .atLeast(rateBar)),
            Figure(name: "\(name), memory of the daemon, at most", unit: "MiB", samples: [peak]),
        ]
    }
}
