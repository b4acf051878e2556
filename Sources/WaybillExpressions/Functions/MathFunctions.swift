/// The math extension.
enum MathFunctions {
    static let all: [Function] =
        [
            Function("math.greatest", extremes, greatest),
            Function("math.least", extremes, least),
            Function("math.abs", unary(["int", "uint", "double"]), abs),
            Function("math.sign", unary(["int", "uint", "double"]), sign),
            Function("math.ceil", ["(double) -> double"], ceil),
            Function("math.floor", ["(double) -> double"], floor),
            Function("math.round", ["(double) -> double"], round),
            Function("math.trunc", ["(double) -> double"], trunc),
            Function("math.sqrt", ["int", "uint", "double"].map { "(\($0)) -> double" }, squareRoot),
            Function("math.isNaN", ["(double) -> bool"], isNaN),
            Function("math.isInf", ["(double) -> bool"], isInfinite),
            Function("math.isFinite", ["(double) -> bool"], isFinite),
            Function("math.bitAnd", binary, bitAnd),
            Function("math.bitOr", binary, bitOr),
            Function("math.bitXor", binary, bitXor),
            Function("math.bitNot", unary(["int", "uint"]), bitNot),
            Function("math.bitShiftLeft", ["(int, int) -> int", "(uint, int) -> uint"], shiftLeft),
            Function("math.bitShiftRight", ["(int, int) -> int", "(uint, int) -> uint"], shiftRight),
        ]

    private static let binary = ["(int, int) -> int", "(uint, uint) -> uint"]

    /// Two to eight numbers, or one, or a list. The result is one of them, so of the type of one of them.
    private static let extremes =
        unary(["int", "uint", "double"]) + ["(list(A)) -> A"] + [
            "(int, int) -> int", "(uint, uint) -> uint", "(double, double) -> double",
        ]
        + (2...mostNumbers).map { "(" + Array(repeating: "dyn", count: $0).joined(separator: ", ") + ") -> dyn" }

    private static let mostNumbers = 16

    private static func unary(_ types: [String]) -> [String] { types.map { "(\($0)) -> \($0)" } }

    // MARK: Extremes

    private static func greatest(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try extreme(a, &evaluator, replacedBy: .ascending)
    }

    private static func least(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try extreme(a, &evaluator, replacedBy: .descending)
    }

    /// Of equals the first counts.
    private static func extreme(
        _ a: Arguments, _ evaluator: inout Evaluator, replacedBy order: Order
    ) throws(ExpressionError) -> CELValue {
        var numbers = a.values
        if a.count == 1, case .list(let list) = a[0] {
            try evaluator.charge(list.count)
            numbers = list.values
        }
        guard var result = numbers.first else { throw a.failure(.argument, "the list is empty") }
        guard result.isNumber else { throw a.wrongTypes() }
        for number in numbers.dropFirst() {
            guard let found = evaluator.numericOrder(result, number) else { throw a.wrongTypes() }
            if found == order { result = number }
        }
        return result
    }

    // MARK: Numbers

    private static func abs(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        switch a[0] {
        case .int(let value):
            guard value != .min else { throw a.failure(.overflow, "the result does not fit an int") }
            return .int(Swift.abs(value))
        case .uint: return a[0]
        case .double(let value): return .double(value.magnitude)
        default: throw a.wrongTypes()
        }
    }

    private static func sign(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        switch a[0] {
        case .int(let value): return .int(value.signum())
        case .uint(let value): return .uint(value == 0 ? 0 : 1)
        case .double(let value): return .double(value.isNaN || value == 0 ? value : value < 0 ? -1 : 1)
        default: throw a.wrongTypes()
        }
    }

    private static func double(_ a: Arguments) throws(ExpressionError) -> Double {
        guard case .double(let value) = a[0] else { throw a.wrongTypes() }
        return value
    }

    private static func ceil(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .double(try double(a).rounded(.up))
    }

    private static func floor(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .double(try double(a).rounded(.down))
    }

    private static func round(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .double(try double(a).rounded(.toNearestOrAwayFromZero))
    }

    private static func trunc(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .double(try double(a).rounded(.towardZero))
    }

    private static func squareRoot(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        guard let value = a[0].asDouble else { throw a.wrongTypes() }
        return .double(value.squareRoot())
    }

    private static func isNaN(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .bool(try double(a).isNaN)
    }

    private static func isInfinite(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .bool(try double(a).isInfinite)
    }

    private static func isFinite(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .bool(try double(a).isFinite)
    }

    // MARK: Bits

    private static func bits(
        _ a: Arguments, _ combine: (UInt64, UInt64) -> UInt64
    ) throws(ExpressionError) -> CELValue {
        switch (a[0], a[1]) {
        case (.int(let left), .int(let right)):
            return .int(Int64(bitPattern: combine(UInt64(bitPattern: left), UInt64(bitPattern: right))))
        case (.uint(let left), .uint(let right)): return .uint(combine(left, right))
        default: throw a.wrongTypes()
        }
    }

    private static func bitAnd(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try bits(a) { $0 & $1 }
    }

    private static func bitOr(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try bits(a) { $0 | $1 }
    }

    private static func bitXor(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try bits(a) { $0 ^ $1 }
    }

    private static func bitNot(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        switch a[0] {
        case .int(let value): return .int(~value)
        case .uint(let value): return .uint(~value)
        default: throw a.wrongTypes()
        }
    }

    /// Shifts by 64 and more give 0; an int is shifted as if it were a uint.
    private static func shift(
        _ a: Arguments, _ move: (UInt64, Int64) -> UInt64
    ) throws(ExpressionError) -> CELValue {
        let distance = try a.int(1)
        guard distance >= 0 else { throw a.failure(.argument, "the distance is negative") }
        switch a[0] {
        case .int(let value): return .int(Int64(bitPattern: move(UInt64(bitPattern: value), distance)))
        case .uint(let value): return .uint(move(value, distance))
        default: throw a.wrongTypes()
        }
    }

    private static func shiftLeft(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try shift(a) { $0 << $1 }
    }

    private static func shiftRight(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try shift(a) { $0 >> $1 }
    }
}
