import Synchronization

/// A number of places that work must hold while it is done, given in the order of the requests.
package final class Slots: Sendable {
    private struct State {
        var free: Int
        var waiting: [(id: Int, start: @Sendable () -> Void)] = []
        var nextID = 0
    }

    private let state: Mutex<State>

    package init(_ count: Int) { state = Mutex(State(free: count)) }

    /// Calls `start` now if a place is free, else when one becomes free. `start` must not block: it hands over.
    package func take(_ start: @escaping @Sendable () -> Void) {
        let isFree = state.withLock { state in
            if state.free > 0 {
                state.free -= 1
                return true
            }
            state.waiting.append((state.nextID, start))
            state.nextID += 1
            return false
        }
        if isFree { start() }
    }

    /// Takes a place for what cannot wait for one because it is under way: others wait for it, even beyond the number.
    package func occupy() { state.withLock { $0.free -= 1 } }

    /// Gives a place back, to the one who waits longest.
    package func give() {
        let next = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.free >= 0, !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().start
        }
        next?()
    }
}
