/// The optionals extension. `optMap` and `optFlatMap` are macros; `or` and `orValue` evaluate their argument only when
/// it is needed, so the compiler has nodes of its own for them.
enum OptionalFunctions {
    static let all: [Function] = [
        Function("optional.none", ["() -> optional(A)"], none),
        Function("optional.of", ["(A) -> optional(A)"], of),
        Function("optional.ofNonZeroValue", ["(A) -> optional(A)"], ofNonZeroValue),
        Function("optional.unwrap", ["(list(optional(A))) -> list(A)"], unwrap),
        Function("unwrapOpt", ["list(optional(A)).() -> list(A)"], unwrap),
        Function("hasValue", ["optional(A).() -> bool"], hasValue),
        Function("value", ["optional(A).() -> A"], value),
        Function("or", ["optional(A).(optional(A)) -> optional(A)"], or),
        Function("orValue", ["optional(A).(A) -> A"], orValue),
    ]

    private static func inner(_ a: Arguments) throws(ExpressionError) -> CELValue? {
        guard case .optional(let inner) = a[0] else { throw a.wrongTypes() }
        return inner
    }

    private static func none(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .optional(nil)
    }

    private static func of(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .optional(a[0])
    }

    private static func ofNonZeroValue(
        _ a: Arguments, _ evaluator: inout Evaluator
    ) throws(ExpressionError) -> CELValue {
        .optional(a[0].isZero ? nil : a[0])
    }

    private static func unwrap(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        var values: [CELValue] = []
        for element in try a.list(0) {
            try evaluator.charge(1)
            guard case .optional(let inner) = element else { throw a.wrongTypes() }
            if let inner { values.append(inner) }
        }
        return .list(values)
    }

    private static func hasValue(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .bool(try inner(a) != nil)
    }

    private static func value(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        if let inner = try inner(a) { return inner }
        throw a.failure(.noSuchMember, "the optional has no value; orValue() names one to take instead")
    }

    private static func or(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try inner(a) == nil ? a[1] : a[0]
    }

    private static func orValue(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try inner(a) ?? a[1]
    }
}

extension CELValue {
    /// The value a variable of its type starts with: null, false, 0, an empty text, list or map, the epoch, no time.
    fileprivate var isZero: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .int(let value): value == 0
        case .uint(let value): value == 0
        case .double(let value): value == 0
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .list(let value): value.isEmpty
        case .map(let value): value.isEmpty
        case .timestamp(let value): value.seconds == 0 && value.nanoseconds == 0
        case .duration(let value): value.nanoseconds == 0
        case .optional(let inner): inner == nil
        case .type: false
        }
    }
}
