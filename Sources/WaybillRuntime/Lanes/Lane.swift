import Glibc
import Synchronization
import WaybillPorts

/// Runs the jobs of lanes that have no thread of their own.
package protocol LaneAttendant: Sendable {
    /// The lane has got one more job: `runNext` is owed to it once more. Called by whoever brought the job; the job
    /// must not run before this has returned.
    func attend(_ lane: Lane)
}

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
        /// Whether there is a thread that carries them out.
        var isAttended = false
    }

    private let name: String
    private let queue = Mutex(Queue())
    private let signal = Signal()
    /// The thread that the lane's jobs run on right now.
    private let thread = Atomic<UInt>(0)
    /// Nil where the lane has a thread of its own.
    private let attendant: (any LaneAttendant)?

    /// A lane without a thread: its jobs run where and when `attendant` calls `runNext`.
    package init(attendant: any LaneAttendant) {
        name = ""
        self.attendant = attendant
    }

    /// A lane with a thread, which starts with the first job: a command that drives one run needs few of them.
    ///
    /// - Parameter name: what `top -H` shows.
    package init(name: String) {
        self.name = name
        attendant = nil
    }

    private func start() {
        let thread = DedicatedThread(name: name) { self.work() }
        // A machine without a thread to give has no use for a lane: the first job would wait for ever.
        precondition(thread != nil, "the system has no thread left for \(name)")
        thread?.detach()
    }

    package func enqueue(_ job: consuming ExecutorJob) { append(.executor(UnownedJob(job))) }

    /// Runs a body on the lane, after everything that was given to it before.
    package func submit(_ body: @escaping @Sendable () -> Void) { append(.body(body)) }

    /// Returns when everything that was given to the lane before is done.
    package func flush() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            submit { continuation.resume() }
        }
    }

    /// Lets an actor of this lane be entered from a body, without a task.
    package func checkIsolated() {
        precondition(thread.load(ordering: .relaxed) == UInt(pthread_self()), "not on the lane of this actor")
    }

    private func append(_ job: Job) {
        let (isTaken, isFirst) = queue.withLock { queue in
            guard attendant == nil || !queue.isStopped else { return (false, false) }
            queue.jobs.append(job)
            defer { queue.isAttended = true }
            return (true, !queue.isAttended)
        }
        guard let attendant else {
            if isFirst { start() }
            return signal.raise()
        }
        if isTaken { attendant.attend(self) }
    }

    /// Runs the first of the jobs that wait, on the calling thread. For the attendant alone.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    package func runNext() -> Bool {
        let next = queue.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
        guard let next else { return false }
        // One thread may attend to many lanes, and each knows only whether it is its turn.
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        run(next)
        thread.store(0, ordering: .relaxed)
        return true
    }

    private func run(_ job: Job) {
        switch job {
        case .executor(let job): job.runSynchronously(on: asUnownedSerialExecutor())
        case .body(let body): body()
        }
    }

    private func work() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        while true {
            signal.wait()
            let (jobs, isStopped) = queue.withLock { queue in
                defer { queue.jobs.removeAll(keepingCapacity: true) }
                return (queue.jobs, queue.isStopped)
            }
            for job in jobs { run(job) }
            if isStopped { return }
        }
    }

    /// Lets the thread end once its queue is empty. A lane without one drops what is in its queue.
    package func stop() {
        queue.withLock { queue in
            queue.isStopped = true
            if attendant != nil { queue.jobs = [] }
        }
        if attendant == nil { signal.raise() }
    }
}

/// The lanes of a process: a run is bound to one for as long as it is active.
package struct Lanes: Sendable {
    /// As many runs sync at once; the kernel joins their syncs into few writes.
    package static let standardCount = 64

    private let lanes: [Lane]
    private let loads: LaneLoads

    /// - Parameter make: gives a lane with this name.
    package init(count: Int = standardCount, _ make: (String) -> Lane = Lane.init(name:)) {
        lanes = (0..<count).map { make("waybill-run-\($0)") }
        loads = LaneLoads(count)
    }

    /// A lane with as few runs as any other has. Of several it is the first: where few runs are active, few threads are,
    /// and what their stacks and heaps are made of stays in the caches (one lane after the other costs a run alone a tenth
    /// more).
    package func take() -> LaneLease {
        let index = loads.take()
        return LaneLease(lanes[index], index, loads)
    }

    package func stop() { for lane in lanes { lane.stop() } }
}

/// A run's hold on a lane: the lane counts it until nobody has this any more.
package final class LaneLease: Sendable {
    package let lane: Lane
    private let index: Int
    private let loads: LaneLoads

    fileprivate init(_ lane: Lane, _ index: Int, _ loads: LaneLoads) {
        self.lane = lane
        self.index = index
        self.loads = loads
    }

    deinit { loads.giveBack(index) }
}

/// How many runs each lane has.
private final class LaneLoads: Sendable {
    private let loads: Mutex<[Int]>

    init(_ count: Int) { loads = Mutex(Array(repeating: 0, count: count)) }

    /// The first of the lanes that have the fewest.
    func take() -> Int {
        loads.withLock { loads in
            var least = 0
            for index in loads.indices where loads[index] < loads[least] { least = index }
            loads[least] += 1
            return least
        }
    }

    func giveBack(_ index: Int) { loads.withLock { $0[index] -= 1 } }
}

/// A number several threads count up.
package final class SharedCounter: Sendable {
    private let value = Atomic<Int>(0)
    package init() {}
    /// The number before.
    package func increment() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
