import Glibc
import Synchronization
import WaybillPorts

/// A thread that carries out one job after another: the executor of actors whose work blocks.
///
/// A run's ledger is written and synced on the run's lane, so that no thread of the cooperative pool ever waits for a disk.
package final class Lane: SerialExecutor {
    private enum Job {
        case executor(UnownedJob)
        case body(@Sendable () -> Void)
    }

    private struct Queue {
        var jobs: [Job] = []
        var isStopped = false
    }

    private let queue = Mutex(Queue())
    private let signal = Signal()
    /// The lane's thread, once it runs.
    private let thread = Atomic<UInt>(0)

    /// - Parameter name: what `top -H` shows.
    package init(name: String) {
        let thread = DedicatedThread(name: name) { self.work() }
        // A machine without a thread to give has no use for a lane: the first job would wait for ever.
        precondition(thread != nil, "the system has no thread left for \(name)")
        thread?.detach()
    }

    package func enqueue(_ job: consuming ExecutorJob) { append(.executor(UnownedJob(job))) }

    /// Runs a body on the lane, after everything that was given to it before.
    package func submit(_ body: @escaping @Sendable () -> Void) { append(.body(body)) }

    /// Lets an actor of this lane be entered from a body, without a task.
    package func checkIsolated() {
        precondition(thread.load(ordering: .relaxed) == UInt(pthread_self()), "not on the lane of this actor")
    }

    private func append(_ job: Job) {
        queue.withLock { $0.jobs.append(job) }
        signal.raise()
    }

    private func work() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        while true {
            signal.wait()
            let (jobs, isStopped) = queue.withLock { queue in
                defer { queue.jobs.removeAll(keepingCapacity: true) }
                return (queue.jobs, queue.isStopped)
            }
            for job in jobs {
                switch job {
                case .executor(let job): job.runSynchronously(on: asUnownedSerialExecutor())
                case .body(let body): body()
                }
            }
            if isStopped { return }
        }
    }

    /// Lets the thread end once its queue is empty.
    package func stop() {
        queue.withLock { $0.isStopped = true }
        signal.raise()
    }
}

/// The lanes of a process: a run is bound to one for as long as it is active.
package struct Lanes: Sendable {
    /// As many runs sync at once; the kernel joins their syncs into few writes.
    package static let standardCount = 16

    private let lanes: [Lane]
    private let next = SharedCounter()

    package init(count: Int = standardCount) {
        lanes = (0..<count).map { Lane(name: "waybill-run-\($0)") }
    }

    /// One lane after the other.
    package func take() -> Lane { lanes[next.increment() % lanes.count] }

    package func stop() { for lane in lanes { lane.stop() } }
}

/// A number several threads count up.
package final class SharedCounter: Sendable {
    private let value = Atomic<Int>(0)
    package init() {}
    /// The number before.
    package func increment() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
