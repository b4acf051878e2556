import CLinux
import Glibc
import Synchronization
import SystemPackage
import WaybillCore
import WaybillPorts

/// From an answer's rename to what follows from it, in a real daemon, beside the bare notification.
enum Answers {
    private static let manifest = """
        kind: Workflow
        name: bench
        states:
          question:
            ask: {prompt: "Go on?", choices: [go, stop]}
            maxVisits: 1000000
            next: [{if: output == 'go', to: mark}, {to: end}]
          mark:
            set: {visit: "${{ visit }}"}
            maxVisits: 1000000
            next: question
        """

    /// Microseconds from the rename.
    private struct Latency {
        /// The next step's `TASK_START` can be read in the ledger.
        var started: Double
        /// The next question lies in `waits/`: everything before it was synced.
        var asked: Double
    }

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let count = bench.size(100)
        let bare = try notifications(count, bench)
        var figures: [Figure] = []
        for (door, name) in [(false, "the run's inbox"), (true, "the common door")] {
            let latencies = try answers(count, common: door, bench)
            let baseline = Figure.Baseline(name: "us, bare inotify", samples: bare)
            figures.append(
                Figure(
                    name: "\(name): TASK_START in the ledger", unit: "us", samples: latencies.map(\.started),
                    baseline: baseline, isPaired: false))
            figures.append(
                Figure(
                    name: "\(name): synced, and asked again", unit: "us", samples: latencies.map(\.asked),
                    baseline: baseline, isPaired: false))
        }
        return figures
    }

    private static func answers(_ count: Int, common: Bool, _ bench: Workbench) throws -> [Latency] {
        let tree = try BenchTree(at: bench.path("answer"), manifest: manifest)
        defer { bench.remove(tree.root) }
        let run = try tree.start(1)[0]
        let folder = tree.root.at("runs/\(run.text)")
        let daemon = try Daemon(bench, root: tree.root)
        defer { try? daemon.stop() }
        let ledger = try FileDescriptor.open(tree.ledger(of: run), .readOnly)
        defer { try? ledger.close() }
        let draft = tree.root.appending("answer.tmp")
        var latencies: [Latency] = []
        for visit in 1...count + 3 {
            let key = visit == 1 ? "question" : "question.\(visit)"
            try Daemon.until("\(key) is asked") { PlainFile.exists(folder.at("waits/\(key).json")) }
            // People answer a run that rests.
            Daemon.rest(milliseconds: 5)
            try PlainFile.write(Array("\"go\"".utf8), to: draft)
            let target =
                common ? "runs/inbox/\(run.text).\(key).json" : "runs/\(run.text)/inbox/\(key).json"
            let end = PlainFile.size(tree.ledger(of: run))
            let watch = Stopwatch()
            rename(draft.string, tree.root.at(target).string)
            try spin(watch) { try hasStarted("mark", ledger, behind: end) }
            let started = watch.seconds * 1e6
            let next = folder.at("waits/question.\(visit + 1).json")
            try spin(watch) { PlainFile.exists(next) }
            // The first ones warm the caches.
            if visit > 3 { latencies.append(Latency(started: started, asked: watch.seconds * 1e6)) }
        }
        return latencies
    }

    /// Looks without rest, so that looking adds nothing to what is timed.
    static func spin(_ watch: Stopwatch, _ isTrue: () throws -> Bool) throws {
        while try !isTrue() {
            guard watch.seconds < 60 else { throw BenchmarkError(description: "an answer had no effect in a minute") }
            sched_yield()
        }
    }

    /// Whether a step's `TASK_START` is in what a ledger has got behind an offset.
    static func hasStarted(_ step: String, _ ledger: FileDescriptor, behind end: Int) throws -> Bool {
        var status = stat()
        guard fstat(ledger.rawValue, &status) == 0, Int(status.st_size) > end else { return false }
        var buffer = [UInt8](repeating: 0, count: Int(status.st_size) - end)
        let count = try buffer.withUnsafeMutableBytes { try ledger.read(fromAbsoluteOffset: Int64(end), into: $0) }
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        return text.split(separator: "\n").contains {
            $0.contains(#""type":"TASK_START""#) && $0.contains("\"step\":\"\(step)\"")
        }
    }

    // MARK: - The bare notification

    /// Microseconds from a rename until a thread that waits for it has its event.
    static func notifications(_ count: Int, _ bench: Workbench) throws -> [Double] {
        let folder = bench.path("inotify")
        mkdir(folder.string, 0o700)
        defer { bench.remove(folder) }
        let inotify = inotify_init1(Int32(IN_CLOEXEC))
        guard inotify >= 0, inotify_add_watch(inotify, folder.string, UInt32(IN_MOVED_TO)) >= 0 else {
            throw Errno(rawValue: errno)
        }
        defer { close(inotify) }
        let seen = Seen()
        let total = count + 3
        let thread = DedicatedThread(name: "inotify") {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            for _ in 0..<total {
                guard read(inotify, &buffer, buffer.count) > 0 else { break }
                seen.at.store(SystemClock().monotonicNanoseconds, ordering: .releasing)
            }
        }
        guard let thread else { throw BenchmarkError(description: "the system has no thread left") }
        var samples: [Double] = []
        let draft = bench.path("event")
        for number in 0..<total {
            try PlainFile.write([], to: draft)
            Daemon.rest(milliseconds: 5)
            seen.at.store(0, ordering: .releasing)
            let start = SystemClock().monotonicNanoseconds
            rename(draft.string, folder.appending("\(number)").string)
            let watch = Stopwatch()
            try spin(watch) { seen.at.load(ordering: .acquiring) > 0 }
            if number >= 3 { samples.append(Double(seen.at.load(ordering: .acquiring) - start) / 1e3) }
        }
        thread.join()
        return samples
    }

    private final class Seen: Sendable {
        /// Nanoseconds of the monotonic clock; 0: not yet.
        let at = Atomic<UInt64>(0)
    }
}
