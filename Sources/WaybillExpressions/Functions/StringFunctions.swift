import WaybillCore

/// The strings extension. Positions count code points from 0.
enum StringFunctions {
    static let all: [Function] = [
        Function("charAt", ["string.(int) -> string"], charAt),
        Function("indexOf", ["string.(string) -> int", "string.(string, int) -> int"], indexOf),
        Function("lastIndexOf", ["string.(string) -> int", "string.(string, int) -> int"], lastIndexOf),
        Function("join", ["list(string).() -> string", "list(string).(string) -> string"], join),
        Function("lowerAscii", ["string.() -> string"], lowerAscii),
        Function("upperAscii", ["string.() -> string"], upperAscii),
        Function("replace", ["string.(string, string) -> string", "string.(string, string, int) -> string"], replace),
        Function("split", ["string.(string) -> list(string)", "string.(string, int) -> list(string)"], split),
        Function("substring", ["string.(int) -> string", "string.(int, int) -> string"], substring),
        Function("trim", ["string.() -> string"], trim),
        Function("reverse", ["string.() -> string", "list(A).() -> list(A)"], reverse),
        Function("strings.quote", ["(string) -> string"], quote),
        Function("format", ["string.(list(dyn)) -> string"], StringFormatter.format),
    ]

    /// The code points of a text, paid for: taking it apart and putting it together is dearer than reading it.
    private static func scalars(
        _ text: String, _ evaluator: inout Evaluator
    ) throws(ExpressionError) -> [Unicode.Scalar] {
        try evaluator.charge(bytes: 4 * text.utf8.count)
        return Array(text.unicodeScalars)
    }

    private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> CELValue {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(scalars.underestimatedCount)
        for scalar in scalars {
            if scalar.isASCII {
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        return .string(String(decoding: bytes, as: UTF8.self))
    }

    private static func position(_ a: Arguments, _ index: Int, upTo end: Int) throws(ExpressionError) -> Int {
        let position = try a.int(index)
        guard position >= 0, position <= end else {
            throw a.failure(.indexOutOfRange, "\(position) is not between 0 and \(end)")
        }
        return Int(position)
    }

    private static func charAt(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let scalars = try scalars(try a.string(0), &evaluator)
        let index = try position(a, 1, upTo: scalars.count)
        return text(scalars[index...].prefix(1))
    }

    private static func substring(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let scalars = try scalars(try a.string(0), &evaluator)
        let start = try position(a, 1, upTo: scalars.count)
        let end = a.count > 2 ? try position(a, 2, upTo: scalars.count) : scalars.count
        guard start <= end else { throw a.failure(.argument, "the start is after the end") }
        return text(scalars[start..<end])
    }

    private static func indexOf(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let scalars = try scalars(try a.string(0), &evaluator)
        let part = try Self.scalars(try a.string(1), &evaluator)
        let start = a.count > 2 ? try position(a, 2, upTo: scalars.count) : 0
        if part.isEmpty { return .int(Int64(start)) }
        let found = TextSearch(try a.string(1)).first(
            in: Array(String(String.UnicodeScalarView(scalars[start...])).utf8)[...])
        guard let found else { return .int(-1) }
        return .int(Int64(start + codePoints(before: found, in: scalars[start...])))
    }

    /// How many code points take the first so many bytes.
    private static func codePoints(before bytes: Int, in scalars: ArraySlice<Unicode.Scalar>) -> Int {
        var rest = bytes
        var count = 0
        for scalar in scalars where rest > 0 {
            rest -= UTF8.width(scalar)
            count += 1
        }
        return count
    }

    private static func lastIndexOf(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let scalars = try scalars(try a.string(0), &evaluator)
        let part = try Self.scalars(try a.string(1), &evaluator)
        let start = a.count > 2 ? try position(a, 2, upTo: scalars.count) : scalars.count
        guard part.count <= scalars.count else { return .int(-1) }
        var index = min(start, scalars.count - part.count)
        while index >= 0 {
            try evaluator.charge(1)
            var length = 0
            while length < part.count, scalars[index + length] == part[length] { length += 1 }
            if length == part.count { return .int(Int64(index)) }
            try evaluator.charge(length / 16)
            index -= 1
        }
        return .int(-1)
    }

    private static func join(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let separator = a.count > 1 ? try a.string(1) : ""
        var result = ""
        for (index, element) in try a.list(0).enumerated() {
            guard case .string(let part) = element else { throw a.wrongTypes() }
            try evaluator.charge(bytes: part.utf8.count + separator.utf8.count)
            if index > 0 { result += separator }
            result += part
        }
        return .string(result)
    }

    private static func lowerAscii(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let text = try a.string(0)
        try evaluator.charge(bytes: text.utf8.count)
        return .string(String(decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self))
    }

    private static func upperAscii(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let text = try a.string(0)
        try evaluator.charge(bytes: text.utf8.count)
        return .string(String(decoding: text.utf8.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self))
    }

    /// Where the text is cut for `split` and `replace`; an empty separator cuts between code points.
    private static func cuts(_ text: [UInt8], _ separator: String, limit: Int) -> [Int] {
        if !separator.isEmpty { return TextSearch(separator).all(in: text, limit: limit) }
        return Array(text.indices.filter { text[$0] & 0xC0 != 0x80 }.prefix(limit))
    }

    private static func replace(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let (text, old, new) = (Array(try a.string(0).utf8), try a.string(1), try a.string(2))
        let wanted = a.count > 3 ? try a.int(3) : -1
        let limit = wanted < 0 ? Int.max : Int(wanted)
        try evaluator.charge(bytes: text.count + old.utf8.count)
        var positions = cuts(text, old, limit: limit)
        // An empty old text is also found at the end.
        if old.isEmpty, positions.count < limit { positions.append(text.count) }
        let (growth, overflow) = positions.count.multipliedReportingOverflow(by: new.utf8.count)
        try evaluator.charge(bytes: overflow ? Int.max - 16 : growth)
        var result: [UInt8] = []
        var end = 0
        for position in positions {
            result += text[end..<position]
            result += new.utf8
            end = position + old.utf8.count
        }
        result += text[end...]
        return .string(String(decoding: result, as: UTF8.self))
    }

    private static func split(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let (text, separator) = (Array(try a.string(0).utf8), try a.string(1))
        let wanted = a.count > 2 ? try a.int(2) : -1
        if wanted == 0 { return .list([CELValue]()) }
        try evaluator.charge(bytes: text.count + separator.utf8.count)
        var positions = cuts(text, separator, limit: wanted < 0 ? .max : Int(wanted) - (separator.isEmpty ? 0 : 1))
        // Between code points, not before the first.
        if separator.isEmpty, !positions.isEmpty { positions.removeFirst() }
        if separator.isEmpty, text.isEmpty { return .list([CELValue]()) }
        try evaluator.charge(positions.count)
        var parts: [CELValue] = []
        var end = 0
        for position in positions {
            parts.append(.string(String(decoding: text[end..<position], as: UTF8.self)))
            end = position + separator.utf8.count
        }
        parts.append(.string(String(decoding: text[end...], as: UTF8.self)))
        return .list(parts)
    }

    private static func trim(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let scalars = try scalars(try a.string(0), &evaluator)
        let start = scalars.firstIndex { !$0.properties.isWhitespace } ?? scalars.count
        let end = scalars.lastIndex { !$0.properties.isWhitespace }.map { $0 + 1 } ?? start
        return text(scalars[start..<end])
    }

    private static func reverse(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        if case .list(let list) = a[0] {
            try evaluator.charge(list.count)
            return .list(Array(list.reversed()))
        }
        return text(try scalars(try a.string(0), &evaluator).reversed())
    }

    private static func quote(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let text = try a.string(0)
        try evaluator.charge(bytes: 2 * text.utf8.count)
        return .string(quoted(text))
    }
}
