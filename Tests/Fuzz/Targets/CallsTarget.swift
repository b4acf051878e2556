import WaybillCore
import WaybillExpressions

/// Expressions made of calls, operators and macros, as the bytes choose them: far more of them pass the checker than of
/// those that mutation makes. What must hold is what `fuzzExpression` asks.
func fuzzCalls(_ bytes: [UInt8]) {
    var writer = ExpressionWriter(choices: bytes[...])
    check(expression: writer.expression(depth: 4))
}

private struct ExpressionWriter {
    var choices: ArraySlice<UInt8>

    private static let atoms = [
        "any", "b", "d", "i", "l", "m", "n", "o", "s", "t", "p", "u", "y", "0", "1", "-1", "2.0", "-0.5", "3u", "'a'",
        "'%s'", "''", "b'x'", "true", "null", "[]", "{}", "x", "y", "int", "optional.none()", "0.0 / 0.0",
        "9223372036854775807", "1e300", "o.a", "o.s", "o.l", "any.k", "any.?e", "m['a']", "duration('1h')",
        "timestamp('2027-03-28T01:00:00Z')", "'Europe/Paris'", "'1'", "18446744073709551615u",
    ]
    private static let operators = [
        "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
    ]
    /// Called with a receiver and some arguments.
    private static let methods = [
        "size", "contains", "startsWith", "endsWith", "matches", "charAt", "indexOf", "lastIndexOf", "join",
        "lowerAscii", "upperAscii", "replace", "split", "substring", "trim", "reverse", "format", "quote", "flatten",
        "slice", "sort", "distinct", "first", "last", "sum", "orValue", "or", "hasValue", "value", "getHours",
        "getFullYear", "getDayOfWeek", "getMilliseconds", "getSeconds", "formatTime",
    ]
    private static let functions = [
        "size", "int", "uint", "double", "string", "bytes", "bool", "type", "dyn", "timestamp", "duration", "days",
        "optional.of", "optional.ofNonZeroValue", "optional.none", "optional.unwrap", "math.greatest", "math.least",
        "math.ceil", "math.floor", "math.round", "math.trunc", "math.abs", "math.sign", "math.sqrt", "math.isNaN",
        "math.isInf", "math.bitAnd", "math.bitOr", "math.bitXor", "math.bitNot", "math.bitShiftLeft",
        "math.bitShiftRight", "lists.range", "sets.contains", "sets.intersects", "sets.equivalent", "base64.encode",
        "base64.decode", "json.encode", "json.decode", "strings.quote", "sum",
    ]
    private static let macros = [
        "all", "exists", "exists_one", "existsOne", "map", "filter", "sortBy", "optMap", "optFlatMap",
    ]
    private static let pairMacros = [
        "all", "exists", "existsOne", "transformList", "transformMap", "transformMapEntry",
    ]

    private mutating func choose(_ count: Int) -> Int { Int(choices.popFirst() ?? 0) % count }

    private mutating func one(of texts: [String]) -> String { texts[choose(texts.count)] }

    mutating func expression(depth: Int) -> String {
        guard depth > 0, !choices.isEmpty else { return one(of: Self.atoms) }
        let next = depth - 1
        switch choose(16) {
        case 0, 1: return one(of: Self.atoms)
        case 2, 3: return "(\(expression(depth: next)) \(one(of: Self.operators)) \(expression(depth: next)))"
        case 4: return "(\(expression(depth: next)) ? \(expression(depth: next)) : \(expression(depth: next)))"
        case 5, 6: return "\(expression(depth: next)).\(one(of: Self.methods))(\(arguments(choose(3), next)))"
        case 7, 8: return "\(one(of: Self.functions))(\(arguments(choose(3) + 1, next)))"
        case 9: return "\(expression(depth: next)).\(one(of: Self.macros))(x, \(expression(depth: next)))"
        case 10: return "\(expression(depth: next)).\(one(of: Self.pairMacros))(x, y, \(expression(depth: next)))"
        case 11: return "[\(arguments(choose(4), next))]"
        case 12: return "{\(expression(depth: next)): \(expression(depth: next))}"
        case 13: return "\(expression(depth: next))\(one(of: ["[", "[?"]))\(expression(depth: next))]"
        case 14: return "cel.bind(x, \(expression(depth: next)), \(expression(depth: next)))"
        default: return "\(one(of: ["-", "!"]))\(expression(depth: next))"
        }
    }

    private mutating func arguments(_ count: Int, _ depth: Int) -> String {
        var arguments: [String] = []
        for _ in 0..<count { arguments.append(expression(depth: depth)) }
        return arguments.joined(separator: ", ")
    }
}
