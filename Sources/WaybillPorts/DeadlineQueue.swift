/// Keys with a deadline each, and the earliest first: a binary heap beside a dictionary.
///
/// A key that was moved or cancelled leaves its old place in the heap behind, which is passed over when it
/// comes up; the heap is rebuilt when such places outnumber the living. So every operation is logarithmic.
/// Equal deadlines come up in the order in which they were set.
package struct DeadlineQueue<Key: Hashable & Sendable, Deadline: Comparable & Sendable>: Sendable {
    private struct Place: Sendable {
        var deadline: Deadline
        var order: UInt64
        var key: Key

        func isBefore(_ other: Place) -> Bool {
            deadline == other.deadline ? order < other.order : deadline < other.deadline
        }
    }

    private var heap: [Place] = []
    private var living: [Key: (deadline: Deadline, order: UInt64)] = [:]
    private var nextOrder: UInt64 = 0

    package init() {}

    package var count: Int { living.count }
    package var isEmpty: Bool { living.isEmpty }

    /// The deadline of a key; nil if it has none.
    package subscript(_ key: Key) -> Deadline? { living[key]?.deadline }

    /// The earliest deadline; nil if there is none.
    package var earliest: Deadline? {
        mutating get {
            dropDead()
            return heap.first?.deadline
        }
    }

    /// Sets the deadline of a key and replaces an earlier one.
    package mutating func set(_ key: Key, to deadline: Deadline) {
        living[key] = (deadline, nextOrder)
        heap.append(Place(deadline: deadline, order: nextOrder, key: key))
        nextOrder += 1
        siftUp(from: heap.count - 1)
        rebuildIfMostlyDead()
    }

    package mutating func remove(_ key: Key) {
        living[key] = nil
        rebuildIfMostlyDead()
    }

    package mutating func removeAll() {
        living = [:]
        heap = []
    }

    /// Takes out the earliest key whose deadline is not after `now`.
    package mutating func popDue(_ now: Deadline) -> (key: Key, deadline: Deadline)? {
        dropDead()
        guard let first = heap.first, first.deadline <= now else { return nil }
        removeFirst()
        living[first.key] = nil
        return (first.key, first.deadline)
    }

    private func isLiving(_ place: Place) -> Bool { living[place.key]?.order == place.order }

    private mutating func dropDead() {
        while let first = heap.first, !isLiving(first) { removeFirst() }
    }

    private mutating func rebuildIfMostlyDead() {
        guard heap.count > 64, heap.count > 2 * living.count else { return }
        // A sorted array is a heap.
        heap = heap.filter(isLiving).sorted { $0.isBefore($1) }
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].isBefore(heap[smallest]) { smallest = child }
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }
}
