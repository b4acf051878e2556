/// Which states every way from the start to a state leads through.
///
/// The method is the one that Georgiadis calls semi-NCA ("Linear-Time Algorithms for Dominators and Related Problems",
/// 2005), after Lengauer and Tarjan: the time hardly grows faster than the number of ways.
struct Dominators {
    private let tree: Forest

    /// - Parameter next: the states each state may go to.
    init(start: Int, next: [[Int]]) {
        let walk = Walk(start: start, next: next)
        let nearest = walk.nearestDominators(next)
        var parents = [Int?](repeating: nil, count: next.count)
        for number in walk.states.indices.dropFirst() { parents[walk.states[number]] = walk.states[nearest[number]] }
        tree = Forest(parents: parents, order: walk.states)
    }

    func isReached(_ state: Int) -> Bool { tree.contains(state) }

    /// Whether every way from the start to a state leads through another one, or that is it.
    func isOver(_ state: Int, _ other: Int) -> Bool { tree.isOver(state, other) }

    /// The states that can be reached, in the order in which a search that goes deep first comes to them.
    private struct Walk {
        /// By number.
        var states: [Int] = []
        /// The number of the state that each was reached from, by number.
        var parents: [Int] = []
        /// By state; -1 for what cannot be reached.
        var numbers: [Int]

        init(start: Int, next: [[Int]]) {
            numbers = [Int](repeating: -1, count: next.count)
            var stack: [(number: Int, child: Int)] = []
            func reach(_ state: Int, from parent: Int) {
                numbers[state] = states.count
                stack.append((states.count, 0))
                states.append(state)
                parents.append(parent)
            }
            reach(start, from: 0)
            while let (number, child) = stack.last {
                let targets = next[states[number]]
                guard child < targets.count else {
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].child += 1
                if numbers[targets[child]] < 0 { reach(targets[child], from: number) }
            }
        }

        /// The number of the nearest dominator of each state but the start, by number.
        func nearestDominators(_ next: [[Int]]) -> [Int] {
            var previous = [[Int]](repeating: [], count: states.count)
            for number in states.indices {
                for target in next[states[number]] { previous[numbers[target]].append(number) }
            }
            // The least number that a way comes from which otherwise passes through greater ones only.
            var semi = Array(states.indices)
            var paths = Paths(parents: parents)
            for number in states.indices.dropFirst().reversed() {
                for source in previous[number] {
                    semi[number] = min(semi[number], paths.leastOnWay(from: source, downTo: number))
                }
                paths.least[number] = semi[number]
            }
            var nearest = parents
            for number in states.indices.dropFirst() {
                while nearest[number] > semi[number] { nearest[number] = nearest[nearest[number]] }
            }
            return nearest
        }
    }

    /// The ways up the tree of a walk, which become shorter whenever one is asked about.
    private struct Paths {
        private var ancestors: [Int]
        /// The least of what the states between a state and its ancestor have, that one not included.
        var least: [Int]
        private var way: [Int] = []

        init(parents: [Int]) {
            ancestors = parents
            least = Array(parents.indices)
        }

        /// The least that a state has, or one above it whose number is over `limit`.
        mutating func leastOnWay(from state: Int, downTo limit: Int) -> Int {
            var top = state
            while top > limit, ancestors[top] > limit {
                way.append(top)
                top = ancestors[top]
            }
            while let below = way.popLast() {
                least[below] = min(least[below], least[ancestors[below]])
                ancestors[below] = ancestors[ancestors[below]]
            }
            return least[state]
        }
    }
}
