/// The lists extension; `sortBy` is a macro, and `reverse` stands with the strings.
enum ListFunctions {
    static let all: [Function] = [
        Function("slice", ["list(A).(int, int) -> list(A)"], slice),
        Function("flatten", ["list(A).() -> list(dyn)", "list(A).(int) -> list(dyn)"], flatten),
        Function("distinct", ["list(A).() -> list(A)"], distinct),
        Function("sort", ["list(A).() -> list(A)"], sort),
        Function("first", ["list(A).() -> optional(A)"], first),
        Function("last", ["list(A).() -> optional(A)"], last),
        Function("lists.range", ["(int) -> list(int)"], range),
    ]

    private static func slice(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let (list, start, end) = (try a.list(0), try a.int(1), try a.int(2))
        guard start >= 0, start <= end, end <= list.count else {
            throw a.failure(.indexOutOfRange, "\(start)..<\(end) is no part of a list of \(list.count)")
        }
        try evaluator.charge(Int(end - start))
        return .list(Array(list[Int(start)..<Int(end)]))
    }

    private static func flatten(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let depth = a.count > 1 ? try a.int(1) : 1
        guard depth >= 0 else { throw a.failure(.argument, "the depth is negative") }
        var result: [CELValue] = []
        try flatten(try a.list(0), depth: depth, into: &result, &evaluator)
        return .list(result)
    }

    private static func flatten(
        _ list: CELList, depth: Int64, into result: inout [CELValue], _ evaluator: inout Evaluator
    ) throws(ExpressionError) {
        for element in list {
            try evaluator.charge(1)
            if depth > 0, case .list(let inner) = element {
                try flatten(inner, depth: depth - 1, into: &result, &evaluator)
            } else {
                result.append(element)
            }
        }
    }

    private static func distinct(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        var set = ValueSet()
        var result: [CELValue] = []
        for element in try a.list(0) where try set.insert(element, &evaluator) { result.append(element) }
        return .list(result)
    }

    private static func sort(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let list = try a.list(0)
        try evaluator.charge(list.count)
        return .list(try evaluator.sorted(list.map { ($0, $0) }, a.offset).map(\.value))
    }

    private static func first(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .optional(try a.list(0).first)
    }

    private static func last(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .optional(try a.list(0).last)
    }

    private static func range(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let count = try a.int(0)
        guard count >= 0 else { return .list([CELValue]()) }
        try evaluator.charge(Int(count))
        return .list((0..<count).map { .int($0) })
    }
}

/// Values, each once by the language's equality.
struct ValueSet {
    private var buckets: [Int: [CELValue]] = [:]

    /// Whether the value was not there.
    mutating func insert(_ value: CELValue, _ evaluator: inout Evaluator) throws(ExpressionError) -> Bool {
        let hash = try Self.hash(value, &evaluator)
        if try contains(value, hash, &evaluator) { return false }
        buckets[hash, default: []].append(value)
        return true
    }

    func contains(_ value: CELValue, _ evaluator: inout Evaluator) throws(ExpressionError) -> Bool {
        try contains(value, try Self.hash(value, &evaluator), &evaluator)
    }

    private func contains(
        _ value: CELValue, _ hash: Int, _ evaluator: inout Evaluator
    ) throws(ExpressionError) -> Bool {
        for other in buckets[hash] ?? [] where try evaluator.areEqual(value, other) { return true }
        return false
    }

    private static func hash(_ value: CELValue, _ evaluator: inout Evaluator) throws(ExpressionError) -> Int {
        var hasher = Hasher()
        try evaluator.hash(value, into: &hasher)
        return hasher.finalize()
    }
}
