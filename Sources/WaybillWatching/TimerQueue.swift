import CLinux
import Glibc
import Synchronization
package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// Deadlines by the system's clock, with one thread that sleeps in the kernel until the earliest.
///
/// The kernel's timer is absolute on `CLOCK_REALTIME`, so that it follows the clock wherever it is set, and is
/// cancelled by every such step (`timerfd_create(2)`, `TFD_TIMER_CANCEL_ON_SET`), so that we hear of it.
/// It lives until `stop`, which must not be called from `deliver`.
package final class TimerQueue: TimerService {
    private struct State {
        var deadlines = DeadlineQueue<String, Timestamp>()
        var deliver: (@Sendable (TimerEvent) -> Void)?
        /// What the kernel's timer is set to; nil if it is not.
        var armed: Timestamp?
        var thread: DedicatedThread?
        var isStopped = false
    }

    private enum Wakening {
        case due
        case clockStepped
    }

    private let timer: Int32
    private let wake: Int32
    private let clock = SystemClock()
    private let state = Mutex(State())

    /// - Throws: The system's error for want of descriptors or threads.
    package init() throws(Errno) {
        timer = timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard timer >= 0 else { throw Errno(rawValue: errno) }
        wake = eventfd(0, Int32(EFD_CLOEXEC))
        guard wake >= 0 else {
            let cause = Errno(rawValue: errno)
            close(timer)
            throw cause
        }
        guard let thread = DedicatedThread(name: "timers", { [self] in run() }) else {
            close(timer)
            close(wake)
            throw .resourceTemporarilyUnavailable
        }
        state.withLock { $0.thread = thread }
    }

    package func start(_ deliver: @escaping @Sendable (TimerEvent) -> Void) {
        state.withLock { state in
            state.deliver = deliver
            arm(&state)
        }
    }

    package func schedule(_ key: String, at deadline: Timestamp) {
        state.withLock { state in
            state.deadlines.set(key, to: deadline)
            arm(&state)
        }
    }

    package func cancel(_ key: String) {
        state.withLock { state in
            state.deadlines.remove(key)
            arm(&state)
        }
    }

    package func stop() {
        let thread = state.withLock { state in
            state.isStopped = true
            state.deadlines.removeAll()
            defer { state.thread = nil }
            return state.thread
        }
        guard let thread else { return }
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
        thread.join()
        close(timer)
        close(wake)
    }

    /// Sets the kernel's timer to the earliest deadline; with none it is set to the end of time, so that steps of
    /// the clock are heard of.
    private func arm(_ state: inout State) {
        guard state.deliver != nil, !state.isStopped else { return }
        let earliest = state.deadlines.earliest ?? .latest
        guard state.armed != earliest else { return }
        // Zero would disarm it, and the past is the past.
        let microseconds = max(earliest.microseconds, 1)
        var setting = itimerspec()
        setting.it_value.tv_sec = Int(microseconds / 1_000_000)
        setting.it_value.tv_nsec = Int(microseconds % 1_000_000) * 1000
        timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME) | Int32(TFD_TIMER_CANCEL_ON_SET), &setting, nil)
        state.armed = earliest
    }

    private func run() {
        var sources = [
            pollfd(fd: timer, events: Int16(POLLIN), revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            _ = poll(&sources, 2, -1)
            if sources[1].revents != 0 { return }
            guard let wakening = takeWakening() else { continue }
            state.withLock { $0.armed = nil }
            deliverDue()
            if wakening == .clockStepped { state.withLock { $0.isStopped ? nil : $0.deliver }?(.clockStepped) }
        }
    }

    private func takeWakening() -> Wakening? {
        var expirations: UInt64 = 0
        if read(timer, &expirations, 8) == 8 { return .due }
        return errno == ECANCELED ? .clockStepped : nil
    }

    private func deliverDue() {
        while true {
            let due = state.withLock { state -> (@Sendable () -> Void)? in
                guard let deliver = state.deliver, let (key, deadline) = state.deadlines.popDue(clock.now()) else {
                    arm(&state)
                    return nil
                }
                return { deliver(.due(key: key, deadline: deadline)) }
            }
            guard let due else { return }
            due()
        }
    }
}
