import Synchronization
import Testing

@testable import WaybillRuntime

@Suite("Lanes")
struct LanesTests {
    private let made = Made()
    private let lanes: Lanes

    private final class Made: Sendable {
        let lanes = Mutex<[Lane]>([])
    }

    init() {
        let made = made
        lanes = Lanes(count: 3) { name in
            let lane = Lane(name: name)
            made.lanes.withLock { $0.append(lane) }
            return lane
        }
    }

    private func number(of lease: LaneLease) -> Int? {
        made.lanes.withLock { $0.firstIndex { $0 === lease.lane } }
    }

    @Test("one run after the other has the same lane")
    func oneAfterTheOther() {
        for _ in 0..<5 { #expect(number(of: lanes.take()) == 0) }
    }

    @Test("of runs at once each lane has as many as the others, and what one gives back is taken first")
    func atOnce() {
        var leases = (0..<7).map { _ in lanes.take() }
        #expect(leases.map(number) == [0, 1, 2, 0, 1, 2, 0])
        // Of the lane in the middle, which has one then where the others have two and three.
        leases.remove(at: 4)
        let next = lanes.take()
        #expect(number(of: next) == 1)
        #expect(number(of: lanes.take()) == 1)
        withExtendedLifetime((leases, next)) {}
    }
}
