import Glibc
import Synchronization
import WaybillPorts

/// Plain threads that begin together.
enum PlainThreads {
    private final class Failure: Sendable {
        let first = Mutex<(any Error)?>(nil)
        let gate = Atomic<Bool>(false)
    }

    /// Runs a body on each of so many threads.
    ///
    /// - Returns: the seconds from the moment all may begin until the last has ended.
    static func time(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws -> Double {
        let state = Failure()
        let threads = (0..<count).map { number in
            DedicatedThread(name: "plain-\(number)") {
                while !state.gate.load(ordering: .acquiring) { sched_yield() }
                do {
                    try body(number)
                } catch {
                    state.first.withLock { $0 = error }
                }
            }
        }
        let watch = Stopwatch()
        state.gate.store(true, ordering: .releasing)
        for thread in threads {
            guard let thread else { throw BenchmarkError(description: "the system has no thread left") }
            thread.join()
        }
        let seconds = watch.seconds
        if let error = state.first.withLock({ $0 }) { throw error }
        return seconds
    }
}
