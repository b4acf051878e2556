/// What is known about the other steps when one starts.
struct StepOrder {
    /// Whether a step may be skipped or fail without ending the run, as its own fields say.
    struct Traits {
        var hasCondition = false
        var continuesOnError = false
    }

    /// The steps that have ended, or may have, in machines.
    let ended: [BitSet]
    /// The steps that have surely completed.
    let completed: [BitSet]
    /// The steps that have surely completed when all have ended without a failure (graph only).
    let sure: BitSet

    func mayHaveEnded(_ step: Int, before reader: Int) -> Bool { ended[reader].contains(step) }
    func completesSurely(_ step: Int) -> Bool { sure.contains(step) }
    func hasCompleted(_ step: Int, before reader: Int) -> Bool { completed[reader].contains(step) }
}

extension StepOrder {
    /// The order of a graph.
    ///
    /// - Parameter order: the steps sorted so that each comes after its needs; what is missing lies on a cycle and is
    ///   treated as if it knew nothing.
    static func graph(needs: [[Need]], traits: [Traits], order: [Int]) -> StepOrder {
        // A dependant that wants the failure handles it, and then the others go on as after `continueOnError`.
        var isHandled = traits.map(\.continuesOnError)
        for need in needs.joined() where need.when != .completed { isHandled[need.step] = true }
        // A step that wants a failure is skipped where there is none.
        let isSkippedByNeed = needs.map { needs in needs.contains { $0.when == .failed } }
        let none = BitSet(capacity: needs.count)
        var ended = [BitSet](repeating: none, count: needs.count)
        var completed = ended
        for step in order {
            for need in needs[step] {
                ended[step].insert(need.step)
                ended[step].formUnion(ended[need.step])
                // A step that was skipped for its needs tells nothing about what they came to.
                guard !isSkippedByNeed[need.step] else { continue }
                completed[step].formUnion(completed[need.step])
                if need.when == .completed, !traits[need.step].hasCondition, !isHandled[need.step] {
                    completed[step].insert(need.step)
                }
            }
        }
        var sure = none
        for step in needs.indices {
            if !traits[step].hasCondition, !isHandled[step], !isSkippedByNeed[step] { sure.insert(step) }
        }
        return StepOrder(ended: ended, completed: completed, sure: sure)
    }

    /// The steps sorted so that each comes after its needs, and the cycles, each as the steps on it with every step
    /// needing the next and the last needing the first.
    static func sorted(needs: [[Need]]) -> (order: [Int], cycles: [[Int]]) {
        var open = needs.map { Set($0.map(\.step)) }
        var cycles: [[Int]] = []
        while true {
            let order = topologicalOrder(open)
            guard order.count < open.count, cycles.count < 10 else { return (order, cycles) }
            let cycle = firstCycle(open, outside: Set(order))
            cycles.append(cycle)
            // Cutting one edge lets the search find the next cycle.
            if let last = cycle.last, let first = cycle.first { open[last].remove(first) }
        }
    }

    private static func topologicalOrder(_ needs: [Set<Int>]) -> [Int] {
        var dependants = [[Int]](repeating: [], count: needs.count)
        var missing = needs.map(\.count)
        for (step, needs) in needs.enumerated() {
            for need in needs { dependants[need].append(step) }
        }
        var order = needs.indices.filter { missing[$0] == 0 }
        var next = 0
        while next < order.count {
            for dependant in dependants[order[next]] {
                missing[dependant] -= 1
                if missing[dependant] == 0 { order.append(dependant) }
            }
            next += 1
        }
        return order
    }

    private static func firstCycle(_ needs: [Set<Int>], outside sorted: Set<Int>) -> [Int] {
        guard var step = needs.indices.first(where: { !sorted.contains($0) }) else { return [] }
        var path: [Int] = []
        var position: [Int: Int] = [:]
        // Every step that is left needs another one that is left, so the walk must come back to itself.
        while position[step] == nil {
            position[step] = path.count
            path.append(step)
            guard let need = needs[step].filter({ !sorted.contains($0) }).min() else { return path }
            step = need
        }
        let cycle = Array(path[(position[step] ?? 0)...])
        // It begins with the step that stands first in the file.
        let first = cycle.firstIndex(of: cycle.min() ?? 0) ?? 0
        return Array(cycle[first...] + cycle[..<first])
    }
}

extension StepOrder {
    /// The order of a machine: what every way from the start to a state has visited.
    ///
    /// - Parameter next: the states each state may go to.
    static func machine(start: Int, next: [[Int]], traits: [Traits]) -> StepOrder {
        let count = next.count
        let order = reversePostOrder(start: start, next: next)
        var previous = [[Int]](repeating: [], count: count)
        for step in order { for target in next[step] { previous[target].append(step) } }

        var completed = [BitSet](repeating: BitSet(capacity: count, filled: true), count: count)
        var ended = [BitSet](repeating: BitSet(capacity: count), count: count)
        completed[start] = BitSet(capacity: count)
        var isChanged = true
        while isChanged {
            isChanged = false
            for step in order {
                var sure = step == start ? BitSet(capacity: count) : BitSet(capacity: count, filled: true)
                var possible = BitSet(capacity: count)
                for source in previous[step] {
                    possible.formUnion(ended[source])
                    possible.insert(source)
                    var after = completed[source]
                    let traits = traits[source]
                    if !traits.hasCondition && !traits.continuesOnError { after.insert(source) }
                    sure.formIntersection(after)
                }
                if sure != completed[step] || possible != ended[step] {
                    completed[step] = sure
                    ended[step] = possible
                    isChanged = true
                }
            }
        }
        return StepOrder(ended: ended, completed: completed, sure: BitSet(capacity: count))
    }

    /// The states that can be reached, each before those it leads to as far as cycles allow.
    static func reversePostOrder(start: Int, next: [[Int]]) -> [Int] {
        var isSeen = [Bool](repeating: false, count: next.count)
        var order: [Int] = []
        var stack: [(step: Int, child: Int)] = [(start, 0)]
        isSeen[start] = true
        while let (step, child) = stack.last {
            if child < next[step].count {
                stack[stack.count - 1].child += 1
                let target = next[step][child]
                if !isSeen[target] {
                    isSeen[target] = true
                    stack.append((target, 0))
                }
            } else {
                order.append(step)
                stack.removeLast()
            }
        }
        return order.reversed()
    }
}
