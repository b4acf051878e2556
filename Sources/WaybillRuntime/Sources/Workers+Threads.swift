import Glibc
import Synchronization
package import WaybillManifests
import WaybillPorts

extension Workers {
    /// More threads would wait for memory, not for work.
    private static let most = 8
    /// Pieces a thread takes at a time.
    private static let share = 16

    /// The number of the next piece that nobody has taken.
    private final class Counter: Sendable {
        let next = Atomic(0)
    }

    /// As many threads as the machine has cores, the one that asks among them; they are gone when all is done.
    package static let threads = Workers { count, piece in
        let counter = Counter()
        withoutActuallyEscaping(piece) { piece in
            let takeShares: @Sendable () -> Void = {
                while true {
                    let first = counter.next.add(share, ordering: .relaxed).oldValue
                    guard first < count else { return }
                    for number in first..<min(first + share, count) { piece(number) }
                }
            }
            let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
            // Where the system has no thread to give, the others do its share.
            let others = (1..<min(cores, most)).compactMap { number in
                DedicatedThread(name: "reader-\(number)", takeShares)
            }
            takeShares()
            for thread in others { thread.join() }
        }
    }
}
