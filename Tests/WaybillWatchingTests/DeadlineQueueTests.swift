import Testing
import WaybillPorts
import WaybillTestKit

@Suite("A queue of deadlines")
struct DeadlineQueueTests {
    @Test("gives out what a sorted list would, whatever is set, moved and removed", arguments: 0..<20)
    func model(seed: Int) {
        var random = SeededGenerator(UInt64(seed))
        var queue = DeadlineQueue<Int, Int>()
        var model: [(key: Int, deadline: Int)] = []
        for _ in 0..<2000 {
            let key = Int.random(in: 0..<50, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let deadline = Int.random(in: 0..<100, using: &random)
                queue.set(key, to: deadline)
                model.removeAll { $0.key == key }
                model.append((key, deadline))
            case 2:
                queue.remove(key)
                model.removeAll { $0.key == key }
            default:
                let now = Int.random(in: 0..<100, using: &random)
                // Earliest first; `min` takes the first of equals, which was set first.
                let expected = model.filter { $0.deadline <= now }.min { $0.deadline < $1.deadline }
                let found = queue.popDue(now)
                #expect(found?.key == expected?.key && found?.deadline == expected?.deadline)
                model.removeAll { $0.key == expected?.key }
            }
            #expect(queue.count == model.count)
            #expect(queue.earliest == model.map(\.deadline).min())
            #expect(queue[key] == model.first { $0.key == key }?.deadline)
        }
        queue.removeAll()
        #expect(queue.isEmpty && queue.earliest == nil)
    }
}
