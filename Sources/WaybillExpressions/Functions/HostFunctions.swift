import WaybillCore

/// Waybill's own functions, and the encoders extension. `sortBy` is a macro.
enum HostFunctions {
    static let all: [Function] = [
        Function("base64.encode", ["(bytes) -> string"], encodeBase64),
        Function("base64.decode", ["(string) -> bytes"], decodeBase64),
        Function("json.encode", ["(dyn) -> string"], encodeJSON),
        Function("json.decode", ["(string) -> dyn"], decodeJSON),
        Function("sum", ["list(A).() -> A", "(list(A)) -> A"], sum),
        Function("days", ["(int) -> duration", "(double) -> duration", "(duration) -> int"], days),
        Function(
            "formatTime",
            [
                "(timestamp, string) -> string", "(timestamp, string, string) -> string",
                "timestamp.(string) -> string", "timestamp.(string, string) -> string",
            ], TimeFormatter.format),
    ]

    private static func encodeBase64(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let bytes = try a.bytes(0)
        try evaluator.charge(bytes: 2 * bytes.count)
        return .string(Base64.encode(bytes))
    }

    private static func decodeBase64(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let text = try a.string(0)
        try evaluator.charge(bytes: text.utf8.count)
        guard let bytes = Base64.decode(text) else { throw a.failure(.conversion, "this is no base64") }
        return .bytes(bytes)
    }

    /// On one line, members sorted.
    private static func encodeJSON(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let value = try evaluator.json(a[0], a.offset)
        let bytes = JSON.compact(value)
        try evaluator.charge(bytes: bytes.count)
        return .string(String(decoding: bytes, as: UTF8.self))
    }

    private static func decodeJSON(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let text = try a.string(0)
        try evaluator.charge(bytes: 8 * text.utf8.count)
        do throws(JSONError) {
            return CELValue(try JSON.parse(text))
        } catch {
            throw a.failure(.conversion, "\(error.message) at line \(error.line), column \(error.column)")
        }
    }

    /// The sum of numbers of one type or of durations, 0 for an empty list.
    private static func sum(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let list = try a.list(0)
        guard var total = list.first else { return .int(0) }
        guard total.isNumber || total.typeWord == "duration" else { throw a.wrongTypes() }
        for element in list.dropFirst() {
            try evaluator.charge(1)
            total = try evaluator.apply(.add, total, element, a.offset)
        }
        return total
    }

    private static let dayNanoseconds: Int64 = 86_400 * CELDuration.perSecond

    /// The duration of so many days of 24 hours; of a duration its whole days.
    private static func days(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        var duration: CELDuration?
        switch a[0] {
        case .int(let count): duration = CELDuration(wholeNanoseconds: Int128(count) * Int128(dayNanoseconds))
        case .double(let count):
            let nanoseconds = (count * Double(dayNanoseconds)).rounded()
            duration = nanoseconds.magnitude < 0x1p63 ? CELDuration(nanoseconds: Int64(nanoseconds)) : nil
        case .duration(let duration): return .int(duration.nanoseconds / dayNanoseconds)
        default: throw a.wrongTypes()
        }
        guard let duration else { throw a.failure(.overflow, "durations go up to 292 years") }
        return .duration(duration)
    }
}
