import WaybillCore
import WaybillExpressions

/// The variables that expressions may use, with what the checker is told of them.
private enum Variables {
    static let declarations = Declarations([
        "any": .dyn, "b": .bool, "d": .double, "i": .int, "l": .list(.int), "m": .map(key: .string, value: .string),
        "n": .nullable(.string), "o": .object(["a": .int, "s": .string, "l": .list(.double)]), "s": .string,
        "t": .timestamp, "p": .duration, "u": .uint, "y": .bytes,
    ])

    static let scope = WaybillExpressions.Variables([
        "any": CELValue(["k": [1, 2.5, "x", nil, true], "e": [:]] as Value), "b": .bool(true), "d": .double(-2.5),
        "i": .int(7), "l": CELValue([3, 1, 2] as Value), "m": CELValue(["a": "b", "": "\u{1F642}"] as Value),
        "n": .null, "o": CELValue(["a": 1, "s": "text", "l": [1.5, 2.0]] as Value),
        "s": .string("Stra\u{DF}e e\u{301}"),
        "t": CELTimestamp(seconds: 1_800_000_000).map { .timestamp($0) } ?? .null,
        "p": .duration(CELDuration(nanoseconds: 90_000_000_000)), "u": .uint(9), "y": .bytes([0, 0xFF, 0x41]),
    ])
}

/// Small enough that each run is fast, large enough that real work is done.
private let limit = CostLimit(units: 20_000)

/// What is checked keeps its type; what is evaluated ends, says the same twice, and is no larger than it was paid for.
func fuzzExpression(_ bytes: [UInt8]) {
    guard let source = String(validating: bytes, as: UTF8.self) else { return }
    fuzzTemplate(source)
    check(expression: source)
}

func check(expression source: String) {
    let checked: Expression
    do throws(InvalidExpression) {
        checked = try Expression.compile(source, declarations: Variables.declarations)
    } catch {
        require(!error.diagnostics.isEmpty, "a refusal says why")
        // What the checker refuses may run where types are not known; there it must end as well.
        if let unchecked = try? Expression.compile(source, declarations: .unchecked) { evaluate(unchecked) }
        return
    }
    if let result = evaluate(checked) {
        require(result.fits(checked.shape), "\(result.summary) is of the type \(checked.shape) that the checker found")
        let unchecked = require(
            try? Expression.compile(source, declarations: .unchecked), "what is checked is also well formed")
        require(evaluate(unchecked) == result, "types change nothing about values")
    }
}

@discardableResult
private func evaluate(_ expression: Expression) -> CELValue? {
    let first = Result { () throws(ExpressionError) in try expression.evaluate(in: Variables.scope, limit: limit) }
    let second = Result { () throws(ExpressionError) in try expression.evaluate(in: Variables.scope, limit: limit) }
    switch (first, second) {
    case (.success(let one), .success(let other)): require(one == other, "an expression always says the same")
    case (.failure(let one), .failure(let other)):
        require(one.code == other.code, "an expression always fails in the same way")
        require(!one.message.isEmpty, "a failure says why")
        return nil
    default: require(false, "an expression always ends in the same way")
    }
    if let value = try? expression.value(in: Variables.scope, limit: limit) {
        let size = JSON.compact(value).count
        // 16 bytes for a unit, each at most six characters of JSON; numbers and constants come on top.
        require(size <= 100 * limit.units + 6 * expression.source.utf8.count, "nothing is larger than what was paid")
    }
    return try? first.get()
}

/// A text with expressions in it is read, or refused with a reason, and gives text or an error.
private func fuzzTemplate(_ source: String) {
    guard source.contains("${{") else { return }
    let template: Template
    do throws(InvalidExpression) {
        template = try Template.parse(source, places: .unknown, declarations: Variables.declarations)
    } catch {
        return require(!error.diagnostics.isEmpty, "a refusal says why")
    }
    _ = try? template.text(in: Variables.scope, limit: limit)
}

extension CELValue {
    /// Whether a value may stand where a shape was promised.
    func fits(_ shape: TypeShape) -> Bool {
        switch (shape, self) {
        case (.dyn, _), (.variable, _), (.generic, _), (.abstract, _), (.nullable, .null): true
        case (.null, .null), (.bool, .bool), (.int, .int), (.uint, .uint), (.double, .double), (.string, .string),
            (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration), (.type, .type):
            true
        case (.nullable(let inner), _): fits(inner)
        case (.list(let element), .list(let list)): list.prefix(100).allSatisfy { $0.fits(element) }
        case (.map(_, let value), .map(let map)): map.prefix(100).allSatisfy { $0.value.fits(value) }
        case (.object(let object), .map(let map)):
            object.fields.allSatisfy { name, shape in map.member(name)?.fits(shape) ?? true }
        case (.optional(let inner), .optional(let value)): value?.fits(inner) ?? true
        default: false
        }
    }
}
