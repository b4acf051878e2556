import WaybillCore

/// A `forEach` under way.
package struct LoopState: Sendable, Hashable {
    /// The list, as evaluated when the step began.
    package var items: Payload
    package var count: Int
    /// The item to begin next.
    package var next = 0
    package var running = 0
    package var failed = 0
    /// No further item begins: one failed, and `onItemFailure` is `stop`.
    package var isStopped = false
    /// Of the items that have begun.
    package var results: [ItemResult] = []

    package init(items: Payload, count: Int) {
        self.items = items
        self.count = count
    }

    /// As `forEach.key` names it; nil while no entry has said it.
    func keyOfItem(_ index: Int) -> String? { results.indices.contains(index) ? results[index].key : nil }

    var hasNext: Bool { next < count && !isStopped }
}

/// What became of one item: an entry of `steps.<id>.items`.
package struct ItemResult: Sendable, Hashable {
    package var key: String?
    package var status: StepStatus = .pending
    package var output: Payload?
    package var error: Failure?

    package init() {}
}
