/// The sets extension: lists taken as sets.
enum SetFunctions {
    static let all: [Function] = [
        Function("sets.contains", ["(list(A), list(A)) -> bool"], contains),
        Function("sets.equivalent", ["(list(A), list(A)) -> bool"], equivalent),
        Function("sets.intersects", ["(list(A), list(A)) -> bool"], intersects),
    ]

    private static func set(_ list: CELList, _ evaluator: inout Evaluator) throws(ExpressionError) -> ValueSet {
        var set = ValueSet()
        for element in list { _ = try set.insert(element, &evaluator) }
        return set
    }

    /// Whether every element of `part` is in `whole`.
    private static func isSubset(
        _ part: CELList, of whole: CELList, _ evaluator: inout Evaluator
    ) throws(ExpressionError) -> Bool {
        let set = try set(whole, &evaluator)
        for element in part where try !set.contains(element, &evaluator) { return false }
        return true
    }

    private static func contains(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .bool(try isSubset(try a.list(1), of: try a.list(0), &evaluator))
    }

    private static func equivalent(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let (left, right) = (try a.list(0), try a.list(1))
        guard try isSubset(left, of: right, &evaluator) else { return .bool(false) }
        return .bool(try isSubset(right, of: left, &evaluator))
    }

    private static func intersects(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let set = try set(try a.list(0), &evaluator)
        for element in try a.list(1) where try set.contains(element, &evaluator) { return .bool(true) }
        return .bool(false)
    }
}
