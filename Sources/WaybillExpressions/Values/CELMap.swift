package import WaybillCore

/// Members that are made when they are asked for: `steps` of a run with 10,000 entries is never built as a whole.
package protocol LazyMap: AnyObject, Sendable {
    /// nil if there is no such member.
    func member(_ key: String) -> CELValue?
    var count: Int { get }
    /// In code-point order.
    var keys: [String] { get }
}

/// A map: of CEL values, or a wrapped JSON object, or one that is made on demand.
///
/// Iteration goes by key: booleans, then numbers by size, then strings by code points.
package struct CELMap: Sendable {
    package typealias Element = (key: MapKey, value: CELValue)

    private enum Storage {
        /// Sorted by key, each key once.
        case entries([Element])
        case json(Object)
        case lazy(any LazyMap, keys: [String])
        case lazyUnread(any LazyMap)
    }

    private let storage: Storage

    package init() { storage = .entries([]) }
    package init(_ object: Object) { storage = .json(object) }
    package init(_ map: some LazyMap) { storage = .lazyUnread(map) }

    private init(storage: Storage) { self.storage = storage }

    /// nil if a key occurs twice (`1`, `1u` and `1.0` are one key).
    package init?(unique elements: [Element]) {
        let sorted = elements.sorted { $0.key < $1.key }
        for index in sorted.indices.dropFirst() where !(sorted[index - 1].key < sorted[index].key) { return nil }
        storage = .entries(sorted)
    }

    package init(_ members: [(String, CELValue)]) {
        var entries: [Element] = []
        for (key, value) in members.map({ (MapKey.string($0.0), $0.1) }).sorted(by: { $0.0 < $1.0 }) {
            if let last = entries.last, !(last.key < key) { entries.removeLast() }
            entries.append((key, value))
        }
        storage = .entries(entries)
    }

    package var count: Int {
        switch storage {
        case .entries(let entries): entries.count
        case .json(let object): object.count
        case .lazy(_, let keys): keys.count
        case .lazyUnread(let map): map.count
        }
    }

    package func member(_ name: String) -> CELValue? {
        switch storage {
        case .json(let object): object[name].map { CELValue($0) }
        case .lazy(let map, _), .lazyUnread(let map): map.member(name)
        case .entries: entry(.string(name))
        }
    }

    package subscript(key: MapKey) -> CELValue? {
        if case .string(let name) = key { member(name) } else { entry(key) }
    }

    /// The map with its keys at hand, so that walking it asks a lazy map for them once.
    package var walkable: CELMap {
        guard case .lazyUnread(let map) = storage else { return self }
        return CELMap(storage: .lazy(map, keys: map.keys))
    }

    /// The names of up to `limit` string keys, for suggestions.
    func names(limit: Int) -> [String] {
        walkable.prefix(limit).compactMap { if case .string(let name) = $0.key { name } else { nil } }
    }

    private func entry(_ key: MapKey) -> CELValue? {
        guard case .entries(let entries) = storage else { return nil }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count, !(key < entries[low].key) else { return nil }
        return entries[low].value
    }
}

extension CELMap: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(position: Int) -> Element {
        switch storage {
        case .entries(let entries): return entries[position]
        case .json(let object):
            let member = object[position]
            return (.string(member.key), CELValue(member.value))
        case .lazy(let map, let keys): return (.string(keys[position]), map.member(keys[position]) ?? .null)
        case .lazyUnread(let map):
            let key = map.keys[position]
            return (.string(key), map.member(key) ?? .null)
        }
    }
}
