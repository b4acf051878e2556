extension Evaluator {
    /// Evaluates a macro over the elements of a list or the keys of a map; with two variables over index and element,
    /// or key and value.
    mutating func evaluate(_ fold: FoldNode, _ offset: Int) throws(ExpressionError) -> CELValue {
        let range = try evaluate(fold.range)
        let elements: Elements
        switch range {
        case .list(let list): elements = .list(list)
        case .map(let map): elements = .map(map.walkable)
        default:
            throw typeError(
                "\(fold.kind.rawValue)() walks over a list or a map, not \(range.typeWord)", offset, [range])
        }
        let outer = locals.count
        for _ in 0..<fold.variableCount { locals.append(.null) }
        defer { locals.removeLast(locals.count - outer) }
        switch fold.kind {
        case .all: return .bool(try decide(fold, elements, at: outer, stopAt: false, offset))
        case .exists: return .bool(try decide(fold, elements, at: outer, stopAt: true, offset))
        case .existsOne: return .bool(try count(fold, elements, at: outer, offset) == 1)
        case .filter: return try filter(fold, elements, at: outer, offset)
        case .map, .transformList: return try transform(fold, elements, at: outer, offset)
        case .transformMap, .transformMapEntry: return try transformMap(fold, elements, at: outer, offset)
        case .sortBy: return try sort(fold, elements, at: outer, offset)
        }
    }

    private enum Elements {
        case list(CELList)
        case map(CELMap)

        var count: Int {
            switch self {
            case .list(let list): list.count
            case .map(let map): map.count
            }
        }
    }

    /// Sets the macro's variables to the element at an index.
    private mutating func bind(_ fold: FoldNode, _ elements: Elements, _ index: Int, at slot: Int) {
        switch elements {
        case .list(let list) where fold.variableCount == 1: locals[slot] = list[index]
        case .list(let list):
            locals[slot] = .int(Int64(index))
            locals[slot + 1] = list[index]
        case .map(let map):
            let (key, value) = map[index]
            locals[slot] = key.value
            if fold.variableCount == 2 { locals[slot + 1] = value }
        }
    }

    private mutating func decide(
        _ fold: FoldNode, _ elements: Elements, at slot: Int, stopAt deciding: Bool, _ offset: Int
    ) throws(ExpressionError) -> Bool {
        var failure: ExpressionError?
        for index in 0..<elements.count {
            bind(fold, elements, index, at: slot)
            do throws(ExpressionError) {
                if try truth(fold.body, offset) == deciding { return deciding }
            } catch {
                if error.code == .costLimit { throw error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return !deciding
    }

    private mutating func count(
        _ fold: FoldNode, _ elements: Elements, at slot: Int, _ offset: Int
    ) throws(ExpressionError) -> Int {
        var count = 0
        for index in 0..<elements.count {
            bind(fold, elements, index, at: slot)
            if try truth(fold.body, offset) { count += 1 }
        }
        return count
    }

    private mutating func filter(
        _ fold: FoldNode, _ elements: Elements, at slot: Int, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        var kept: [CELValue] = []
        for index in 0..<elements.count {
            bind(fold, elements, index, at: slot)
            if try truth(fold.body, offset) { kept.append(locals[slot]) }
        }
        return .list(kept)
    }

    private mutating func transform(
        _ fold: FoldNode, _ elements: Elements, at slot: Int, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        var results: [CELValue] = []
        for index in 0..<elements.count {
            bind(fold, elements, index, at: slot)
            if let filter = fold.filter, try !truth(filter, offset) { continue }
            results.append(try evaluate(fold.body))
        }
        return .list(results)
    }

    private mutating func transformMap(
        _ fold: FoldNode, _ elements: Elements, at slot: Int, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        var results: [CELMap.Element] = []
        for index in 0..<elements.count {
            bind(fold, elements, index, at: slot)
            if let filter = fold.filter, try !truth(filter, offset) { continue }
            if fold.kind == .transformMap {
                let key = try mapKey(locals[slot], offset)
                results.append((key, try evaluate(fold.body)))
            } else if case .map(let entries) = try evaluate(fold.body) {
                results.append(contentsOf: entries)
            }
        }
        return .map(try uniqueMap(results, offset))
    }

    private mutating func sort(
        _ fold: FoldNode, _ elements: Elements, at slot: Int, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        var keyed: [(key: CELValue, value: CELValue)] = []
        for index in 0..<elements.count {
            bind(fold, elements, index, at: slot)
            keyed.append((try evaluate(fold.body), locals[slot]))
        }
        return .list(try sorted(keyed, offset).map(\.value))
    }

    /// Sorts stably by keys, which must all be of one type that has an order.
    mutating func sorted(
        _ keyed: [(key: CELValue, value: CELValue)], _ offset: Int
    ) throws(ExpressionError) -> [(key: CELValue, value: CELValue)] {
        guard let first = keyed.first else { return keyed }
        for element in keyed {
            let isComparable = try order(element.key, element.key) != nil
            guard element.key.typeName == first.key.typeName, isComparable else {
                throw typeError(
                    "what is sorted must be of one type that has an order", offset, [first.key, element.key])
            }
        }
        // Merging by hand, since the library's sort takes no closure that pays.
        var sorted = keyed
        var width = 1
        while width < sorted.count {
            var merged: [(key: CELValue, value: CELValue)] = []
            merged.reserveCapacity(sorted.count)
            for start in stride(from: 0, to: sorted.count, by: 2 * width) {
                let middle = min(start + width, sorted.count)
                let end = min(start + 2 * width, sorted.count)
                var (left, right) = (start, middle)
                while left < middle || right < end {
                    try charge(1)
                    if left < middle, right == end { merged.append(sorted[left]); left += 1; continue }
                    if left == middle { merged.append(sorted[right]); right += 1; continue }
                    if try order(sorted[right].key, sorted[left].key) == .ascending {
                        merged.append(sorted[right])
                        right += 1
                    } else {
                        merged.append(sorted[left])
                        left += 1
                    }
                }
            }
            sorted = merged
            width *= 2
        }
        return sorted
    }
}
