import Synchronization
import Testing
import WaybillCore
import WaybillExpressions

/// Evaluates an expression without declarations.
func evaluate(
    _ source: String, _ variables: [String: CELValue] = [:], zones: any TimeZoneSource = UniversalTime(),
    limit: CostLimit = .standard
) throws -> CELValue {
    let expression = try Expression.compile(source, place: nil, declarations: .unchecked)
    return try expression.evaluate(in: Variables(variables, zones: zones), limit: limit)
}

/// The error an expression ends with when it is evaluated.
func failure(
    of source: String, _ variables: [String: CELValue] = [:], limit: CostLimit = .standard
) throws -> ExpressionError {
    let expression = try Expression.compile(source, place: nil, declarations: .unchecked)
    return try #require(throws: ExpressionError.self) {
        try expression.evaluate(in: Variables(variables), limit: limit)
    }
}

/// What is wrong with an expression before it is evaluated.
func problems(_ source: String, _ variables: [String: TypeShape] = [:]) -> [Diagnostic] {
    do throws(InvalidExpression) {
        return try Expression.compile(
            source, place: SourcePlace(file: "w.yaml", line: 3, column: 5), declarations: Declarations(variables)
        ).warnings
    } catch {
        return error.diagnostics
    }
}

/// The type the checker finds.
func shape(_ source: String, _ variables: [String: TypeShape] = [:]) throws -> String {
    try Expression.compile(source, place: nil, declarations: Declarations(variables)).shape.description
}

/// Steps `s0`, `s1`... that remember which of them were asked for.
final class CountedSteps: LazyMap {
    let count: Int
    private let log = Mutex<[String]>([])
    var asked: [String] { log.withLock { $0 } }

    init(count: Int) { self.count = count }

    var keys: [String] { (0..<count).map { "s\($0)" }.sorted() }

    func member(_ key: String) -> CELValue? {
        log.withLock { $0.append(key) }
        guard key.hasPrefix("s"), let number = Int64(key.dropFirst()), number < count else { return nil }
        return CELValue(["output": .int(number)])
    }
}

/// 0, 1, 4, 9 and one more.
final class Squares: LazyList {
    let count = 5

    func element(at index: Int) -> CELValue { .int(Int64(index * index)) }
}
