/// A set of step indices.
struct BitSet: Hashable, Sendable {
    private var words: [UInt64]

    init(capacity: Int, filled: Bool = false) {
        words = [UInt64](repeating: filled ? .max : 0, count: (capacity + 63) / 64)
    }

    func contains(_ index: Int) -> Bool { words[index / 64] >> UInt64(index % 64) & 1 == 1 }

    mutating func insert(_ index: Int) { words[index / 64] |= 1 << UInt64(index % 64) }

    mutating func formUnion(_ other: BitSet) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    mutating func formIntersection(_ other: BitSet) {
        for index in words.indices { words[index] &= other.words[index] }
    }
}
