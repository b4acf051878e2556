import Testing
import WaybillCore
import WaybillRuntime
import WaybillStore

@Suite("Who waits for which events")
struct EventSubscriptionsTests {
    private let one = RunID("one")!
    private let two = RunID("two")!

    private func interest(_ type: String, _ key: String? = nil, examined: Int = 0) -> EventInterest {
        EventInterest(waitKey: "w", type: type, key: key, examined: examined)
    }

    private func arrival(_ seq: Int, _ type: String, _ key: String? = nil) -> EventIndex.Arrival {
        .init(seq: seq, type: type, key: EventIndex.number(ofKey: key))
    }

    @Test("an event concerns those that wait for its type and, if they ask for one, its key")
    func concerns() {
        var subscriptions = EventSubscriptions()
        subscriptions.set([interest("a")], of: one)
        subscriptions.set([interest("a", "k"), interest("b")], of: two)
        #expect(subscriptions.runs(for: [arrival(1, "a")]) == [one])
        #expect(subscriptions.runs(for: [arrival(1, "a", "k")]) == [one, two])
        #expect(subscriptions.runs(for: [arrival(1, "a", "other")]) == [one])
        #expect(subscriptions.runs(for: [arrival(1, "b", "x")]) == [two])
        #expect(subscriptions.runs(for: [arrival(1, "c")]) == [])
        #expect(subscriptions.runs(for: [arrival(1, "a"), arrival(2, "b"), arrival(3, "a", "k")]) == [one, two])
    }

    @Test("an event that a run has looked at does not wake it again")
    func examined() {
        var subscriptions = EventSubscriptions()
        subscriptions.set([interest("a", examined: 7)], of: one)
        subscriptions.set([interest("a", examined: 3), interest("a", examined: 9)], of: two)
        #expect(subscriptions.runs(for: [arrival(3, "a")]) == [])
        #expect(subscriptions.runs(for: [arrival(5, "a")]) == [two])
        #expect(subscriptions.runs(for: [arrival(2, "a"), arrival(8, "a")]) == [one, two])
    }

    @Test("what a run waits for is replaced and forgotten as a whole")
    func replaced() {
        var subscriptions = EventSubscriptions()
        for run in [one, two] { subscriptions.set([interest("a"), interest("b", "k")], of: run) }
        subscriptions.set([interest("c")], of: one)
        #expect(subscriptions.runs(for: [arrival(1, "a")]) == [two])
        #expect(subscriptions.runs(for: [arrival(1, "c")]) == [one])
        subscriptions.remove(two)
        #expect(subscriptions.runs(for: [arrival(1, "a"), arrival(2, "b", "k")]) == [])
        subscriptions.set([], of: one)
        #expect(subscriptions.count == 0)
        #expect(subscriptions.runs(for: [arrival(1, "c")]) == [])
    }

    @Test("10,000 runs wait for one event, and as many for one each")
    func many() {
        var subscriptions = EventSubscriptions()
        let runs = (0..<10_000).map { RunID("r\(10_000 + $0)")! }
        for run in runs { subscriptions.set([interest("go"), interest("paid", run.text)], of: run) }
        #expect(subscriptions.count == 10_000)
        #expect(subscriptions.runs(for: [arrival(1, "go")]) == runs)
        #expect(subscriptions.runs(for: [arrival(1, "paid", "r12345")]) == [runs[2_345]])
        for run in runs { subscriptions.remove(run) }
        #expect(subscriptions.count == 0)
    }
}
