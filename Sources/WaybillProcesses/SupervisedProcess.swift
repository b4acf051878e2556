import CLinux
import Glibc
import Synchronization
import SystemPackage
import WaybillCore
import WaybillPorts

/// A program under its monitor, from here: what it reports, and how it is stopped.
final class SupervisedProcess: RunningProcess, Sendable {
    private struct State {
        /// The reading end of the monitor's report; -1 once all was said.
        var report: Int32
        var said = MonitorReport()
        var monitor: (pid: Int32, token: UInt32)?
        var mark: ProcessMark?
        /// Orders that came before it was known who is to get them.
        var orders: [Int32] = []
        /// Nil once it was called.
        var ended: (@Sendable (ProcessOutcome?) -> Void)?
    }

    /// Nil for a program that ends with its launcher.
    let files: AttemptFiles?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - report: taken over.
    ///   - identity: what the lock's file says, of an adopted program.
    init(
        report: OwnedDescriptor?, files: AttemptFiles?, identity: AttemptFiles.Identity? = nil,
        ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) {
        self.files = files
        state = Mutex(
            State(
                report: report?.take() ?? -1, monitor: identity.map { ($0.monitor, $0.token) }, mark: identity?.mark,
                ended: ended))
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
        state.monitor = (start.monitor, start.token)
        state.mark = ProcessMark(value: start.tag, mask: start.mask, notBefore: 0)
        for order in state.orders { send(order, state) }
        state.orders = []
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

    /// As long as the report's other end is open the monitor lives, and its number is its own. It is asked after the
    /// descriptor was taken: what is held then is that monitor and no later process. Should it be at another attempt
    /// when it reads the signal, the token tells it.
    private static func send(_ value: Int32, _ state: State) {
        guard let monitor = state.monitor, state.report >= 0 else { return }
        let descriptor = waybill_pidfd_open(monitor.pid)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var hungUp = pollfd(fd: state.report, events: 0, revents: 0)
        guard poll(&hungUp, 1, 0) == 0 else { return }
        _ = wb_send_stop(descriptor, monitor.token, value)
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
            }
        }
        let outcome = outcome()
        if outcome == nil { _ = mark?.sweep() }
        unlink(fifo.string)
        return outcome
    }
}
