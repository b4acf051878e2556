import CLinux
import Glibc
import Synchronization
import SystemPackage
import WaybillCore
import WaybillPorts

/// A program under its monitor, from here: what it reports, and how it is stopped.
final class SupervisedProcess: RunningProcess, Sendable {
    private struct State {
        /// The reading end of the monitor's report; -1 once all was said, and of an adopted program.
        var report: Int32
        /// Held by the monitor; of an adopted program.
        var lock: OwnedDescriptor?
        var said = MonitorReport()
        var monitor: (pid: Int32, token: UInt32)?
        var mark: ProcessMark?
        /// Orders that came before it was known who is to get them.
        var orders: [Int32] = []
        /// Nil once it was called.
        var ended: (@Sendable (ProcessOutcome?) -> Void)?
    }

    /// Between two looks at what lasts no longer than it takes to hand over a message.
    private static let glanceMilliseconds: Int32 = 10

    /// Nil for a program that ends with its launcher.
    let files: AttemptFiles?
    private let state: Mutex<State>

    /// - Parameter report: taken over.
    init(report: OwnedDescriptor, files: AttemptFiles?, ended: @escaping @Sendable (ProcessOutcome?) -> Void) {
        self.files = files
        state = Mutex(State(report: report.take(), ended: ended))
    }

    /// A program that another process launched.
    /// - Parameter lock: its monitor's, held by that at this moment.
    init(lock: sending OwnedDescriptor, files: AttemptFiles, ended: @escaping @Sendable (ProcessOutcome?) -> Void) {
        self.files = files
        state = Mutex(State(report: -1, lock: lock, ended: ended))
        _ = state.withLock { Self.identify(&$0) }
    }

    deinit {
        state.withLock { state in
            if state.report >= 0 { close(state.report) }
        }
    }

    /// The descriptor to wait on.
    var report: Int32 { state.withLock { $0.report } }
    var said: MonitorReport { state.withLock { $0.said } }

    // MARK: - Hearing

    /// What a look at the report came to.
    enum News {
        case more
        case outcome(ProcessOutcome)
        /// The monitor is gone, and did not say how the program ended.
        case silence
    }

    /// Reads what is there.
    func hear(_ buffer: UnsafeMutableRawBufferPointer) -> News {
        state.withLock { state in
            guard state.report >= 0 else { return .more }
            while true {
                let count = read(state.report, buffer.baseAddress, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN { return .more }
                guard count > 0 else { return .silence }
                state.said.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                if let start = state.said.start, state.monitor == nil { Self.know(start, &state) }
                if let outcome = state.said.outcome { return .outcome(outcome) }
            }
        }
    }

    /// Waits until the monitor has said something, or is gone, or time is up.
    func awaitStart(milliseconds: Int32) -> News {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 16) { buffer in
            var news = News.more
            while case .more = news, said.start == nil, said.refusal == nil {
                var waiting = pollfd(fd: report, events: Int16(POLLIN), revents: 0)
                let count = poll(&waiting, 1, milliseconds)
                if count == 0 { return .more }
                if count > 0 { news = hear(buffer) }
            }
            return news
        }
    }

    private static func know(_ start: MonitorReport.Start, _ state: inout State) {
        state.mark = ProcessMark(value: start.tag, mask: start.mask, notBefore: 0)
        know((start.monitor, start.token), &state)
    }

    private static func know(_ monitor: (pid: Int32, token: UInt32), _ state: inout State) {
        state.monitor = monitor
        for order in state.orders { send(order, state) }
        state.orders = []
    }

    /// Of an adopted program: looks who has it.
    /// - Returns: whether nothing more is to be learned.
    private static func identify(_ state: inout State) -> Bool {
        guard state.monitor == nil, let lock = state.lock else { return true }
        if let identity = AttemptFiles.identity(in: lock) {
            state.mark = identity.mark
            know((identity.monitor, identity.token), &state)
            return true
        }
        return wb_is_locked(lock.number) == 0 || AttemptFiles.wasBegun(lock)
    }

    /// Of an adopted program: waits until its monitor, which may not have come as far, has said who it is.
    func awaitIdentity() {
        while !state.withLock({ Self.identify(&$0) }) { poll(nil, 0, Self.glanceMilliseconds) }
    }

    /// Calls back, once.
    func end(_ outcome: ProcessOutcome?) {
        forget()?(outcome)
    }

    /// Hears no more, and has nobody called back any more.
    @discardableResult
    func forget() -> (@Sendable (ProcessOutcome?) -> Void)? {
        state.withLock { state in
            if state.report >= 0 { close(state.report) }
            state.report = -1
            state.lock = nil
            defer { state.ended = nil }
            return state.ended
        }
    }

    /// After the monitor's silence: makes sure that nothing of the program lives.
    ///
    /// - Returns: the outcome, if the monitor left it.
    func settle() -> ProcessOutcome? {
        let mark = state.withLock { $0.mark }
        guard let files else {
            _ = mark?.sweep()
            return nil
        }
        return files.settle(mark)
    }

    // MARK: - Stopping

    var pid: Int32? { state.withLock { $0.said.start?.program } }

    func terminate(grace: Duration?) {
        guard let grace else { return order(Int32(WB_STOP_GRACE_OF_REQUEST)) }
        // Rounded up: a grace is at least what it says.
        let milliseconds = (max(0, grace.microseconds) + 999) / 1_000
        order(Int32(clamping: milliseconds))
    }

    func kill() { order(Int32(WB_STOP_AT_ONCE)) }

    private func order(_ value: Int32) {
        state.withLock { state in
            if state.monitor == nil { state.orders.append(value) } else { Self.send(value, state) }
        }
    }

    /// As long as the report's other end is open, or the lock is held, the monitor lives, and its number is its own. That
    /// is asked after the descriptor was taken: what is held then is that monitor and no later process. Should it be at
    /// another attempt when it reads the signal, the token tells it.
    private static func send(_ value: Int32, _ state: State) {
        guard let monitor = state.monitor else { return }
        let descriptor = waybill_pidfd_open(monitor.pid)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard isAttended(state) else { return }
        _ = wb_send_stop(descriptor, monitor.token, value)
    }

    private static func isAttended(_ state: State) -> Bool {
        if let lock = state.lock { return wb_is_locked(lock.number) == 1 }
        guard state.report >= 0 else { return false }
        var hungUp = pollfd(fd: state.report, events: 0, revents: 0)
        return poll(&hungUp, 1, 0) == 0
    }
}

extension AttemptFiles {
    private static let boot: String = {
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes[..<max(0, count)].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }()

    /// Waits until the lock is free, which is a matter of moments once the report has ended, kills what the monitor
    /// could not kill any more, and looks for an outcome.
    func settle(_ mark: ProcessMark? = nil) -> ProcessOutcome? {
        var mark = mark
        if let lock = try? openLock() {
            _ = wb_wait_unlocked(lock.number)
            if let identity = Self.identity(in: lock) {
                // After another boot, and in a copy, the mark is somebody else's, if anybody's.
                mark = identity.boot == Self.boot && !identity.isCopy ? mark ?? identity.mark : nil
            } else {
                finish(lock)
            }
        }
        let outcome = outcome()
        if outcome == nil { _ = mark?.sweep() }
        return outcome
    }
}
