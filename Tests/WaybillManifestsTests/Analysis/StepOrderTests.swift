import Testing
import WaybillTestKit

@testable import WaybillManifests

/// The order of steps, beside what it is by definition.
@Suite("The order of steps")
struct StepOrderTests {
    private static let seeds = Array(UInt64(0)..<200)

    @Test("of a graph agrees with sets that are made step by step", arguments: seeds)
    func graphs(seed: UInt64) {
        var random = SeededGenerator(seed)
        let count = random.number(1..<14)
        let order = Array(0..<count).shuffled(using: &random)
        var needs = [[Need]](repeating: [], count: count)
        for (position, step) in order.enumerated() {
            for other in order[..<position] where random.chance(seed % 2 == 0 ? 20 : 45) {
                needs[step].append(Need(step: other, when: random.pick([.completed, .completed, .failed, .ended])))
            }
        }
        let traits = (0..<count).map { _ in
            StepOrder.Traits(hasCondition: random.chance(20), continuesOnError: random.chance(20))
        }
        #expect(GraphOrder.sorted(needs: needs).cycles.isEmpty)
        let found = StepOrder.graph(
            GraphOrder(needs: needs, traits: traits, order: GraphOrder.sorted(needs: needs).order))
        let isHandled = (0..<count).map { step in
            traits[step].continuesOnError || needs.joined().contains { $0.step == step && $0.when != .completed }
        }
        var ended = [Set<Int>](repeating: [], count: count)
        var completed = ended
        for step in order {
            for need in needs[step] {
                ended[step].formUnion(ended[need.step].union([need.step]))
                if needs[need.step].contains(where: { $0.when == .failed }) { continue }
                completed[step].formUnion(completed[need.step])
                if need.when == .completed, !traits[need.step].hasCondition, !isHandled[need.step] {
                    completed[step].insert(need.step)
                }
            }
        }
        for reader in 0..<count {
            let others = 0..<count
            #expect(
                others.filter { found.mayHaveEnded($0, before: reader) } == ended[reader].sorted(),
                "seed \(seed): before \(reader) in \(needs)")
            #expect(
                others.filter { found.hasCompleted($0, before: reader) } == completed[reader].sorted(),
                "seed \(seed): completed before \(reader) in \(needs), \(traits)")
        }
    }

    @Test("of a machine agrees with what can be reached when a state is taken out", arguments: seeds)
    func machines(seed: UInt64) {
        var random = SeededGenerator(seed)
        let count = random.number(1..<12)
        let next = (0..<count).map { _ in (0..<random.number(0..<4)).map { _ in random.number(0..<count) } }
        let start = random.number(0..<count)
        let traits = (0..<count).map { _ in
            StepOrder.Traits(hasCondition: random.chance(20), continuesOnError: random.chance(20))
        }
        func reached(from first: [Int], without taken: Int?) -> Set<Int> {
            var reached: Set<Int> = []
            var open = first
            while let state = open.popLast() {
                if state != taken, reached.insert(state).inserted { open += next[state] }
            }
            return reached
        }
        let order = MachineOrder(start: start, next: next, traits: traits)
        let all = reached(from: [start], without: nil)
        for reader in 0..<count {
            #expect(order.isReached(reader) == all.contains(reader), "seed \(seed): \(reader) from \(start) in \(next)")
            guard all.contains(reader) else { continue }
            let others = 0..<count
            #expect(
                others.filter { order.mayHaveVisited($0, before: reader) }
                    == others.filter {
                        all.contains($0) && reached(from: next[$0], without: nil).contains(reader)
                    }, "seed \(seed): before \(reader) from \(start) in \(next)")
            #expect(
                others.filter { order.hasCompleted($0, before: reader) }
                    == others.filter { state in
                        state != reader && !traits[state].hasCondition && !traits[state].continuesOnError
                            && !reached(from: [start], without: state).contains(reader)
                    }, "seed \(seed): completed before \(reader) from \(start) in \(next), \(traits)")
        }
    }

    /// With sets of all that comes before each step, these would be 2.5 GB each.
    @Test("of 100,000 steps in a line, and of as many states that all lead to one, is found at once")
    func longLines() {
        let count = 100_000
        let traits = [StepOrder.Traits](repeating: StepOrder.Traits(), count: count)
        let needs = (0..<count).map { $0 == 0 ? [] : [Need(step: $0 - 1, when: .completed)] }
        let graph = StepOrder.graph(
            GraphOrder(needs: needs, traits: traits, order: GraphOrder.sorted(needs: needs).order))
        let last = count - 1
        let next = (0..<count).map { $0 == last ? [] : [min($0 + 1, last - 1), last] }
        let machine = StepOrder.machine(MachineOrder(start: 0, next: next, traits: traits))
        let wrong = (0..<(last - 1)).first { state in
            !graph.hasCompleted(state, before: state + 1) || state > 0 && !graph.hasCompleted(0, before: state)
                || graph.mayHaveEnded(state + 1, before: state) || !machine.hasCompleted(state, before: state + 1)
                || machine.hasCompleted(state, before: last) != (state == 0)
        }
        #expect(wrong == nil)
    }
}
