import Synchronization
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts

/// What the lanes of runs and the thread that calls hooks share. Nothing here touches a disk.
final class HookDispatcher: Sendable {
    private struct State {
        var queues: HookQueues
        var progress: [RunID: HookProgress] = [:]
        /// Events that lay in the spool and were delivered before their run was opened.
        var recovered: Set<SpooledEvent> = []
        var outcomes: [(HookCall, ProcessOutcome?)] = []
        /// Runs whose cursor may be written.
        var dirty: Set<RunID> = []
        /// Whether the spool holds what the queues do not. Then new events stay there too, so that order is kept.
        var needsScan = false
        /// How often an event was left in the spool.
        var skipped = 0
        /// Files in the spool, as far as this process knows.
        var spooled = 0
        var hasTrouble = false
        var failures: [HookFailure] = []
        var newFailures: [HookFailure] = []
        var drains: [CheckedContinuation<Void, Never>] = []
        var isOutOfTime = false
        var isStopped = false
    }

    /// Recovered events that are remembered; beyond that some may be delivered twice.
    private static let remembered = 8_192

    let limits: HookLimits
    let signal = Signal()
    private let report: @Sendable (HookFailure) -> Void
    /// Whether any run was ever taken in: without hooks none is, and then the lanes need not wait for each other here.
    private let hasRuns = Atomic(false)
    private let state: Mutex<State>

    init(limits: HookLimits, report: @escaping @Sendable (HookFailure) -> Void) {
        self.limits = limits
        self.report = report
        state = Mutex(State(queues: HookQueues(limits: limits)))
    }

    // MARK: - From the lanes

    /// Up to where a run was taken in; nil if it is not known at all.
    func end(of run: RunID) -> LedgerHead? { state.withLock { $0.progress[run]?.end } }
    func knows(_ run: RunID) -> Bool { state.withLock { $0.progress[run] != nil } }
    func hasRecovered(_ event: SpooledEvent) -> Bool { state.withLock { $0.recovered.contains(event) } }
    func isQueued(_ event: SpooledEvent) -> Bool { state.withLock { $0.queues.contains(event) } }
    /// Whether the spool takes no more for now.
    var isFull: Bool { state.withLock { $0.spooled >= limits.spooled } }

    /// Sets where a run's ledger was gone through up to, as its cursor says it.
    func open(_ run: RunID, at done: LedgerHead?) {
        hasRuns.store(true, ordering: .relaxed)
        state.withLock { state in
            state.progress[run] = HookProgress(done: done)
            state.recovered = state.recovered.filter { $0.run != run }
        }
    }

    /// Takes in what was spooled of decisions up to `head`.
    /// - Returns: whether there is something to do.
    func add(_ events: [(event: SpooledEvent, hooks: [String])], lost: Int, of run: RunID, upTo head: LedgerHead)
        -> Bool
    {
        hasRuns.store(true, ordering: .relaxed)
        return state.withLock { state in
            var progress = state.progress[run] ?? HookProgress(done: nil)
            progress.add(events.count, lost: lost, upTo: head)
            state.progress[run] = progress
            if progress.lag >= limits.cursorLag { state.dirty.insert(run) }
            for (event, hooks) in events where !state.queues.contains(event) {
                state.spooled += 1
                if state.needsScan || state.queues.count >= limits.queued {
                    state.needsScan = true
                    state.skipped += 1
                } else {
                    state.queues.add(event, hooks: hooks)
                }
            }
            return !state.isStopped && (!events.isEmpty || !state.dirty.isEmpty)
        }
    }

    /// - Returns: whether the cursor goes now, and not with the last delivery.
    func forget(_ run: RunID) -> Bool {
        // What is not taken in on this run's own lane is none of its own.
        guard hasRuns.load(ordering: .relaxed) else { return true }
        return state.withLock { state in
            guard let progress = state.progress[run], !progress.isIdle, !progress.hasLost else {
                state.progress[run] = nil
                return true
            }
            state.progress[run]?.isEnded = true
            return false
        }
    }

    /// Whether there is something to call or to write down.
    var hasWork: Bool {
        state.withLock { state in
            state.needsScan || !state.queues.isEmpty || !state.newFailures.isEmpty
                || state.progress.values.contains { $0.done != $0.written }
        }
    }

    func requestScan() { state.withLock { $0.needsScan = true } }

    // MARK: - Failures

    /// The newest, oldest first.
    var failures: [HookFailure] { state.withLock { $0.failures } }

    func fail(_ failure: HookFailure) {
        state.withLock { state in
            state.failures = Array((state.failures + [failure]).suffix(limits.failures))
            state.newFailures = Array((state.newFailures + [failure]).suffix(limits.failures))
        }
        report(failure)
    }

    /// An event could not be spooled: said once, until spooling works again.
    func failToSpool(_ failure: HookFailure) {
        let isNew = state.withLock { state in
            defer { state.hasTrouble = true }
            return !state.hasTrouble
        }
        if isNew { fail(failure) }
    }

    func spoolWorks() { state.withLock { $0.hasTrouble = false } }
    func takeNewFailures() -> [HookFailure] { state.withLock { state in exchange(&state.newFailures, []) } }

    // MARK: - From the thread

    func next(now: Timestamp) -> HookQueues.Call? {
        state.withLock { $0.isStopped ? nil : $0.queues.next(now: now) }
    }

    var nextDue: Timestamp? { state.withLock { $0.queues.nextDue } }
    func forgetDelays() { state.withLock { $0.queues.forgetDelays() } }

    func note(_ outcome: ProcessOutcome?, of call: HookCall) {
        state.withLock { $0.outcomes.append((call, outcome)) }
        signal.raise()
    }

    func takeOutcomes() -> [(HookCall, ProcessOutcome?)] { state.withLock { state in exchange(&state.outcomes, []) } }

    /// - Returns: also whether the event was tried with every hook now.
    func ended(_ call: HookQueues.Call, succeeded: Bool, now: Timestamp) -> (verdict: HookQueues.Verdict, isDone: Bool)
    {
        state.withLock { state in
            let verdict = state.queues.ended(call, succeeded: succeeded, now: now)
            return (verdict, !state.queues.contains(call.event))
        }
    }

    func postpone(_ call: HookQueues.Call, until due: Timestamp) {
        state.withLock { $0.queues.postpone(call, until: due) }
    }

    func drop(_ event: SpooledEvent) { state.withLock { $0.queues.drop(event) } }

    /// Notes that an event is out of the spool.
    /// - Returns: whether it was the last one of a run that has ended.
    func finish(_ event: SpooledEvent) -> Bool {
        state.withLock { state in
            state.spooled = max(0, state.spooled - 1)
            guard var progress = state.progress[event.run] else {
                if state.recovered.count >= Self.remembered { state.recovered.removeAll() }
                state.recovered.insert(event)
                return false
            }
            progress.finish(event.seq)
            let isLast = progress.isEnded && progress.isIdle
            state.progress[event.run] = isLast ? nil : progress
            if !isLast { state.dirty.insert(event.run) }
            return isLast
        }
    }

    /// Whether the spool is to be gone through, and a mark for `scanned`; nil while the queues are well filled.
    func scanDue() -> Int? {
        state.withLock { state in
            state.needsScan && !state.isStopped && state.queues.count <= limits.queued / 2 ? state.skipped : nil
        }
    }

    func scanned(_ events: [(event: SpooledEvent, hooks: [String])], hasMore: Bool, total: Int, mark: Int) {
        state.withLock { state in
            for (event, hooks) in events { state.queues.add(event, hooks: hooks) }
            // What came into the spool behind the scan's back is found by the next one.
            state.needsScan = hasMore || state.skipped != mark
            state.spooled = total
        }
    }

    /// The cursors to write: those that moved, or all.
    func takeCursors(all: Bool) -> [(RunID, LedgerHead)] {
        state.withLock { state in
            let runs = all ? Array(state.progress.keys) : Array(state.dirty)
            state.dirty = []
            return runs.compactMap { run in
                guard let progress = state.progress[run], let done = progress.done, done != progress.written else {
                    return nil
                }
                state.progress[run]?.written = done
                return (run, done)
            }
        }
    }

    // MARK: - The end

    /// Calls what is left without delay, until `outOfTime`.
    /// - Returns: false if it is over already.
    func drain(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.queues.isHurried = true
            state.drains.append(continuation)
            return true
        }
    }

    func outOfTime() {
        state.withLock { $0.isOutOfTime = true }
        signal.raise()
    }

    /// Whether somebody waits for the end and it has come.
    var isDrained: Bool {
        state.withLock { state in
            !state.drains.isEmpty && (state.isOutOfTime || (state.queues.isEmpty && !state.needsScan))
        }
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Calls no more hooks. Events go on being spooled, for the next process.
    func stop() {
        let drains = state.withLock { state in
            state.isStopped = true
            return exchange(&state.drains, [])
        }
        for drain in drains { drain.resume() }
        signal.raise()
    }
}

/// Gives the old value and sets the new one.
private func exchange<Value>(_ place: inout Value, _ value: Value) -> Value {
    let old = place
    place = value
    return old
}
