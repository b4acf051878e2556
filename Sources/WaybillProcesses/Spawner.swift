import CLinux
import Dispatch
import Synchronization
import WaybillPorts

/// Threads that start programs, and live as long as the programs do.
///
/// The kernel kills a program when the *thread* that made it ends (`prctl(2)`, `PR_SET_PDEATHSIG`), so a caller's thread
/// will not do. There is more than one, since each stands still between its clone and the program's exec.
final class Spawner: Sendable {
    private final class Job: @unchecked Sendable {
        // Written by one thread before `done` is signalled, read by the other after it.
        let launch: PreparedLaunch
        var result = waybill_spawn_result()
        let done = DispatchSemaphore(value: 0)

        init(_ launch: PreparedLaunch) { self.launch = launch }
    }

    private struct Queue {
        var jobs: [Job] = []
        var isClosed = false
    }

    private let queue = Mutex(Queue())
    private let work = DispatchSemaphore(value: 0)
    private let threads: Mutex<[DedicatedThread]> = Mutex([])

    init(threadCount: Int) throws(LaunchError) {
        var made: [DedicatedThread] = []
        for number in 1...threadCount {
            guard let thread = DedicatedThread(name: "spawn-\(number)", { [self] in run() }) else { break }
            made.append(thread)
        }
        guard !made.isEmpty else {
            throw LaunchError(code: .noResources, message: "no thread left to start programs from")
        }
        threads.withLock { $0 = made }
    }

    /// Starts a program and waits until it runs, or is known not to.
    ///
    /// - Throws: `shutDown`.
    func spawn(_ launch: PreparedLaunch) throws(LaunchError) -> waybill_spawn_result {
        let job = Job(launch)
        let isAccepted = queue.withLock { queue in
            if !queue.isClosed { queue.jobs.append(job) }
            return !queue.isClosed
        }
        guard isAccepted else { throw LaunchError(code: .shutDown, message: "the launcher was shut down") }
        work.signal()
        job.done.wait()
        return job.result
    }

    /// Ends the threads; to be called when no program runs any more, for the programs end with them.
    func stop() {
        queue.withLock { $0.isClosed = true }
        let ending = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for _ in ending { work.signal() }
        for thread in ending { thread.join() }
    }

    private func run() {
        while true {
            work.wait()
            let job = queue.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
            // Every job has its signal; one more than there are jobs means the end.
            guard let job else { return }
            job.result = job.launch.spawn()
            job.done.signal()
        }
    }
}
