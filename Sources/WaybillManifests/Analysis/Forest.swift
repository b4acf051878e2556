/// Trees of nodes that know at once who stands above whom.
struct Forest {
    /// In a line in which each node is followed by all beneath it, where a node stands; -1 for one that is in no tree.
    private var places: [Int]
    /// A node and all beneath it.
    private var sizes: [Int]

    /// - Parameters:
    ///   - parents: of each node, nil for the top of a tree.
    ///   - order: every node of the trees, each behind its parent.
    init(parents: [Int?], order: [Int]) {
        places = [Int](repeating: -1, count: parents.count)
        sizes = [Int](repeating: 1, count: parents.count)
        for node in order.reversed() {
            if let parent = parents[node] { sizes[parent] += sizes[node] }
        }
        // Where the next node beneath each one comes; at the end, where the next tree does.
        var free = [Int](repeating: 0, count: parents.count + 1)
        for node in order {
            let parent = parents[node] ?? parents.count
            places[node] = free[parent]
            free[parent] += sizes[node]
            free[node] = places[node] + 1
        }
    }

    func contains(_ node: Int) -> Bool { places[node] >= 0 }

    /// Whether a node of a tree stands above another one, or is it.
    func isOver(_ node: Int, _ other: Int) -> Bool {
        contains(node) && places[node] <= places[other] && places[other] < places[node] + sizes[node]
    }
}
