import Logging
import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillTestKit

/// One daemon of a world, from its start to its end.
final class Life: @unchecked Sendable {
    // One thread drives a world and everything in it.
    let number: Int
    let fileSystem: MemoryFileSystem
    let watcher: SimulatedWatcher
    let timers = SimulatedTimers()
    let hookTimers = SimulatedTimers()
    /// Whoever waits for the end of a program, by its number; one that was adopted again is waited for twice.
    var ends: [Int: [@Sendable (ProcessOutcome?) -> Void]] = [:]
    /// Whoever waits for the answer to a request, by its number.
    var answers: [Int: @Sendable (HTTPOutcome) -> Void] = [:]
    private var lanes: [Lane] = []
    private var reconciler: Reconciler?

    /// - Parameter mark: its process id, which after a restart may be the one of an earlier life.
    init(_ number: Int, _ disk: MemoryDisk, mark: Int) {
        self.number = number
        fileSystem = MemoryFileSystem(disk, process: number, mark: String(mark))
        watcher = SimulatedWatcher(disk)
    }

    var isAlive: Bool { fileSystem.isAlive }

    func makeLane(_ scheduler: Scheduler) -> Lane {
        let lane = Lane(attendant: scheduler)
        lanes.append(lane)
        return lane
    }

    /// Starts the daemon.
    ///
    /// - Throws: what keeps it from beginning at all; a service manager starts it again.
    func begin(in world: World) throws(RuntimeError) {
        let tree = try world.tree(fileSystem)
        let scheduler = world.scheduler
        var ids = SeededGenerator(world.workload.seed, number, 7)
        let services = RuntimeServices(
            launcher: SimulatedLauncher(world, self), performer: SimulatedPerformer(world, self),
            secrets: NoSecrets(), watcher: watcher, timers: timers, hookTimers: hookTimers,
            makeLane: { [unowned self] _ in makeLane(scheduler) },
            random: { [random = SeededBox(ids.next())] in random.next() })
        var options = ReconcilerOptions()
        if let write = world.onTrace {
            options.log = Logger(label: "waybill") { [number] _ in TraceLog(number, write) }
        }
        options.passInterval = world.workload.passInterval
        options.lanes = 3
        options.manifests = world.definitions.manifests
        options.watchLimit = 1_000
        let reconciler = Reconciler(tree: tree, services: services, options: options)
        self.reconciler = reconciler
        let failure = FailureBox()
        reconciler.post { reconciler in
            do throws(RuntimeError) {
                try reconciler.start()
            } catch {
                failure.error = error
            }
        }
        // Nothing else runs before: the lanes of this life are new.
        lanes.first?.runNext()
        if let error = failure.error { throw error }
    }

    /// The process is gone: whatever it had planned does not happen.
    func end() {
        fileSystem.kill()
        for lane in lanes { lane.stop() }
        lanes = []
        ends = [:]
        answers = [:]
        timers.stop()
        hookTimers.stop()
        watcher.stop()
        reconciler = nil
    }
}

/// A generator that a closure may own.
final class SeededBox: @unchecked Sendable {
    private var random: SeededGenerator
    init(_ seed: UInt64) { random = SeededGenerator(seed) }
    func next() -> UInt64 { random.next() }
}

private final class FailureBox: @unchecked Sendable {
    var error: RuntimeError?
}

/// The simulated workflows name no secrets.
private struct NoSecrets: SecretReader {
    func read(_ source: SecretSource) throws(SecretError) -> String {
        throw SecretError(.missing, "this world has no secrets")
    }
}
