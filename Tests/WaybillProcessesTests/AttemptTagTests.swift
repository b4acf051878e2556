import Testing

@testable import WaybillProcesses

@Suite("The mark of an attempt")
struct AttemptTagTests {
    private let unlimited = UInt64.max

    @Test("tells attempts of one launcher apart")
    func apart() throws {
        let first = AttemptTag(level: .first, inherited: unlimited, number: 7)
        let second = AttemptTag(level: .first, inherited: unlimited, number: 8)
        #expect(first.covers(first.value))
        #expect(!first.covers(second.value))
        #expect(!first.covers(unlimited))
        #expect(!first.covers(0))
    }

    @Test("covers what a Waybill within it marks, three levels deep", arguments: [0, 1, 65_533, .max] as [UInt64])
    func nested(number: UInt64) throws {
        let outer = AttemptTag(level: .first, inherited: unlimited, number: number)
        let middle = AttemptTag(
            level: try #require(.init(inherited: outer.value)), inherited: outer.value, number: number)
        let inner = AttemptTag(
            level: try #require(.init(inherited: middle.value)), inherited: middle.value, number: number)
        // A limit can only be lowered.
        #expect(outer.value > middle.value && middle.value > inner.value)
        #expect(outer.covers(middle.value) && outer.covers(inner.value) && middle.covers(inner.value))
        #expect(!middle.covers(outer.value) && !inner.covers(middle.value))
        #expect(AttemptTag.Level(inherited: inner.value) == nil)

        let sibling = AttemptTag(level: .second, inherited: outer.value, number: number &+ 1)
        #expect(outer.covers(sibling.value) && !sibling.covers(middle.value) && !sibling.covers(inner.value))
    }

    @Test("leaves a limit alone that somebody else has set", arguments: [0, 1000, 0xFFFF_FFFF] as [UInt64])
    func foreign(limit: UInt64) {
        #expect(AttemptTag.Level(inherited: limit) == nil)
    }
}
