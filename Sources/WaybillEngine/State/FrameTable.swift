/// The plans under way, by number.
///
/// The workflow's own has a place of its own: it is asked for many times in every decision, and in most runs it is the
/// only one. A dictionary would hash its number and copy it each time.
package struct FrameTable: Sendable {
    /// What is read of it here is not copied with all the rest.
    private(set) var root: Frame?
    private var others: [Int: Frame] = [:]

    package init() {}

    package subscript(id: Int) -> Frame? {
        get { id == Frame.root ? root : others[id] }
        _modify {
            if id == Frame.root {
                yield &root
            } else {
                yield &others[id]
            }
        }
    }

    package var count: Int { others.count + (root == nil ? 0 : 1) }
    /// Whether there is a plan beside the workflow's own.
    var hasOthers: Bool { !others.isEmpty }
    /// In no order.
    package var keys: [Int] { (root == nil ? [] : [Frame.root]) + others.keys }
    /// In no order.
    package var values: [Frame] { (root.map { [$0] } ?? []) + others.values }
}

extension FrameTable: Sequence {
    /// In no order.
    package func makeIterator() -> IndexingIterator<[(key: Int, value: Frame)]> {
        values.map { (key: $0.id, value: $0) }.makeIterator()
    }
}
