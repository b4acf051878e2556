import Glibc
package import WaybillCore

/// Where the time comes from. The engine never asks: the runtime reads a clock and hands the time in.
///
/// It is not called `Clock`, so that Swift's own protocol keeps its name.
package protocol WallClock: Sendable {
    /// The time of day, with microseconds. It may step in both directions.
    func now() -> Timestamp
    /// Nanoseconds since some moment of this boot; they never go back, and stand still while the machine is suspended.
    var monotonicNanoseconds: UInt64 { get }
}

/// The clocks of the machine: `CLOCK_REALTIME` and `CLOCK_MONOTONIC`.
package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    package var monotonicNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// What a timer service reports.
package enum TimerEvent: Hashable, Sendable {
    /// The deadline of this key has come; the key is free again.
    case due(key: String, deadline: Timestamp)
    /// Somebody set the time of day. Deadlines were looked at again already; what was computed from "now"
    /// (the next slot of a schedule) deserves a second look.
    case clockStepped
}

/// Absolute deadlines by the time of day. They hold however the clock is set: a step forward over a deadline fires
/// it at once, a step back delays it.
package protocol TimerService: Sendable {
    /// Says where events go. Called once, before or after the first deadlines were set; nothing fires earlier.
    ///
    /// Events come one at a time, in the order of their deadlines, and never on the caller's stack of `schedule`.
    /// The receiver must not block: it hands over and returns.
    func start(_ deliver: @escaping @Sendable (TimerEvent) -> Void)
    /// Sets the deadline of a key and replaces an earlier one. A deadline in the past is due at once.
    func schedule(_ key: String, at deadline: Timestamp)
    /// Forgets a key; an unknown one is no error. An event that is being delivered right now may still arrive.
    func cancel(_ key: String)
    /// Forgets everything and gives the resources back. Nothing is delivered afterwards.
    func stop()
}
