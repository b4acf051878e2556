import WaybillCore

/// A set whose least member is always at hand: a binary heap, smallest first, each member once.
///
/// What is taken out stays in the heap until it comes to its top, so that taking out costs as little as putting in.
package struct MemberHeap<Member: Hashable & Comparable & Sendable>: Sendable, Hashable {
    /// May hold what is no member any more, or a member twice; its top is a member.
    private var heap: [Member] = []
    private var members: Set<Member> = []

    package init() {}

    package var isEmpty: Bool { members.isEmpty }
    package var count: Int { members.count }
    package var first: Member? { heap.first }
    /// In ascending order, for checkpoints.
    package var sorted: [Member] { members.sorted() }

    package mutating func removeAll() {
        heap = []
        members = []
    }

    package func contains(_ member: Member) -> Bool { members.contains(member) }

    package mutating func insert(_ member: Member) {
        guard members.insert(member).inserted else { return }
        heap.append(member)
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2] > heap[child] {
            heap.swapAt((child - 1) / 2, child)
            child = (child - 1) / 2
        }
    }

    package mutating func remove(_ member: Member) {
        guard members.remove(member) != nil else { return }
        while let top = heap.first, !members.contains(top) { dropTop() }
        // A least member that stays for long must not make the rest pile up behind it. A sorted list is a heap.
        if heap.count > Self.slack + 2 * members.count { heap = members.sorted() }
    }

    /// How many more entries than twice its members a heap may have.
    private static var slack: Int { 64 }

    private mutating func dropTop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
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

    package static func == (left: MemberHeap, right: MemberHeap) -> Bool { left.members == right.members }
    package func hash(into hasher: inout Hasher) { hasher.combine(members) }
}

/// The steps that may be decided upon.
package typealias ReadySteps = MemberHeap<InstanceID>

/// When an open wait ends by the clock.
struct Deadline: Hashable, Comparable, Sendable {
    var until: Timestamp
    var key: String

    static func < (left: Deadline, right: Deadline) -> Bool { (left.until, left.key) < (right.until, right.key) }
}
