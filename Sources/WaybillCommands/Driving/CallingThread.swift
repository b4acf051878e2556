import Synchronization
import WaybillRuntime

/// The calling thread as the executor of one task and of everything that the task waits for.
///
/// The pool that tasks run on by default wakes the process once a second for as long as it lives, and a daemon with
/// nothing to do is to sleep. A command that is over in milliseconds has no use for the pool's threads either.
final class CallingThread<Result: Sendable>: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var result: Result?
    }

    private let state = Mutex(State())
    private let signal = Signal()

    private init() {}

    /// Does `body` on this thread, and returns what it returns.
    static func run(_ body: @escaping @Sendable () async -> Result) -> Result {
        let thread = CallingThread()
        Task(executorPreference: thread) {
            let result = await body()
            thread.state.withLock { $0.result = result }
            thread.signal.raise()
        }
        return thread.work()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        signal.raise()
    }

    private func work() -> Result {
        while true {
            signal.wait()
            while let jobs = takeJobs() {
                for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            }
            if let result = state.withLock({ $0.result }) { return result }
        }
    }

    private func takeJobs() -> [UnownedJob]? {
        state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs.isEmpty ? nil : state.jobs
        }
    }
}
