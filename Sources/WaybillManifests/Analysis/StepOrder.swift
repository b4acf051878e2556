/// What is known about the other steps when one starts.
///
/// What it takes grows with the steps and the ways between them, not with their square: sets of all that may have ended
/// before each of 50,000 steps would take 312 MB.
enum StepOrder {
    /// Whether a step may be skipped or fail without ending the run, as its own fields say.
    struct Traits {
        var hasCondition = false
        var continuesOnError = false
    }

    case graph(GraphOrder)
    case machine(MachineOrder)

    /// Whether a step has ended, or may have, in machines, when another one starts.
    func mayHaveEnded(_ step: Int, before reader: Int) -> Bool {
        switch self {
        case .graph(let order): order.all.contains(step, before: reader)
        case .machine(let order): order.mayHaveVisited(step, before: reader)
        }
    }

    /// Whether a step has surely completed when all have ended without a failure (graph only).
    func completesSurely(_ step: Int) -> Bool {
        switch self {
        case .graph(let order): order.isSure[step]
        case .machine: false
        }
    }

    /// Whether a step has surely completed when another one starts.
    func hasCompleted(_ step: Int, before reader: Int) -> Bool {
        switch self {
        case .graph(let order): order.isSure[step] && order.telling.contains(step, before: reader)
        case .machine(let order): order.hasCompleted(step, before: reader)
        }
    }
}

// MARK: - Graphs

/// The order of a graph.
struct GraphOrder {
    /// What every step comes after.
    let all: Ancestry
    /// The same, but for what lies behind steps that were skipped for their needs: those tell nothing about what these
    /// came to.
    let telling: Ancestry
    /// The steps that complete unless one fails and ends the run.
    let isSure: [Bool]

    /// - Parameter order: the steps sorted so that each comes after its needs; what is missing lies on a cycle.
    init(needs: [[Need]], traits: [StepOrder.Traits], order: [Int]) {
        // A dependant that wants the failure handles it, and then the others go on as after `continueOnError`.
        var isHandled = traits.map(\.continuesOnError)
        for need in needs.joined() where need.when != .completed { isHandled[need.step] = true }
        // A step that wants a failure is skipped where there is none.
        let isSkippedByNeed = needs.map { needs in needs.contains { $0.when == .failed } }
        let all = Ancestry(needs: needs.map { $0.map(\.step) }, order: order)
        self.all = all
        telling =
            isSkippedByNeed.contains(true)
            ? Ancestry(needs: needs.map { $0.map(\.step).filter { !isSkippedByNeed[$0] } }, order: order) : all
        isSure = needs.indices.map { !traits[$0].hasCondition && !isHandled[$0] && !isSkippedByNeed[$0] }
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

/// What every step of a graph comes after: its needs, what those need, and so on.
///
/// Each step hangs beneath one of its needs in a tree, and trees answer at once; only for what is not above a step there, a
/// search goes through the other needs of all that is.
struct Ancestry {
    private let needs: [[Int]]
    /// Where each step stands in the order.
    private let positions: [Int]
    /// The nearest step with more than one need, or none, on the way up: the step itself, or above it.
    private let forks: [Int]
    private let trees: Forest

    /// - Parameter order: the steps sorted so that each comes after its needs; what is missing lies on a cycle.
    init(needs: [[Int]], order: [Int]) {
        self.needs = needs
        var isSorted = [Bool](repeating: false, count: needs.count)
        for step in order { isSorted[step] = true }
        let order = needs.indices.filter { !isSorted[$0] } + order
        var positions = [Int](repeating: 0, count: needs.count)
        for (position, step) in order.enumerated() { positions[step] = position }
        var forks = Array(needs.indices)
        var parents = [Int?](repeating: nil, count: needs.count)
        var depths = [Int](repeating: 0, count: needs.count)
        for step in order {
            // The longer the ways, the more of them are in trees.
            let parent = needs[step].filter { positions[$0] < positions[step] }.max { depths[$0] < depths[$1] }
            guard let parent else { continue }
            parents[step] = parent
            depths[step] = depths[parent] + 1
            if needs[step].count == 1 { forks[step] = forks[parent] }
        }
        self.positions = positions
        self.forks = forks
        trees = Forest(parents: parents, order: order)
    }

    /// Whether a step comes before another one.
    func contains(_ step: Int, before reader: Int) -> Bool {
        guard step != reader else { return false }
        var open = [reader]
        var isPassed: [Bool] = []
        while let next = open.popLast() {
            if trees.isOver(step, next) { return true }
            let fork = forks[next]
            guard !needs[fork].isEmpty else { continue }
            if isPassed.isEmpty { isPassed = [Bool](repeating: false, count: needs.count) }
            guard !isPassed[fork] else { continue }
            isPassed[fork] = true
            // What stands further ahead than the step cannot come after it.
            for need in needs[fork] where positions[need] >= positions[step] { open.append(need) }
        }
        return false
    }
}

// MARK: - Machines

/// The order of a machine: what the ways from the start to a state visit.
struct MachineOrder {
    private let dominators: Dominators
    /// The states that lead to each, of those that can be reached.
    private let previous: [[Int]]
    /// The states that have completed when they have ended and let the run go on.
    private let isSure: [Bool]

    /// - Parameter next: the states each state may go to.
    init(start: Int, next: [[Int]], traits: [StepOrder.Traits]) {
        dominators = Dominators(start: start, next: next)
        var previous = [[Int]](repeating: [], count: next.count)
        for step in next.indices where dominators.isReached(step) {
            for target in next[step] { previous[target].append(step) }
        }
        self.previous = previous
        isSure = traits.map { !$0.hasCondition && !$0.continuesOnError }
    }

    func isReached(_ step: Int) -> Bool { dominators.isReached(step) }

    /// Whether a way from the start comes through the state before it comes to the other one.
    func mayHaveVisited(_ step: Int, before reader: Int) -> Bool {
        if step != reader, dominators.isOver(step, reader) { return true }
        var open = [reader]
        var isSeen = [Bool](repeating: false, count: previous.count)
        while let next = open.popLast() {
            for source in previous[next] where !isSeen[source] {
                if source == step { return true }
                isSeen[source] = true
                open.append(source)
            }
        }
        return false
    }

    /// Whether every way from the start has completed the state when it first comes to the other one. What is never
    /// reached is an error of its own.
    func hasCompleted(_ step: Int, before reader: Int) -> Bool {
        guard dominators.isReached(reader) else { return true }
        return step != reader && isSure[step] && dominators.isOver(step, reader)
    }
}
