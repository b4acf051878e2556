import Testing
import WaybillEngine

@Suite("Waits that are over")
struct ClosedWaitsTests {
    private func wait(_ number: Int) -> ClosedWait {
        ClosedWait(key: "q.\(number)", answer: nil, seq: number, isExpired: false)
    }

    @Test("the newest are kept, the oldest forgotten")
    func bounded() {
        var waits = ClosedWaits()
        for number in 0..<(3 * ClosedWaits.limit) { waits.insert(wait(number)) }
        #expect(waits.all.map(\.seq) == Array((2 * ClosedWaits.limit)..<(3 * ClosedWaits.limit)))
        #expect(waits["q.\(2 * ClosedWaits.limit - 1)"] == nil)
        #expect(waits["q.\(2 * ClosedWaits.limit)"]?.seq == 2 * ClosedWaits.limit)
    }

    @Test("one that closes again is told by its newest end, and is remembered once")
    func again() {
        var waits = ClosedWaits()
        waits.insert(wait(1))
        waits.insert(wait(2))
        waits.insert(ClosedWait(key: "q.1", answer: nil, seq: 9, isExpired: true))
        #expect(waits.all.map(\.seq) == [9, 2])
    }

    @Test("given in the order they have, they are the same again")
    func restored() {
        var waits = ClosedWaits()
        for number in 0..<(ClosedWaits.limit + 7) { waits.insert(wait(number)) }
        var copy = ClosedWaits()
        for wait in waits.all { copy.insert(wait) }
        #expect(copy == waits)
        waits.insert(wait(-1))
        copy.insert(wait(-1))
        #expect(copy == waits)
    }
}
