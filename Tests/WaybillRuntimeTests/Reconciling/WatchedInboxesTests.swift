import Testing
import WaybillCore
import WaybillPorts

@testable import WaybillRuntime

@Suite("Watched inboxes")
struct WatchedInboxesTests {
    private func run(_ number: Int) throws -> RunID { try #require(RunID("r\(number)")) }

    private func watched(_ numbers: ClosedRange<Int>) throws -> WatchedInboxes {
        var inboxes = WatchedInboxes()
        for number in numbers { inboxes.insert(try run(number), WatchID(number: Int32(number))) }
        return inboxes
    }

    @Test("the run that has been watched for longest comes out first")
    func oldest() throws {
        var inboxes = try watched(1...3)
        #expect(inboxes[WatchID(number: 2)] == (try run(2)))
        #expect(inboxes.popOldest() == (try run(1)))
        #expect(inboxes[WatchID(number: 1)] == nil)
        #expect(inboxes.count == 2)
    }

    @Test("what is watched no more is passed over, and what is watched again is the newest")
    func gone() throws {
        var inboxes = try watched(1...3)
        inboxes.remove(WatchID(number: 1))
        inboxes.insert(try run(1), WatchID(number: 4))
        inboxes.remove(WatchID(number: 2))
        #expect(inboxes.popOldest() == (try run(3)))
        #expect(inboxes.popOldest() == (try run(1)))
        #expect(inboxes.popOldest() == nil)
        #expect(inboxes.count == 0)
    }

    @Test("the same watch again changes whose it is, not its age")
    func again() throws {
        var inboxes = try watched(1...2)
        inboxes.insert(try run(9), WatchID(number: 1))
        #expect(inboxes.count == 2)
        #expect(inboxes.popOldest() == (try run(9)))
        #expect(inboxes.popOldest() == (try run(2)))
    }

    @Test("the order stays when many are gone")
    func manyGone() throws {
        var inboxes = try watched(1...1_000)
        for number in 1...1_000 where !number.isMultiple(of: 100) { inboxes.remove(WatchID(number: Int32(number))) }
        var order: [RunID] = []
        while let run = inboxes.popOldest() { order.append(run) }
        #expect(order == (try (1...10).map { try run($0 * 100) }))
    }
}
