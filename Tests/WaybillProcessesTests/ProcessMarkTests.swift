import CLinux
import Testing

@testable import WaybillProcesses

@Suite("The mark of an attempt")
struct ProcessMarkTests {
    private let unlimited = UInt64.max

    private func make(_ inherited: UInt64, _ number: UInt64) -> (limit: UInt64, mark: ProcessMark?) {
        var mask: UInt64 = 0
        let limit = wb_make_tag(inherited, number, &mask)
        return (limit, ProcessMark(value: limit, mask: mask, notBefore: 0))
    }

    @Test("tells attempts of one supervisor apart")
    func apart() throws {
        let first = make(unlimited, 7)
        let mark = try #require(first.mark)
        #expect(mark.covers(first.limit))
        #expect(!mark.covers(make(unlimited, 8).limit))
        #expect(!mark.covers(unlimited))
        #expect(!mark.covers(0))
    }

    @Test("covers what a Waybill within it marks, three levels deep", arguments: [0, 1, 65_533, .max] as [UInt64])
    func nested(number: UInt64) throws {
        let outer = make(unlimited, number)
        let middle = make(outer.limit, number)
        let inner = make(middle.limit, number)
        // A limit can only be lowered.
        #expect(outer.limit > middle.limit && middle.limit > inner.limit)
        let marks = try [outer, middle, inner].map { try #require($0.mark) }
        #expect(marks[0].covers(middle.limit) && marks[0].covers(inner.limit) && marks[1].covers(inner.limit))
        #expect(!marks[1].covers(outer.limit) && !marks[2].covers(middle.limit))
        #expect(make(inner.limit, number).mark == nil)

        let sibling = make(outer.limit, number &+ 1)
        #expect(marks[0].covers(sibling.limit))
        #expect(sibling.mark?.covers(middle.limit) == false && sibling.mark?.covers(inner.limit) == false)
    }

    @Test("leaves a limit alone that somebody else has set", arguments: [0, 1000, 0xFFFF_FFFF] as [UInt64])
    func foreign(limit: UInt64) {
        #expect(make(limit, 1).mark == nil)
        #expect(make(limit, 1).limit == 0)
    }
}
