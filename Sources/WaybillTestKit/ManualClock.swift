import Synchronization
package import WaybillCore
package import WaybillPorts

/// A clock that stands until the test moves it, and the deadlines that hang on it.
///
/// Events are delivered on the stack of the one who moves the clock, each at its own time, in order; deadlines
/// that are past when they are set come with the next move, be it by zero.
package final class ManualClock: WallClock, TimerService {
    private struct State {
        var now: Timestamp
        var monotonicNanoseconds: UInt64 = 1_000_000_000
        var deadlines = DeadlineQueue<String, Timestamp>()
        var deliver: (@Sendable (TimerEvent) -> Void)?

        mutating func move(to later: Timestamp) {
            guard later > now else { return }
            monotonicNanoseconds += UInt64((later - now).microseconds) * 1000
            now = later
        }
    }

    private let state: Mutex<State>

    /// 2026-11-20T10:15:00Z unless said otherwise.
    package init(now: Timestamp = Timestamp(microseconds: 1_795_169_700_000_000)) {
        state = Mutex(State(now: now))
    }

    package func now() -> Timestamp { state.withLock { $0.now } }
    package var monotonicNanoseconds: UInt64 { state.withLock { $0.monotonicNanoseconds } }
    /// The earliest deadline; nil if there is none.
    package var nextDeadline: Timestamp? { state.withLock { $0.deadlines.earliest } }

    package func start(_ deliver: @escaping @Sendable (TimerEvent) -> Void) {
        state.withLock { $0.deliver = deliver }
    }

    package func schedule(_ key: String, at deadline: Timestamp) {
        state.withLock { $0.deadlines.set(key, to: deadline) }
    }

    package func cancel(_ key: String) {
        state.withLock { $0.deadlines.remove(key) }
    }

    package func stop() {
        state.withLock { state in
            state.deadlines.removeAll()
            state.deliver = nil
        }
    }

    /// Lets time pass.
    package func advance(by span: Duration = .zero) {
        precondition(span >= .zero, "time passes forwards; `step` sets the clock")
        let end = now() + span
        fire(until: end)
        state.withLock { $0.move(to: end) }
    }

    /// Sets the time of day, as an administrator does: no time passes.
    package func step(to now: Timestamp) {
        state.withLock { $0.now = now }
        fire(until: now)
        state.withLock { $0.deliver }?(.clockStepped)
    }

    /// Goes to each deadline in turn and delivers it; what a receiver sets meanwhile counts too.
    private func fire(until end: Timestamp) {
        while true {
            let due = state.withLock { state -> (@Sendable () -> Void)? in
                guard let deliver = state.deliver, let (key, deadline) = state.deadlines.popDue(end) else { return nil }
                if deadline > state.now { state.move(to: deadline) }
                return { deliver(.due(key: key, deadline: deadline)) }
            }
            guard let due else { return }
            due()
        }
    }
}
