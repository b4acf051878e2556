import WaybillCore

/// The functions and conversions of the language definition ("Standard Definitions"), times apart.
enum StandardFunctions {
    static let all: [Function] = [
        Function("size", sizes, size),
        Function("contains", ["string.(string) -> bool"], contains),
        Function("startsWith", ["string.(string) -> bool"], startsWith),
        Function("endsWith", ["string.(string) -> bool"], endsWith),
        Function("matches", ["string.(string) -> bool", "(string, string) -> bool"], matches),
        Function("type", ["(A) -> type"], type),
        Function("dyn", ["(A) -> dyn"], dyn),
        Function("bool", ["(bool) -> bool", "(string) -> bool"], bool),
        Function("bytes", ["(bytes) -> bytes", "(string) -> bytes"], bytes),
        Function("double", numbers("double"), double),
        Function("int", numbers("int") + ["(timestamp) -> int", "(duration) -> int"], int),
        Function("uint", numbers("uint"), uint),
        Function(
            "string",
            ["string", "int", "uint", "double", "bool", "bytes", "timestamp", "duration"].map { "(\($0)) -> string" },
            string),
    ]

    private static let sizes = ["string", "bytes", "list(A)", "map(A, B)"].flatMap { type in
        ["(\(type)) -> int", "\(type).() -> int"]
    }

    private static func numbers(_ result: String) -> [String] {
        ["int", "uint", "double", "string"].map { "(\($0)) -> \(result)" }
    }

    private static func size(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        try evaluator.size(a[0], a.offset)
    }

    // MARK: Strings

    private static func pair(
        _ a: Arguments, _ evaluator: inout Evaluator
    ) throws(ExpressionError) -> (text: String, part: String) {
        let (text, part) = (try a.string(0), try a.string(1))
        try evaluator.charge(bytes: text.utf8.count + part.utf8.count)
        return (text, part)
    }

    private static func contains(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let (text, part) = try pair(a, &evaluator)
        return .bool(TextSearch(part).first(in: Array(text.utf8)[...]) != nil)
    }

    private static func startsWith(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let (text, part) = try pair(a, &evaluator)
        return .bool(text.utf8.starts(with: part.utf8))
    }

    private static func endsWith(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let (text, part) = try pair(a, &evaluator)
        return .bool(text.utf8.suffix(part.utf8.count).elementsEqual(part.utf8))
    }

    private static func matches(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let text = try a.string(0)
        let source = try a.string(1)
        try evaluator.charge(bytes: 16 * source.utf8.count)
        let pattern: RegularExpression
        do throws(PatternError) {
            pattern = try RegularExpression(source)
        } catch {
            throw a.failure(.pattern, error.message)
        }
        try evaluator.charge(pattern.instructionCount / 4)
        return try evaluator.matches(.string(text), pattern, a.offset)
    }

    // MARK: Types

    private static func type(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        .type(a[0].typeName)
    }

    private static func dyn(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue { a[0] }

    private static func bool(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        if case .bool = a[0] { return a[0] }
        switch try a.string(0) {
        case "1", "t", "T", "true", "TRUE", "True": return .bool(true)
        case "0", "f", "F", "false", "FALSE", "False": return .bool(false)
        default: throw a.failure(.conversion, "this is neither true nor false")
        }
    }

    private static func bytes(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        if case .bytes = a[0] { return a[0] }
        let text = try a.string(0)
        try evaluator.charge(bytes: text.utf8.count)
        return .bytes(Array(text.utf8))
    }

    private static func string(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        if case .string = a[0] { return a[0] }
        if case .bytes(let bytes) = a[0] { try evaluator.charge(bytes: bytes.count) }
        if let text = a[0].scalarText { return .string(text) }
        if case .bytes = a[0] { throw a.failure(.conversion, "these bytes are no UTF-8") }
        throw a.wrongTypes()
    }

    // MARK: Numbers

    /// Longer texts are no numbers.
    private static let longestNumber = 400

    private static func numberText(_ a: Arguments) throws(ExpressionError) -> String {
        let text = try a.string(0)
        guard text.utf8.count <= longestNumber else { throw a.failure(.conversion, "this is no number") }
        return text
    }

    private static func double(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        if let number = a[0].asDouble { return .double(number) }
        guard let number = Double(try numberText(a)) else { throw a.failure(.conversion, "this is no number") }
        return .double(number)
    }

    private static func int(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        switch a[0] {
        case .int: return a[0]
        case .uint(let number): if let whole = Int64(exactly: number) { return .int(whole) }
        case .double(let number):
            // Both bounds are out: the language definition does not promise a double that rounds to one of them.
            if number > -0x1p63, number < 0x1p63 { return .int(Int64(number)) }
        case .timestamp(let time): return .int(time.seconds)
        case .duration(let duration): return .int(duration.nanoseconds / CELDuration.perSecond)
        default:
            if let whole = Int64(try numberText(a)) { return .int(whole) }
            throw a.failure(.conversion, "this is no whole number of 64 bits")
        }
        throw a.failure(.overflow, "the number is out of the range of int")
    }

    private static func uint(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        switch a[0] {
        case .uint: return a[0]
        case .int(let number): if let whole = UInt64(exactly: number) { return .uint(whole) }
        case .double(let number): if number >= 0, number < 0x1p64 { return .uint(UInt64(number)) }
        default:
            if let whole = UInt64(try numberText(a)) { return .uint(whole) }
            throw a.failure(.conversion, "this is no whole number of 64 bits without sign")
        }
        throw a.failure(.overflow, "the number is out of the range of uint")
    }
}
