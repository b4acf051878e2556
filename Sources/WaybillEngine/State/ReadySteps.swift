/// The steps that may be decided upon: a binary heap, smallest first, each at most once.
package struct ReadySteps: Sendable, Hashable {
    private var heap: [InstanceID] = []
    private var members: Set<InstanceID> = []

    package init() {}

    package var isEmpty: Bool { heap.isEmpty }
    package var first: InstanceID? { heap.first }
    /// In ascending order, for checkpoints.
    package var sorted: [InstanceID] { heap.sorted() }

    package mutating func removeAll() {
        heap = []
        members = []
    }

    package func contains(_ index: InstanceID) -> Bool { members.contains(index) }

    package mutating func insert(_ index: InstanceID) {
        guard members.insert(index).inserted else { return }
        heap.append(index)
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2] > heap[child] {
            heap.swapAt((child - 1) / 2, child)
            child = (child - 1) / 2
        }
    }

    /// Takes an index out, wherever it stands; usually it is the first.
    package mutating func remove(_ index: InstanceID) {
        guard members.remove(index) != nil else { return }
        guard let position = heap.first == index ? 0 : heap.firstIndex(of: index) else { return }
        heap.swapAt(position, heap.count - 1)
        heap.removeLast()
        guard position < heap.count else { return }
        siftDown(from: position)
        siftUp(from: position)
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let least = right < heap.count && heap[right] < heap[left] ? right : left
            guard heap[least] < heap[parent] else { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0, heap[(child - 1) / 2] > heap[child] {
            heap.swapAt((child - 1) / 2, child)
            child = (child - 1) / 2
        }
    }

    package static func == (left: ReadySteps, right: ReadySteps) -> Bool { left.members == right.members }
    package func hash(into hasher: inout Hasher) { hasher.combine(members) }
}
