import Glibc

/// Threads that wait for each other.
final class Gathering: @unchecked Sendable {
    // The barrier lives at one address from its making to its end, and the calls that take it may run anywhere.
    private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)

    init(_ count: Int) {
        precondition(pthread_barrier_init(barrier, nil, UInt32(count)) == 0)
    }

    deinit {
        pthread_barrier_destroy(barrier)
        barrier.deallocate()
    }

    /// Returns once as many threads as were announced have come here.
    func meet() { pthread_barrier_wait(barrier) }
}
