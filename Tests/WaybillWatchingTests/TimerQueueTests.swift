import Testing
import WaybillCore
import WaybillPorts
import WaybillTestKit
import WaybillWatching

/// What every timer service keeps, whether time is real or made.
@Suite("A timer service")
struct TimerServiceTests {
    enum Form: String, CaseIterable {
        case kernel
        case manual
    }

    /// A service, its time, and a way to let so much of it pass.
    private func make(
        _ form: Form
    ) throws -> (timers: any TimerService, now: Timestamp, pass: @Sendable (Duration) -> Void) {
        switch form {
        case .kernel: return (try TimerQueue(), SystemClock().now(), { _ in })
        case .manual:
            let clock = ManualClock()
            return (clock, clock.now(), { clock.advance(by: $0) })
        }
    }

    @Test("fires in the order of deadlines, and equal ones in the order they were set", arguments: Form.allCases)
    func order(form: Form) async throws {
        let (timers, now, pass) = try make(form)
        let log = EventLog<TimerEvent>()
        let deadlines: [(String, Duration)] = [
            ("d", .milliseconds(40)), ("b", .milliseconds(20)), ("a", .milliseconds(10)), ("c", .milliseconds(20)),
            ("past", .seconds(-3600)),
        ]
        for (key, span) in deadlines { timers.schedule(key, at: now + span) }
        timers.start { log.add($0) }
        pass(.milliseconds(40))
        let events = await log.events { $0 == .due(key: "d", deadline: now + .milliseconds(40)) }
        #expect(
            events.filter { $0 != .clockStepped } == [
                .due(key: "past", deadline: now - .seconds(3600)), .due(key: "a", deadline: now + .milliseconds(10)),
                .due(key: "b", deadline: now + .milliseconds(20)), .due(key: "c", deadline: now + .milliseconds(20)),
                .due(key: "d", deadline: now + .milliseconds(40)),
            ])
        timers.stop()
    }

    @Test("forgets what was cancelled and fires what was moved once, at its new time", arguments: Form.allCases)
    func change(form: Form) async throws {
        let (timers, now, pass) = try make(form)
        let log = EventLog<TimerEvent>()
        timers.start { log.add($0) }
        timers.schedule("cancelled", at: now + .milliseconds(50))
        timers.schedule("later", at: now + .milliseconds(50))
        timers.schedule("earlier", at: now + .seconds(3600))
        timers.cancel("cancelled")
        timers.cancel("unknown")
        timers.schedule("later", at: now + .milliseconds(70))
        timers.schedule("earlier", at: now + .milliseconds(60))
        pass(.milliseconds(100))
        let events = await log.events { $0 == .due(key: "later", deadline: now + .milliseconds(70)) }
        #expect(
            events.filter { $0 != .clockStepped } == [
                .due(key: "earlier", deadline: now + .milliseconds(60)),
                .due(key: "later", deadline: now + .milliseconds(70)),
            ])
        timers.stop()
    }

    @Test("lets the receiver set the next deadline", arguments: Form.allCases)
    func chain(form: Form) async throws {
        let (timers, now, pass) = try make(form)
        let log = EventLog<TimerEvent>()
        timers.start { event in
            if case .due(let key, let deadline) = event, let count = Int(key), count < 5 {
                timers.schedule("\(count + 1)", at: deadline + .milliseconds(1))
            }
            log.add(event)
        }
        timers.schedule("1", at: now)
        pass(.milliseconds(10))
        let events = await log.events { $0 == .due(key: "5", deadline: now + .milliseconds(4)) }
        #expect(events.filter { $0 != .clockStepped }.count == 5)
        timers.stop()
    }

    @Test("takes deadlines from the ends of time")
    func ends() async throws {
        let timers = try TimerQueue()
        let log = EventLog<TimerEvent>()
        timers.start { log.add($0) }
        timers.schedule("never", at: .latest)
        timers.schedule("ever", at: .earliest)
        _ = await log.events { $0 == .due(key: "ever", deadline: .earliest) }
        timers.stop()
        timers.schedule("after", at: .earliest)
        timers.stop()
    }

    @Test("does not fire early")
    func notEarly() async throws {
        let timers = try TimerQueue()
        let log = EventLog<Bool>()
        let deadline = SystemClock().now() + .milliseconds(20)
        timers.start { event in
            if case .due = event { log.add(SystemClock().now() >= deadline) }
        }
        timers.schedule("key", at: deadline)
        #expect(await log.events { _ in true } == [true])
        timers.stop()
    }
}

@Suite("The manual clock")
struct ManualClockTests {
    @Test("shows each receiver the time of its deadline")
    func time() {
        let clock = ManualClock()
        let start = clock.now()
        let monotonic = clock.monotonicNanoseconds
        clock.start { event in
            if case .due(_, let deadline) = event { #expect(clock.now() == deadline) }
        }
        clock.schedule("a", at: start + .seconds(1))
        clock.schedule("b", at: start + .seconds(2))
        #expect(clock.nextDeadline == start + .seconds(1))
        clock.advance(by: .seconds(3))
        #expect(clock.nextDeadline == nil)
        #expect(clock.now() == start + .seconds(3))
        #expect(clock.monotonicNanoseconds - monotonic == 3_000_000_000)
    }

    @Test("can be set, which passes deadlines but no time")
    func step() async {
        let clock = ManualClock()
        let start = clock.now()
        let monotonic = clock.monotonicNanoseconds
        let log = EventLog<TimerEvent>()
        clock.start { log.add($0) }
        clock.schedule("key", at: start + .seconds(60))
        clock.step(to: start - .seconds(3600))
        clock.step(to: start + .seconds(3600))
        let events = await log.events { $0 != .clockStepped }
        #expect(events == [.clockStepped, .due(key: "key", deadline: start + .seconds(60))])
        #expect(clock.now() == start + .seconds(3600))
        #expect(clock.monotonicNanoseconds == monotonic)
    }
}
