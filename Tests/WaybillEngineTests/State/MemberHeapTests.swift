import Testing
import WaybillTestKit

@testable import WaybillEngine

@Suite("Heaps of members")
struct MemberHeapTests {
    /// The same order as the number's, over several frames.
    private func place(_ number: Int) -> InstanceID { InstanceID(frame: number / 8, step: number % 8) }

    @Test("the smallest index comes first, however they came in")
    func order() {
        var ready = ReadySteps()
        for index in [5, 1, 4, 1, 3, 0, 2] { ready.insert(place(index)) }
        var taken: [InstanceID] = []
        while let first = ready.first {
            taken.append(first)
            ready.remove(first)
        }
        #expect(taken == (0...5).map(place))
        #expect(ready.isEmpty)
    }

    @Test("any index can be taken out, and one that is not there changes nothing", arguments: 0..<UInt64(20))
    func removal(seed: UInt64) {
        var random = SeededGenerator(seed)
        var ready = ReadySteps()
        var model: Set<InstanceID> = []
        for _ in 0..<300 {
            let index = place(Int.random(in: 0..<40, using: &random))
            if random.chance(55) {
                ready.insert(index)
                model.insert(index)
            } else {
                ready.remove(index)
                model.remove(index)
            }
            #expect(ready.first == model.min())
            #expect(ready.isEmpty == model.isEmpty)
        }
        #expect(ready.sorted == model.sorted())
    }

    @Test("two are equal if they hold the same, whatever the order they were given in")
    func equality() {
        var left = ReadySteps()
        var right = ReadySteps()
        for index in 0..<10 { left.insert(place(index)) }
        for index in (0..<10).reversed() { right.insert(place(index)) }
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
    }
}
