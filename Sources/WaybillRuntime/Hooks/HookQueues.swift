import WaybillCore

/// Who is called next: pure bookkeeping of events that wait for hooks.
///
/// Each hook has a queue of its own, so that one that hangs or fails holds up nobody else. It is called for one event at
/// a time and hears the events of a run in their order: while one of them waits for its next attempt, later ones of that
/// run wait behind it, and those of other runs go on.
struct HookQueues: Sendable {
    /// One attempt to tell one hook of one event.
    struct Call: Sendable, Hashable {
        let event: SpooledEvent
        let hook: String
        /// From 1.
        let attempt: Int
    }

    /// What became of a call's event at its hook.
    enum Verdict: Sendable, Hashable {
        case retry(at: Timestamp)
        /// Tried for the last time.
        case gaveUp
        case delivered
    }

    private struct Item {
        let event: SpooledEvent
        var attempts = 0
        var notBefore: Timestamp?
        /// Whether it waits for somebody else and not for a better moment to try again.
        var isPostponed = false
    }

    private struct Queue {
        var items: [Item] = []
        /// Whom the hook is called for.
        var calling: SpooledEvent?
        /// Events in a row that were given up.
        var givenUp = 0
    }

    /// A hook that was given up on so often in a row gets one attempt an event.
    private static let patience = 3

    private let limits: HookLimits
    private var queues: [String: Queue] = [:]
    /// The names of the queues; who was called last is at the end.
    private var turns: [String] = []
    /// How many hooks each event still has to be tried with.
    private var pending: [SpooledEvent: Int] = [:]
    private(set) var calls = 0
    /// Attempts follow each other without delay: the process is about to end.
    var isHurried = false

    init(limits: HookLimits) { self.limits = limits }

    /// Events that are not tried with every hook yet.
    var count: Int { pending.count }
    var isEmpty: Bool { pending.isEmpty }
    func contains(_ event: SpooledEvent) -> Bool { pending[event] != nil }

    /// Takes an event in, behind the earlier ones of its run.
    mutating func add(_ event: SpooledEvent, hooks: [String]) {
        guard pending[event] == nil, !hooks.isEmpty else { return }
        pending[event] = hooks.count
        for hook in hooks {
            if queues[hook] == nil { turns.append(hook) }
            queues[hook, default: Queue()].items.append(Item(event: event))
        }
    }

    /// The next call to make, if a place is free and somebody's time has come.
    mutating func next(now: Timestamp) -> Call? {
        guard calls < limits.concurrency else { return nil }
        for (place, hook) in turns.enumerated() {
            guard let queue = queues[hook], queue.calling == nil, let item = firstReady(in: queue, now) else {
                continue
            }
            queues[hook]?.calling = item.event
            calls += 1
            turns.append(turns.remove(at: place))
            return Call(event: item.event, hook: hook, attempt: item.attempts + 1)
        }
        return nil
    }

    private func firstReady(in queue: Queue, _ now: Timestamp) -> Item? {
        var held: Set<RunID> = []
        for item in queue.items where !held.contains(item.event.run) {
            if isReady(item, now) { return item }
            held.insert(item.event.run)
        }
        return nil
    }

    private func isReady(_ item: Item, _ now: Timestamp) -> Bool {
        guard let due = item.notBefore, due > now else { return true }
        return isHurried && !item.isPostponed
    }

    /// When the earliest of the delayed attempts is due; nil if none is delayed.
    var nextDue: Timestamp? {
        queues.values.filter { $0.calling == nil }.flatMap(\.items).compactMap(\.notBefore).min()
    }

    /// Lets every delayed attempt be made now: somebody has set the clock, and delays are meant to be short.
    mutating func forgetDelays() {
        for hook in turns {
            guard let count = queues[hook]?.items.count else { continue }
            for index in 0..<count { queues[hook]?.items[index].notBefore = nil }
        }
    }

    /// Notes how a call ended.
    mutating func ended(_ call: Call, succeeded: Bool, now: Timestamp) -> Verdict {
        guard var queue = free(call), let index = queue.items.firstIndex(where: { $0.event == call.event }) else {
            return .delivered
        }
        defer { keep(queue, of: call.hook) }
        if succeeded {
            queue.givenUp = 0
            queue.items.remove(at: index)
            settle(call.event)
            return .delivered
        }
        let allowed = queue.givenUp >= Self.patience ? 1 : limits.attempts
        guard call.attempt < allowed else {
            queue.givenUp += 1
            queue.items.remove(at: index)
            settle(call.event)
            return .gaveUp
        }
        let due = now + limits.delay(before: call.attempt + 1)
        queue.items[index].attempts = call.attempt
        queue.items[index].notBefore = due
        queue.items[index].isPostponed = false
        return .retry(at: due)
    }

    /// Puts a call off that could not be made for reasons that are not the hook's; it does not count.
    mutating func postpone(_ call: Call, until due: Timestamp) {
        guard var queue = free(call), let index = queue.items.firstIndex(where: { $0.event == call.event }) else {
            return
        }
        queue.items[index].notBefore = due
        queue.items[index].isPostponed = true
        keep(queue, of: call.hook)
    }

    /// Forgets an event that somebody else has delivered.
    mutating func drop(_ event: SpooledEvent) {
        for hook in turns {
            guard var queue = queues[hook], queue.calling != event,
                let index = queue.items.firstIndex(where: { $0.event == event })
            else { continue }
            queue.items.remove(at: index)
            keep(queue, of: hook)
            settle(event)
        }
    }

    private mutating func free(_ call: Call) -> Queue? {
        guard var queue = queues[call.hook], queue.calling == call.event else { return nil }
        queue.calling = nil
        calls -= 1
        return queue
    }

    /// Queues without events go, unless they remember something, so that hooks that come and go leave nothing behind.
    private mutating func keep(_ queue: Queue, of hook: String) {
        if queue.items.isEmpty && queue.givenUp == 0 {
            queues[hook] = nil
            turns.removeAll { $0 == hook }
        } else {
            queues[hook] = queue
        }
    }

    private mutating func settle(_ event: SpooledEvent) {
        guard let count = pending[event] else { return }
        pending[event] = count > 1 ? count - 1 : nil
    }
}
