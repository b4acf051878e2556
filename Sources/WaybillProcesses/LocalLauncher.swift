import CLinux
import Glibc
import Synchronization
import SystemPackage
package import WaybillPorts

/// Starts programs as children of this process.
///
/// Until a supervisor hosts them, programs do not outlive this process: the kernel kills each first process with it.
/// What such a process had started lives on in that case, and is not found again.
///
/// Having one makes this process the parent of all its orphaned descendants (`PR_SET_CHILD_SUBREAPER`); the launcher
/// collects those that its programs left, and no other child of this process.
package final class LocalLauncher: ProcessLauncher {
    private let loop: ProcessLoop
    private let spawner: Spawner
    private let clock: any WallClock
    private let loopThread: Mutex<DedicatedThread?>

    /// - Parameter spawnThreads: How many programs can be on their way into the kernel at once; more than the machine
    ///   has cores brings nothing.
    /// - Throws: ``LaunchError`` for want of threads or descriptors.
    package init(clock: any WallClock = SystemClock(), spawnThreads: Int = 2) throws(LaunchError) {
        precondition(spawnThreads > 0)
        self.clock = clock
        guard waybill_set_child_subreaper() == 0 else {
            throw LaunchError.system(errno, "cannot become the parent of orphans")
        }
        let loop = try ProcessLoop(clock: clock)
        guard let thread = DedicatedThread(name: "processes", { loop.run() }) else {
            throw LaunchError(code: .noResources, message: "no thread left to wait for programs on")
        }
        self.loop = loop
        loopThread = Mutex(thread)
        do {
            spawner = try Spawner(threadCount: spawnThreads)
        } catch {
            loop.send(.shutDown)
            thread.join()
            throw error
        }
    }

    package func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome) -> Void
    ) throws(LaunchError) -> any RunningProcess {
        let id = try loop.beginLaunch()
        do throws(LaunchError) {
            let launch = try PreparedLaunch(request)
            let startedAt = clock.now()
            let result = try spawner.spawn(launch)
            if result.failure == 0 {
                loop.send(.add(Attempt(id: id, launch: launch, result: result, startedAt: startedAt, ended: ended)))
                return LaunchedProcess(id: id, pid: result.pid, loop: loop)
            }
            if result.stage == WAYBILL_SPAWN_CLONE {
                launch.abandon()
                throw LaunchError.system(result.failure, "cannot make a process for \(request.argv[0])")
            }
            let failure = StartFailure(
                request: request, path: launch.candidates[Int(result.candidate)], result: result)
            let outcome = ProcessOutcome(
                end: .failedToStart(errno: result.failure, message: failure.message), startedAt: startedAt,
                endedAt: max(clock.now(), startedAt))
            if let path = request.exitFile { ExitFile.write(outcome, to: path) }
            loop.send(.deliver(outcome, to: ended))
            return LaunchedProcess(id: id, pid: nil, loop: loop)
        } catch {
            loop.giveUpLaunch()
            throw error
        }
    }

    package func shutDown() {
        let thread = loopThread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let thread else { return }
        loop.send(.shutDown)
        thread.join()
        // Last: the programs end with these threads.
        spawner.stop()
    }
}

private struct LaunchedProcess: RunningProcess {
    let id: UInt64
    let pid: Int32?
    let loop: ProcessLoop

    var startTicks: UInt64? {
        guard let pid else { return nil }
        let ticks = ProcessTable.startTicks(of: pid)
        // Asked afterwards: as long as the program is not collected, the number was its own.
        return loop.isUncollected(id) ? ticks : nil
    }

    func terminate(grace: Duration?) { loop.send(.terminate(id: id, grace: grace)) }
    func kill() { loop.send(.kill(id: id)) }
}
