import WaybillCore
import WaybillPorts

/// The clock of a world, which is moved by it alone.
final class SimulatedClock: WallClock, @unchecked Sendable {
    // One thread drives a world and everything in it.
    unowned let world: World

    init(_ world: World) { self.world = world }

    /// No two looks at the clock see the same microsecond.
    func now() -> Timestamp {
        world.outside.pass(.microseconds(1))
        return world.outside.now
    }

    var monotonicNanoseconds: UInt64 { world.outside.monotonicNanoseconds }
}

/// The deadlines of one process.
final class SimulatedTimers: TimerService, @unchecked Sendable {
    private var deadlines = DeadlineQueue<String, Timestamp>()
    private var planned: [String: Timestamp] = [:]
    private var deliver: (@Sendable (TimerEvent) -> Void)?

    func start(_ deliver: @escaping @Sendable (TimerEvent) -> Void) { self.deliver = deliver }
    func schedule(_ key: String, at deadline: Timestamp) {
        deadlines.set(key, to: deadline)
        planned[key] = deadline
    }

    func cancel(_ key: String) {
        deadlines.remove(key)
        planned[key] = nil
    }

    func stop() {
        deadlines.removeAll()
        planned = [:]
        deliver = nil
    }

    /// What has a deadline.
    var keys: some Sequence<String> { planned.keys }
    var latest: Timestamp? { planned.values.max() }
    var earliest: Timestamp? { deliver == nil ? nil : deadlines.earliest }

    /// Delivers what is due.
    func fire(_ now: Timestamp) {
        while let deliver, let (key, deadline) = deadlines.popDue(now) {
            planned[key] = nil
            deliver(.due(key: key, deadline: deadline))
        }
    }

    func clockWasSet() { deliver?(.clockStepped) }
}
