import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillHTTP
import WaybillManifests
import WaybillPorts
import WaybillProcesses
import WaybillRuntime
import WaybillStore
import WaybillWatching

/// A tree of its own on the real file system, worked on the way the commands do it.
struct BenchTree {
    let root: FilePath
    let tree: Tree
    private let sources: SourceTree

    /// - Parameter manifest: one workflow.
    init(at root: FilePath, manifest: String) throws {
        self.root = root
        mkdir(root.string, 0o700)
        mkdir(root.appending("workflows").string, 0o700)
        try PlainFile.write(Array(manifest.utf8), to: root.at("workflows/bench.yaml"))
        tree = try Tree.open(root, fileSystem: LocalFileSystem(), clock: SystemClock())
        guard let folder = try tree.fileSystem.openDirectory(root) else { throw Errno.noSuchFileOrDirectory }
        sources = try SourceTree(root: folder)
        if let diagnostic = sources.catalog.diagnostics.first(where: { $0.level == .error }) {
            throw BenchmarkError(description: diagnostic.text)
        }
    }

    /// Starts runs of the workflow `bench`; what can be decided at once in a start is one step.
    func start(_ count: Int, inputs: Object = Object()) throws -> [RunID] {
        let starter = starter
        return try (0..<count).map { number in
            try starter.start(StartRequest(workflow: "bench", inputs: inputs, id: "bench-\(number)")).run
        }
    }

    /// Starts one run under a given id.
    func start(_ run: RunID, inputs: Object) throws {
        _ = try starter.start(StartRequest(workflow: "bench", inputs: inputs, id: run.text))
    }

    private var starter: RunStarter {
        var limits = EngineLimits()
        limits.stepsPerDecision = 1
        return RunStarter(tree: tree, sources: sources, limits: limits)
    }

    /// Lets a reconciler bring all runs to their end.
    ///
    /// - Parameters:
    ///   - stepsPerDecision: 1 syncs each pure step; nil: as a daemon does it.
    ///   - startsPrograms: the supervisor is resident, so it is there before the time begins.
    /// - Returns: the seconds it took from taking the runs up until the last one's end is in the journal.
    func complete(
        _ runs: [RunID], stepsPerDecision: Int?, startsPrograms: Bool = false
    ) async throws -> Double {
        let launcher = try SupervisedLauncher(caches: tree.layout.caches)
        if startsPrograms { try Supervision.warmUp(launcher, programs: runs.count) }
        var options = ReconcilerOptions()
        if let stepsPerDecision { options.limits.stepsPerDecision = stepsPerDecision }
        let reconciler = try reconciler(options, launcher)
        let watch = Stopwatch()
        let report = try await reconciler.settle(.everything)
        let seconds = watch.seconds
        await reconciler.stop()
        for run in runs where report.runs[run]?.status != .completed {
            let problem = report.problems[run].map { $0.message } ?? "\(report.runs[run]?.status.rawValue ?? "unknown")"
            throw BenchmarkError(description: "\(run) did not complete: \(problem)")
        }
        return seconds
    }

    /// Lets a reconciler do everything that is due.
    func settle() async throws {
        let reconciler = try reconciler(ReconcilerOptions(), SupervisedLauncher(caches: tree.layout.caches))
        let report = try await reconciler.settle(.everything)
        await reconciler.stop()
        if let (run, problem) = report.problems.first {
            throw BenchmarkError(description: "\(run) is stuck: \(problem.message)")
        }
    }

    private func reconciler(_ options: ReconcilerOptions, _ launcher: SupervisedLauncher) throws -> Reconciler {
        let services = RuntimeServices(
            launcher: launcher, performer: HTTPClientPerformer(),
            secrets: LocalSecretReader(root: tree.layout.root), watcher: try InotifyWatcher(),
            timers: try TimerQueue(), hookTimers: try TimerQueue())
        return Reconciler(tree: tree, services: services, options: options)
    }

    func ledger(of run: RunID) -> FilePath { root.at("runs/\(run.text)/ledger.jsonl") }
}
