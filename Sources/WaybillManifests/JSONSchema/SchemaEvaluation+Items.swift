import WaybillCore

extension SchemaEvaluation {
    mutating func checkItems(
        _ keyword: Keyword, _ number: Int, _ items: [Value], _ evaluated: inout EvaluatedParts
    ) -> Bool {
        switch keyword {
        case .itemCounts(let minimum, let maximum):
            if let minimum, items.count < minimum {
                return collects && fail(number, "minItems", "must have at least \(minimum.items), has \(items.count)")
            }
            if let maximum, items.count > maximum {
                return collects && fail(number, "maxItems", "must have at most \(maximum.items), has \(items.count)")
            }
            return true
        case .uniqueItems:
            return checkUnique(number, items)
        case .items(let prefix, let rest, let restName):
            return checkEach(number, items, prefix: prefix, rest: rest, restName, &evaluated)
        case .contains(let schema, let minimum, let maximum):
            return checkContains(number, items, schema, minimum...max(minimum, maximum ?? .max), maximum, &evaluated)
        case .unevaluatedItems(let schema):
            var isValid = true
            for index in items.indices where !evaluated.contains(index) {
                if !apply(schema, to: items[index], at: .item(index)) {
                    isValid = false
                    if !collects { return false }
                }
                evaluated.insert(index)
            }
            return isValid
        default: return true
        }
    }

    private mutating func checkUnique(_ number: Int, _ items: [Value]) -> Bool {
        var first: [Value: Int] = [:]
        for (index, item) in items.enumerated() {
            if let other = first.updateValue(index, forKey: item.withWholeNumbersAsInts) {
                return collects && fail(number, "uniqueItems", "items \(other) and \(index) are equal")
            }
        }
        return true
    }

    private mutating func checkEach(
        _ number: Int, _ items: [Value], prefix: [Int], rest: Int?, _ restName: String,
        _ evaluated: inout EvaluatedParts
    ) -> Bool {
        var isValid = true
        for index in items.indices {
            guard let schema = index < prefix.count ? prefix[index] : rest else { break }
            if !apply(schema, to: items[index], at: .item(index)) {
                isValid = false
                if !collects { return false }
            }
            if self.schema.tracksEvaluated { evaluated.insert(index) }
        }
        return isValid
    }

    private mutating func checkContains(
        _ number: Int, _ items: [Value], _ schema: Int, _ range: ClosedRange<Int>, _ maximum: Int?,
        _ evaluated: inout EvaluatedParts
    ) -> Bool {
        var count = 0
        for index in items.indices where test(schema, items[index], at: .item(index)) {
            count += 1
            if self.schema.tracksEvaluated { evaluated.insert(index) }
        }
        if count < range.lowerBound {
            let keyword = range.lowerBound == 1 ? "contains" : "minContains"
            return collects
                && fail(number, keyword, "must contain at least \(range.lowerBound.items) that fit, has \(count)")
        }
        if let maximum, count > maximum {
            return collects
                && fail(number, "maxContains", "must contain at most \(maximum.items) that fit, has \(count)")
        }
        return true
    }
}

extension Int {
    fileprivate var items: String { self == 1 ? "1 item" : "\(self) items" }
}
