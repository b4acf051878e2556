import WaybillCore

/// `"%d of %s".format([1, "x"])`: the verbs s d f e b o x X, with a precision for f and e, and `%%`.
struct StringFormatter {
    private static let defaultPrecision = 6
    private static let highestPrecision = 1_000

    private let arguments: Arguments
    private var result = ""

    static func format(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        var formatter = StringFormatter(arguments: a)
        return .string(try formatter.run(template: try a.string(0), values: try a.list(1), &evaluator))
    }

    private init(arguments: Arguments) { self.arguments = arguments }

    private mutating func run(
        template: String, values: CELList, _ evaluator: inout Evaluator
    ) throws(ExpressionError) -> String {
        try evaluator.charge(bytes: template.utf8.count)
        var rest = template.unicodeScalars[...]
        var index = 0
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if rest.first == "%" {
                rest.removeFirst()
                result += "%"
                continue
            }
            let precision = try precision(&rest)
            guard let verb = rest.popFirst() else { throw arguments.failure(.argument, "the text ends after '%'") }
            guard index < values.count else {
                throw arguments.failure(.argument, "there is no value for the \(index + 1). verb, %\(verb)")
            }
            let text = try text(values[index], verb, precision, &evaluator)
            try evaluator.charge(bytes: text.utf8.count)
            result += text
            index += 1
        }
        return result
    }

    private func precision(_ rest: inout Substring.UnicodeScalarView) throws(ExpressionError) -> Int? {
        guard rest.first == "." else { return nil }
        rest.removeFirst()
        var digits = ""
        while let scalar = rest.first, ("0"..."9").contains(scalar) {
            digits.unicodeScalars.append(scalar)
            rest.removeFirst()
        }
        guard let precision = Int(digits), precision <= Self.highestPrecision else {
            throw arguments.failure(.argument, "a precision is a number up to \(Self.highestPrecision)")
        }
        return precision
    }

    private func text(
        _ value: CELValue, _ verb: Unicode.Scalar, _ precision: Int?, _ evaluator: inout Evaluator
    ) throws(ExpressionError) -> String {
        switch verb {
        case "s": return try string(value, &evaluator)
        case "d": return try decimal(value)
        case "f": return DecimalText.fixed(try number(value, verb), fractionDigits: precision ?? Self.defaultPrecision)
        case "e":
            return DecimalText.scientific(try number(value, verb), fractionDigits: precision ?? Self.defaultPrecision)
        case "b":
            if case .bool(let truth) = value { return truth ? "1" : "0" }
            return try whole(value, verb, radix: 2)
        case "o": return try whole(value, verb, radix: 8)
        case "x": return try hexadecimal(value, verb)
        case "X": return try hexadecimal(value, verb).uppercased()
        default: throw arguments.failure(.argument, "there is no verb %\(verb)")
        }
    }

    private func cannot(_ verb: Unicode.Scalar, _ value: CELValue) -> ExpressionError {
        arguments.failure(.type, "%\(verb) does not take \(value.typeWord)")
    }

    /// Lists and maps too, without quotes; a map's entries by their keys' texts.
    private func string(_ value: CELValue, _ evaluator: inout Evaluator) throws(ExpressionError) -> String {
        try evaluator.charge(1)
        switch value {
        case .null: return "null"
        case .string(let text):
            try evaluator.charge(bytes: text.utf8.count)
            return text
        case .bytes(let bytes):
            try evaluator.charge(bytes: bytes.count)
            return String(decoding: bytes, as: UTF8.self)
        case .list(let list):
            var parts: [String] = []
            for element in list { parts.append(try string(element, &evaluator)) }
            return "[" + parts.joined(separator: ", ") + "]"
        case .map(let map):
            var parts: [(key: String, text: String)] = []
            for (key, value) in map.walkable { parts.append((key.text, try string(value, &evaluator))) }
            parts.sort { $0.key.precedesInCodePoints($1.key) }
            return "{" + parts.map { "\($0.key): \($0.text)" }.joined(separator: ", ") + "}"
        case .type(let name): return name
        default:
            guard let text = value.scalarText else { throw cannot("s", value) }
            return text
        }
    }

    private func decimal(_ value: CELValue) throws(ExpressionError) -> String {
        switch value {
        case .int(let number): return String(number)
        case .uint(let number): return String(number)
        case .double(let number): return DecimalText.shortestPlain(number)
        default: throw cannot("d", value)
        }
    }

    private func number(_ value: CELValue, _ verb: Unicode.Scalar) throws(ExpressionError) -> Double {
        guard let number = value.asDouble else { throw cannot(verb, value) }
        return number
    }

    private func whole(_ value: CELValue, _ verb: Unicode.Scalar, radix: Int) throws(ExpressionError) -> String {
        switch value {
        case .int(let number): return String(number, radix: radix)
        case .uint(let number): return String(number, radix: radix)
        default: throw cannot(verb, value)
        }
    }

    private func hexadecimal(_ value: CELValue, _ verb: Unicode.Scalar) throws(ExpressionError) -> String {
        switch value {
        case .string(let text): return hexadecimal(Array(text.utf8))
        case .bytes(let bytes): return hexadecimal(bytes)
        default: return try whole(value, verb, radix: 16)
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
