import Dispatch
import Glibc
import Synchronization
import SystemPackage
import WaybillCore
import WaybillHTTP
import WaybillPorts
import WaybillProcesses
import WaybillRuntime
import WaybillStore
import WaybillWatching

/// Runs from the request that is moved into the common inbox to the end in the journal: two steps that only decide, so
/// that what a run costs by itself is all there is.
///
/// Trees stay until all is measured: where one was removed, the file system passes over its inodes for minutes, and what is
/// made then takes twice as long.
enum WholeRuns {
    private static let manifest = """
        kind: Workflow
        name: bench
        steps:
          - {id: one, set: {count: 1}}
          - {id: two, set: {count: "${{ steps.one.output.count + 1 }}"}}
        """
    /// Of the time that a plain program takes for the same files, directories and syncs.
    private static let most = 1.5

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        var figures: [Figure] = []
        for (name, threads, count) in [("one after the other", 1, 200), ("8 at once", 8, 50)] {
            let runs = bench.size(count)
            var own: [Double] = []
            var plain: [Double] = []
            try await bench.rounds(9) {
                let isFirst = plain.count.isMultiple(of: 2)
                if isFirst { own.append(try await cost(threads, runs, bench)) }
                plain.append(try plainCost(threads, runs, bench))
                if !isFirst { own.append(try await cost(threads, runs, bench)) }
            }
            figures.append(
                Figure(
                    name: name, unit: "us/run", samples: own,
                    baseline: .init(name: "us, plain files and syncs", samples: plain), bar: .atMost(most)))
        }
        return figures
    }

    // MARK: - Waybill's own

    /// Microseconds for each run, if so many threads ask for so many each, one after the other's end.
    private static func cost(_ threads: Int, _ runs: Int, _ bench: Workbench) async throws -> Double {
        let tree = try BenchTree(at: bench.path("runs"), manifest: manifest)
        let ends = Ends(threads)
        var options = ReconcilerOptions()
        options.onReport = { ends.signal($0) }
        let reconciler = Reconciler(
            tree: tree.tree,
            services: RuntimeServices(
                launcher: try SupervisedLauncher(caches: tree.tree.layout.caches), performer: HTTPClientPerformer(),
                secrets: LocalSecretReader(root: tree.root), watcher: try InotifyWatcher(), timers: try TimerQueue(),
                hookTimers: try TimerQueue()),
            options: options)
        try await reconciler.start()
        // The first run of all finds nothing in any cache.
        for thread in 0..<threads { try run("\(thread)-warm-up", thread, tree.root, ends) }
        let seconds = try PlainThreads.time(threads) { thread in
            for number in 0..<runs { try run("\(thread)-\(number)", thread, tree.root, ends) }
        }
        await reconciler.stop()
        for thread in 0..<threads {
            let last = tree.root.at("runs/\(thread)-\(runs - 1)/run.json")
            guard hasCompleted(last) else {
                throw BenchmarkError(description: "\(last) does not say that the run completed")
            }
        }
        return seconds / Double(runs * threads) * 1e6
    }

    private static func run(_ id: String, _ thread: Int, _ root: FilePath, _ ends: Ends) throws {
        let draft = root.appending("request-\(thread)")
        try PlainFile.write(Array(#"{"workflow":"bench","id":"\#(id)"}"#.utf8), to: draft)
        rename(draft.string, root.at("runs/inbox/\(id).json").string)
        // A run may report more than once.
        repeat {
            guard ends.wait(thread) else { throw BenchmarkError(description: "\(id) did not end in a minute") }
        } while !hasCompleted(root.at("runs/\(id)/run.json"))
    }

    private static func hasCompleted(_ run: FilePath) -> Bool {
        PlainFile.text(run)?.contains("\"status\": \"completed\"") ?? false
    }

    /// Tells each thread of the end of its run, whose id begins with the thread's number.
    private final class Ends: Sendable {
        private let semaphores: [DispatchSemaphore]

        init(_ threads: Int) { semaphores = (0..<threads).map { _ in DispatchSemaphore(value: 0) } }

        func signal(_ run: String) {
            guard let thread = run.split(separator: "-").first.flatMap({ Int($0) }) else { return }
            semaphores[thread].signal()
        }

        func wait(_ thread: Int) -> Bool { semaphores[thread].wait(timeout: .now() + 60) == .success }
    }

    // MARK: - The plain program

    private static func plainCost(_ threads: Int, _ runs: Int, _ bench: Workbench) throws -> Double {
        let tree = try PlainTree(at: bench.path("plain-runs"), manifest: manifest)
        let seconds = try PlainThreads.time(threads) { thread in
            for number in 0..<runs { try tree.run("\(thread)-\(number)") }
        }
        return seconds / Double(runs * threads) * 1e6
    }
}
