package import WaybillCore

/// Elements that are made when they are asked for, such as the items of a `forEach` step.
package protocol LazyList: AnyObject, Sendable {
    var count: Int { get }
    /// The element at an index in `0..<count`.
    func element(at index: Int) -> CELValue
}

/// A list: of CEL values, or a wrapped JSON list, or one that is made on demand.
package struct CELList: Sendable {
    private enum Storage {
        case values([CELValue])
        case json([Value])
        case lazy(any LazyList)
    }

    private let storage: Storage

    package init(_ values: [CELValue]) { storage = .values(values) }
    package init(_ values: [Value]) { storage = .json(values) }
    package init(_ list: some LazyList) { storage = .lazy(list) }
}

extension CELList: RandomAccessCollection {
    package var startIndex: Int { 0 }

    package var endIndex: Int {
        switch storage {
        case .values(let values): values.count
        case .json(let values): values.count
        case .lazy(let list): list.count
        }
    }

    package subscript(index: Int) -> CELValue {
        switch storage {
        case .values(let values): values[index]
        case .json(let values): CELValue(values[index])
        case .lazy(let list): list.element(at: index)
        }
    }

    /// All elements; free where the list was made of CEL values.
    var values: [CELValue] {
        if case .values(let values) = storage { return values }
        return Array(self)
    }
}
