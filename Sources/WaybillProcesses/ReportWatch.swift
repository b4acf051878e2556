import CLinux
import Glibc
import Synchronization
import WaybillPorts

/// The one thread that waits for what monitors report.
final class ReportWatch: @unchecked Sendable {
    // `table` is the only state that other threads touch; the rest is never changed, or the thread's own.

    private struct Table {
        var processes: [UInt64: SupervisedProcess] = [:]
        var nextID: UInt64 = 1
        var isClosed = false
        var isEnding = false
    }

    private static let eventsAtOnce = 64
    private static let bufferBytes = 16 << 10
    /// The `u64` of the event that announces the end; processes count from 1.
    private static let wakeEvent: UInt64 = 0

    private let table = Mutex(Table())
    private let epoll: Int32
    private let wake: Int32
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 16)

    init() throws(LaunchError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, wake >= 0 else { throw LaunchError.system(errno, "cannot wait for programs") }
        try watch(wake, Self.wakeEvent)
    }

    deinit {
        if epoll >= 0 { close(epoll) }
        if wake >= 0 { close(wake) }
        buffer.deallocate()
    }

    // MARK: For other threads

    /// - Throws: `shutDown`.
    func checkOpen() throws(LaunchError) {
        if table.withLock({ $0.isClosed }) { throw Self.closed }
    }

    private static let closed = LaunchError(code: .shutDown, message: "the launcher was shut down")

    /// Waits for what a process reports from now on.
    ///
    /// - Throws: `shutDown`; `noResources` if the kernel can watch no more descriptors.
    func add(_ process: SupervisedProcess) throws(LaunchError) {
        let id = table.withLock { table -> UInt64? in
            guard !table.isClosed else { return nil }
            defer { table.nextID += 1 }
            table.processes[table.nextID] = process
            return table.nextID
        }
        guard let id else { throw Self.closed }
        do throws(LaunchError) {
            try watch(process.report, id)
        } catch {
            remove(id)
            throw error
        }
    }

    /// Lets go of what outlives the launcher, kills the rest, and has `run` return once that has ended.
    func shutDown() {
        let ending = table.withLock { table in
            table.isClosed = true
            let leaving = table.processes.filter { $0.value.files != nil }
            for id in leaving.keys { table.processes[id] = nil }
            return (leaving: leaving.values, killed: table.processes.values)
        }
        for process in ending.leaving { process.forget() }
        for process in ending.killed { process.kill() }
        table.withLock { $0.isEnding = true }
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
    }

    // MARK: The thread

    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsAtOnce)
        while !table.withLock({ $0.isEnding && $0.processes.isEmpty }) {
            let count = epoll_wait(epoll, &events, Int32(events.count), -1)
            for index in 0..<Int(max(count, 0)) { handle(events[index].data.u64) }
        }
    }

    private func handle(_ event: UInt64) {
        guard event != Self.wakeEvent else {
            var count: UInt64 = 0
            _ = read(wake, &count, 8)
            return
        }
        guard let process = table.withLock({ $0.processes[event] }) else { return }
        switch process.hear(buffer) {
        case .more: return
        case .outcome(let outcome):
            remove(event)
            process.end(outcome)
        case .silence:
            remove(event)
            process.end(process.settle())
        }
    }

    private func remove(_ id: UInt64) {
        table.withLock { $0.processes[id] = nil }
    }

    /// The descriptor leaves the set by being closed.
    private func watch(_ descriptor: Int32, _ data: UInt64) throws(LaunchError) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = data
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw LaunchError.system(errno, "cannot wait for one more program")
        }
    }
}
