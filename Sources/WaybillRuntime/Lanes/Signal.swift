import Glibc
import Synchronization

/// A semaphore that counts to one: a wait returns once for any number of raises before it.
package final class Signal: @unchecked Sendable {
    // `sem_t` must not move, hence the allocation; only the four functions of semaphore.h touch it.
    private let semaphore: UnsafeMutablePointer<sem_t>
    private let isRaised = Atomic<Bool>(false)

    package init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    package func raise() {
        if !isRaised.exchange(true, ordering: .acquiringAndReleasing) { sem_post(semaphore) }
    }

    package func wait() {
        while sem_wait(semaphore) != 0 {}
        // A raise that finds the signal raised leaves no other trace: what came before it is seen from here on.
        _ = isRaised.exchange(false, ordering: .acquiringAndReleasing)
    }
}
