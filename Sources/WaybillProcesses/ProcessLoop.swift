import CLinux
import Glibc
import Synchronization
import WaybillCore
import WaybillPorts

/// The one thread that waits for programs: for their ends, their output, their deadlines, and for orders.
///
/// Ends come through pidfds, so no SIGCHLD handler is needed and nobody else's child is ever collected.
final class ProcessLoop: @unchecked Sendable {
    // `inbox` is the only state that other threads touch; the rest belongs to the loop's thread.

    enum Command: Sendable {
        case add(Attempt)
        case terminate(id: UInt64, grace: Duration?)
        case kill(id: UInt64)
        /// The outcome of a program that never ran.
        case deliver(ProcessOutcome, to: @Sendable (ProcessOutcome) -> Void)
        case shutDown
    }

    private struct Inbox {
        var commands: [Command] = []
        var nextID: UInt64 = 1
        /// Programs that have not been collected: their process numbers are taken.
        var uncollected: Set<UInt64> = []
        /// Launches that will add an attempt or deliver an outcome.
        var launching = 0
        var isClosed = false
    }

    /// What an event of epoll is about, beside the attempt's id.
    private enum Source: UInt64 {
        case end = 0
        case stdout = 1
        case stderr = 2
    }

    private enum DeadlineKey: Hashable, Sendable {
        /// The timeout, then the end of the grace.
        case stop(UInt64)
        /// The next look at what a program left behind.
        case sweep(UInt64)
        /// Collecting orphans that ended while their program runs.
        case collect
    }

    private static let collectPauseNanoseconds: UInt64 = 5_000_000_000
    private static let shortestSweepPauseNanoseconds: UInt64 = 500_000
    private static let longestSweepPauseNanoseconds: UInt64 = 50_000_000
    /// How long what got KILL may take to go, until it is reported as still running.
    private static let killPatienceNanoseconds: UInt64 = 5_000_000_000
    private static let eventsAtOnce = 64
    private static let bufferBytes = 64 << 10
    /// The `u64` of the event that announces orders; attempts count from 1.
    private static let wakeEvent: UInt64 = 0

    private let inbox = Mutex(Inbox())
    private let epoll: Int32
    private let wake: Int32
    private let clock: any WallClock
    private let table = ProcessTable()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 4096)
    private var attempts: [UInt64: Attempt] = [:]
    private var deadlines = DeadlineQueue<DeadlineKey, UInt64>()
    private var isClosing = false

    init(clock: any WallClock) throws(LaunchError) {
        self.clock = clock
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, wake >= 0 else { throw LaunchError.system(errno, "cannot wait for programs") }
        watch(wake, data: Self.wakeEvent)
    }

    deinit {
        if epoll >= 0 { close(epoll) }
        if wake >= 0 { close(wake) }
        buffer.deallocate()
    }

    // MARK: For other threads

    /// Announces a launch, which must be followed by `add` or `deliver`, or `giveUpLaunch`.
    ///
    /// - Throws: `shutDown`.
    func beginLaunch() throws(LaunchError) -> UInt64 {
        let id: UInt64? = inbox.withLock { inbox in
            guard !inbox.isClosed else { return nil }
            inbox.launching += 1
            inbox.nextID += 1
            return inbox.nextID - 1
        }
        guard let id else { throw LaunchError(code: .shutDown, message: "the launcher was shut down") }
        return id
    }

    func giveUpLaunch() {
        inbox.withLock { $0.launching -= 1 }
        ring()
    }

    func send(_ command: Command) {
        let isFirst = inbox.withLock { inbox in
            switch command {
            case .add(let attempt):
                inbox.launching -= 1
                inbox.uncollected.insert(attempt.id)
            case .deliver: inbox.launching -= 1
            case .shutDown: inbox.isClosed = true
            case .terminate, .kill: break
            }
            inbox.commands.append(command)
            return inbox.commands.count == 1
        }
        if isFirst { ring() }
    }

    /// Whether the program's process number is still its own.
    func isUncollected(_ id: UInt64) -> Bool { inbox.withLock { $0.uncollected.contains(id) } }

    private func ring() {
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
    }

    // MARK: The loop

    /// Runs until it is told to shut down and nothing runs any more.
    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsAtOnce)
        while true {
            let count = epoll_wait(epoll, &events, Int32(events.count), waitMilliseconds())
            for index in 0..<Int(max(count, 0)) { handle(events[index].data.u64) }
            fireDeadlines()
            let isOver = isClosing && attempts.isEmpty && inbox.withLock { $0.launching == 0 && $0.commands.isEmpty }
            if isOver { return }
        }
    }

    private func handle(_ event: UInt64) {
        guard event != Self.wakeEvent else { return obey() }
        // An attempt may have been finished by an earlier event of the same batch.
        guard let attempt = attempts[event >> 2], let source = Source(rawValue: event & 3) else { return }
        switch source {
        case .end: firstProcessEnded(attempt)
        case .stdout:
            if attempt.stdout?.pump(buffer) == false { closeStdout(attempt) }
        case .stderr:
            if attempt.stderr?.pump(buffer) == false { closeStderr(attempt) }
        }
    }

    private func obey() {
        var count: UInt64 = 0
        _ = read(wake, &count, 8)
        let commands = inbox.withLock { inbox in
            defer { inbox.commands = [] }
            return inbox.commands
        }
        for command in commands {
            switch command {
            case .add(let attempt): add(attempt)
            case .terminate(let id, let grace):
                if let attempt = attempts[id] { terminate(attempt, .request, grace ?? attempt.request.grace) }
            case .kill(let id):
                if let attempt = attempts[id] { killNow(attempt) }
            case .deliver(let outcome, let ended): ended(outcome)
            case .shutDown:
                isClosing = true
                for attempt in attempts.values { killNow(attempt) }
            }
        }
    }

    private func add(_ attempt: Attempt) {
        if attempts.isEmpty { deadlines.set(.collect, to: clock.monotonicNanoseconds + Self.collectPauseNanoseconds) }
        attempts[attempt.id] = attempt
        watch(attempt.pidfd, data: attempt.id << 2 | Source.end.rawValue)
        if let pipe = attempt.stdout?.descriptor { watch(pipe, data: attempt.id << 2 | Source.stdout.rawValue) }
        if let pipe = attempt.stderr?.descriptor { watch(pipe, data: attempt.id << 2 | Source.stderr.rawValue) }
        if let timeout = attempt.request.timeout {
            deadlines.set(.stop(attempt.id), to: clock.monotonicNanoseconds.advanced(by: timeout))
        }
        // A launch that was under way when the end was called.
        if isClosing { killNow(attempt) }
    }

    // MARK: Stopping

    private func terminate(_ attempt: Attempt, _ reason: ProcessOutcome.Stop, _ grace: Duration) {
        guard attempt.killingSince == nil else { return }
        let ends = clock.monotonicNanoseconds.advanced(by: grace)
        if attempt.stop == nil {
            // What it left behind is being killed already: too late for manners.
            guard attempt.phase == .running else { return }
            attempt.stop = reason
            attempt.lineage.terminate(table)
        }
        let earliest = min(attempt.graceEnds ?? ends, ends)
        attempt.graceEnds = earliest
        deadlines.set(.stop(attempt.id), to: earliest)
    }

    private func killNow(_ attempt: Attempt) {
        if attempt.phase == .running, attempt.stop == nil { attempt.stop = .request }
        deadlines.remove(.stop(attempt.id))
        if attempt.killingSince == nil { attempt.killingSince = clock.monotonicNanoseconds }
        let found = attempt.lineage.kill(includingFirst: attempt.phase == .running, table)
        if attempt.phase == .sweeping { attempt.leftBehind.formUnion(found) }
    }

    private func fireDeadlines() {
        guard !deadlines.isEmpty else { return }
        let now = clock.monotonicNanoseconds
        while let (key, _) = deadlines.popDue(now) {
            switch key {
            case .stop(let id):
                guard let attempt = attempts[id] else { continue }
                if attempt.graceEnds == nil {
                    terminate(attempt, .timeout, attempt.request.grace)
                } else {
                    killNow(attempt)
                }
            case .sweep(let id):
                if let attempt = attempts[id] { sweep(attempt) }
            case .collect: collectOrphans(now)
            }
        }
    }

    // MARK: Ending

    private func firstProcessEnded(_ attempt: Attempt) {
        // The descriptor stays readable, and would wake us for ever.
        epoll_ctl(epoll, EPOLL_CTL_DEL, attempt.pidfd, nil)
        attempt.endedAt = clock.now()
        attempt.phase = .sweeping
        sweep(attempt)
    }

    /// Ends what the first process left behind, or finishes if there is nothing. After a TERM the rest has
    /// the same grace as the first process had.
    private func sweep(_ attempt: Attempt) {
        let orphans = attempt.lineage.livingOrphans(table)
        guard !orphans.isEmpty else { return finish(attempt, stillRunning: 0) }
        let now = clock.monotonicNanoseconds
        let isPatient = attempt.killingSince == nil && attempt.graceEnds.map { now < $0 } ?? false
        if !isPatient { killNow(attempt) }
        if let since = attempt.killingSince, now > since + Self.killPatienceNanoseconds {
            return finish(attempt, stillRunning: orphans.count)
        }
        attempt.sweepPauseNanoseconds = min(
            max(2 * attempt.sweepPauseNanoseconds, Self.shortestSweepPauseNanoseconds),
            Self.longestSweepPauseNanoseconds)
        deadlines.set(.sweep(attempt.id), to: now + attempt.sweepPauseNanoseconds)
    }

    private func finish(_ attempt: Attempt, stillRunning: Int) {
        attempts[attempt.id] = nil
        deadlines.remove(.stop(attempt.id))
        deadlines.remove(.sweep(attempt.id))
        if attempts.isEmpty { deadlines.remove(.collect) }
        // From here on the process number may come back as somebody else's.
        _ = inbox.withLock { $0.uncollected.remove(attempt.id) }
        attempt.ended(attempt.finish(stillRunning: stillRunning, at: clock.now(), buffer: buffer))
    }

    /// A long step may lose many children to us; the ended ones would fill the process table.
    private func collectOrphans(_ now: UInt64) {
        if !table.possibleOrphans().isEmpty {
            for attempt in attempts.values { _ = attempt.lineage.livingOrphans(table) }
        }
        deadlines.set(.collect, to: now + Self.collectPauseNanoseconds)
    }

    private func closeStdout(_ attempt: Attempt) {
        if let pipe = attempt.stdout?.descriptor { epoll_ctl(epoll, EPOLL_CTL_DEL, pipe, nil) }
    }

    private func closeStderr(_ attempt: Attempt) {
        if let pipe = attempt.stderr?.descriptor { epoll_ctl(epoll, EPOLL_CTL_DEL, pipe, nil) }
    }

    // MARK: epoll

    private func watch(_ descriptor: Int32, data: UInt64) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = data
        let added = epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
        // Only for want of kernel memory; a program whose end nobody hears of would hang its run for ever.
        precondition(added == 0, "the kernel cannot watch one more descriptor")
    }

    private func waitMilliseconds() -> Int32 {
        guard let earliest = deadlines.earliest else { return -1 }
        let now = clock.monotonicNanoseconds
        guard earliest > now else { return 0 }
        // Rounded up: waking before the deadline would spin.
        return Int32(min((earliest - now + 999_999) / 1_000_000, UInt64(Int32.max)))
    }
}

extension UInt64 {
    /// A moment in nanoseconds, later by a span; a negative one counts as none.
    fileprivate func advanced(by span: Duration) -> UInt64 {
        let nanoseconds = UInt64(Swift.max(span.microseconds, 0)).multipliedReportingOverflow(by: 1000)
        let (sum, overflowed) = addingReportingOverflow(nanoseconds.partialValue)
        return nanoseconds.overflow || overflowed ? .max : sum
    }
}
