import WaybillCore

enum Order {
    case ascending, same, descending
    /// One of the two is no number.
    case unordered
}

extension Evaluator {
    /// The language's equality: values of different types are different, save numbers, which are compared by what
    /// they stand for (language definition, "Equality"). Deep values are paid for by element.
    mutating func areEqual(_ left: CELValue, _ right: CELValue) throws(ExpressionError) -> Bool {
        try charge(1)
        switch (left, right) {
        case (.int(let left), .int(let right)): return left == right
        case (.string(let left), .string(let right)):
            guard left.utf8.count == right.utf8.count else { return false }
            try charge(bytes: left.utf8.count)
            return left.isIdenticalUTF8(to: right)
        case (.bool(let left), .bool(let right)): return left == right
        case (.null, .null): return true
        case (.bytes(let left), .bytes(let right)):
            try charge(bytes: min(left.count, right.count))
            return left == right
        case (.list(let left), .list(let right)):
            guard left.count == right.count else { return false }
            for (left, right) in zip(left, right) where try !areEqual(left, right) { return false }
            return true
        case (.map(let left), .map(let right)):
            guard left.count == right.count else { return false }
            for (key, value) in left.walkable {
                guard let other = right[key], try areEqual(value, other) else { return false }
            }
            return true
        case (.timestamp(let left), .timestamp(let right)): return left == right
        case (.duration(let left), .duration(let right)): return left == right
        case (.type(let left), .type(let right)): return left == right
        case (.optional(let left), .optional(let right)):
            guard let left, let right else { return left == nil && right == nil }
            return try areEqual(left, right)
        default: return numericOrder(left, right) == .same
        }
    }

    /// nil if the two have no order.
    mutating func order(_ left: CELValue, _ right: CELValue) throws(ExpressionError) -> Order? {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            try charge(bytes: min(left.utf8.count, right.utf8.count))
            if left.isIdenticalUTF8(to: right) { return .same }
            return left.precedesInCodePoints(right) ? .ascending : .descending
        case (.bool(let left), .bool(let right)): return order(left ? 1 : 0, right ? 1 : 0)
        case (.bytes(let left), .bytes(let right)):
            try charge(bytes: min(left.count, right.count))
            if left == right { return .same }
            return left.lexicographicallyPrecedes(right) ? .ascending : .descending
        case (.timestamp(let left), .timestamp(let right)): return order(left, right)
        case (.duration(let left), .duration(let right)): return order(left, right)
        default: return numericOrder(left, right)
        }
    }

    /// nil if one of the two is no number. Between a whole number and a double the whole number is taken as the
    /// nearest double, as the reference implementations do.
    func numericOrder(_ left: CELValue, _ right: CELValue) -> Order? {
        switch (left, right) {
        case (.int(let left), .int(let right)): return order(left, right)
        case (.uint(let left), .uint(let right)): return order(left, right)
        case (.int(let left), .uint(let right)):
            return left < right ? .ascending : left == right ? .same : .descending
        case (.uint(let left), .int(let right)):
            return left < right ? .ascending : left == right ? .same : .descending
        default:
            guard let left = left.asDouble, let right = right.asDouble else { return nil }
            return left.isNaN || right.isNaN ? .unordered : order(left, right)
        }
    }

    private func order<Element: Comparable>(_ left: Element, _ right: Element) -> Order {
        left < right ? .ascending : left == right ? .same : .descending
    }

    /// A hash that equal values share, for looking for equals among many.
    mutating func hash(_ value: CELValue, into hasher: inout Hasher) throws(ExpressionError) {
        try charge(1)
        switch value {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int, .uint, .double: hasher.combine(value.asDouble ?? 0)
        case .string(let value):
            try charge(bytes: value.utf8.count)
            hasher.combineUTF8(of: value)
        case .bytes(let value):
            try charge(bytes: value.count)
            hasher.combine(value)
        case .list(let list):
            hasher.combine(list.count)
            for element in list { try hash(element, into: &hasher) }
        case .map(let map): hasher.combine(map.count)
        case .timestamp(let value): hasher.combine(value)
        case .duration(let value): hasher.combine(value)
        case .type(let value): hasher.combine(value)
        case .optional(let inner): if let inner { try hash(inner, into: &hasher) }
        }
    }
}
