/// The newest waits that are over. Bounded, so that a machine that asks 100,000 times does not grow.
package struct ClosedWaits: Sendable, Hashable {
    /// Answers to waits that were closed longer ago are `already-answered`, even if they repeat the accepted bytes.
    package static let limit = 1_000

    private var byKey: [String: ClosedWait] = [:]
    /// Keys, oldest first; a ring once it is full.
    private var order: [String] = []
    private var oldest = 0

    package init() {}

    package subscript(_ key: String) -> ClosedWait? { byKey[key] }

    package mutating func insert(_ wait: ClosedWait) {
        if byKey.updateValue(wait, forKey: wait.key) != nil { return }
        if order.count < Self.limit {
            order.append(wait.key)
        } else {
            byKey[order[oldest]] = nil
            order[oldest] = wait.key
            oldest = (oldest + 1) % Self.limit
        }
    }

    /// Oldest first.
    package var all: [ClosedWait] {
        (order[oldest...] + order[..<oldest]).compactMap { byKey[$0] }
    }

    package static func == (left: ClosedWaits, right: ClosedWaits) -> Bool { left.all == right.all }
    package func hash(into hasher: inout Hasher) { hasher.combine(all) }
}
