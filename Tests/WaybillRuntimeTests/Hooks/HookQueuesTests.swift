import Testing
import WaybillCore

@testable import WaybillRuntime

@Suite("The queues of hooks")
struct HookQueuesTests {
    private let now = Timestamp(microseconds: 1_000_000)

    private func event(_ seq: Int, run: String = "a") throws -> SpooledEvent {
        SpooledEvent(run: try #require(RunID(run)), seq: seq, event: "run.start")
    }

    /// The next call, of which there must be one.
    private func call(_ queues: inout HookQueues, at time: Timestamp? = nil) throws -> HookQueues.Call {
        let call = queues.next(now: time ?? now)
        return try #require(call)
    }

    private func limits(concurrency: Int = 4) -> HookLimits {
        var limits = HookLimits()
        limits.concurrency = concurrency
        return limits
    }

    @Test("a hook is called for one event at a time, and others go on meanwhile")
    func oneAtATime() throws {
        var queues = HookQueues(limits: limits())
        queues.add(try event(1), hooks: ["x", "y"])
        queues.add(try event(2), hooks: ["x"])
        let first = try call(&queues)
        #expect(first == .init(event: try event(1), hook: "x", attempt: 1))
        #expect(queues.next(now: now) == .init(event: try event(1), hook: "y", attempt: 1))
        #expect(queues.next(now: now) == nil)
        #expect(queues.ended(first, succeeded: true, now: now) == .delivered)
        #expect(queues.contains(try event(1)))
        #expect(queues.next(now: now) == .init(event: try event(2), hook: "x", attempt: 1))
    }

    @Test("no more hooks are called at once than the limit says, and they take turns")
    func concurrency() throws {
        var queues = HookQueues(limits: limits(concurrency: 1))
        for seq in 1...2 { queues.add(try event(seq), hooks: ["x", "y"]) }
        var called: [String] = []
        while let call = queues.next(now: now) {
            #expect(queues.next(now: now) == nil)
            called.append("\(call.hook)\(call.event.seq)")
            _ = queues.ended(call, succeeded: true, now: now)
        }
        #expect(called == ["x1", "y1", "x2", "y2"])
        #expect(queues.isEmpty)
    }

    @Test("a failed call is repeated after growing delays, and then given up")
    func retries() throws {
        var queues = HookQueues(limits: limits())
        queues.add(try event(1), hooks: ["x"])
        let first = try call(&queues, at: now)
        #expect(queues.ended(first, succeeded: false, now: now) == .retry(at: now + .seconds(1)))
        #expect(queues.next(now: now) == nil)
        #expect(queues.nextDue == now + .seconds(1))
        let second = try call(&queues, at: now + .seconds(1))
        #expect(second.attempt == 2)
        #expect(
            queues.ended(second, succeeded: false, now: now + .seconds(1)) == .retry(at: now + .seconds(6)))
        let third = try call(&queues, at: now + .seconds(6))
        #expect(queues.ended(third, succeeded: false, now: now + .seconds(6)) == .gaveUp)
        #expect(queues.isEmpty)
    }

    @Test("later events of a run wait behind a delayed one; those of other runs do not")
    func order() throws {
        var queues = HookQueues(limits: limits())
        queues.add(try event(1), hooks: ["x"])
        queues.add(try event(2), hooks: ["x"])
        queues.add(try event(1, run: "b"), hooks: ["x"])
        let first = try call(&queues)
        _ = queues.ended(first, succeeded: false, now: now)
        let other = try call(&queues, at: now)
        #expect(other.event == (try event(1, run: "b")))
        _ = queues.ended(other, succeeded: true, now: now)
        #expect(queues.next(now: now) == nil)
        #expect(queues.next(now: now + .seconds(1))?.event == (try event(1)))
    }

    @Test("a hook that was given up on three times in a row gets one attempt an event until it succeeds")
    func patience() throws {
        var queues = HookQueues(limits: limits())
        queues.isHurried = true
        var attempts: [Int] = []
        for seq in 1...6 {
            queues.add(try event(seq), hooks: ["x"])
            var count = 0
            while let call = queues.next(now: now) {
                count += 1
                _ = queues.ended(call, succeeded: seq == 5, now: now)
            }
            attempts.append(count)
        }
        #expect(attempts == [3, 3, 3, 1, 1, 3])
    }

    @Test("a call that was put off does not count, and waits also in a hurry")
    func postponed() throws {
        var queues = HookQueues(limits: limits())
        queues.isHurried = true
        queues.add(try event(1), hooks: ["x"])
        let first = try call(&queues)
        queues.postpone(first, until: now + .seconds(2))
        #expect(queues.next(now: now) == nil)
        #expect(queues.next(now: now + .seconds(2))?.attempt == 1)
    }

    @Test("an event that somebody else delivered is forgotten")
    func dropped() throws {
        var queues = HookQueues(limits: limits())
        queues.add(try event(1), hooks: ["x", "y"])
        queues.drop(try event(1))
        #expect(queues.isEmpty)
        #expect(queues.next(now: now) == nil)
    }
}
