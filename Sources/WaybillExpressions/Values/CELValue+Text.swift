import WaybillCore

extension CELValue {
    /// The value as a literal of the language, shortened, for messages.
    package var summary: String { summary(depth: 0) }

    private static let longestSummary = 60
    private static let deepestSummary = 2
    private static let mostElements = 4

    private func summary(depth: Int) -> String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        case .uint(let value): return "\(value)u"
        case .double(let value):
            let text = DecimalText.shortest(value)
            return text.utf8.contains { !$0.isDigit && $0 != UInt8(ascii: "-") } ? text : text + ".0"
        case .string(let value):
            let start = String(String.UnicodeScalarView(value.unicodeScalars.prefix(Self.longestSummary)))
            return quoted(start) + (start.utf8.count < value.utf8.count ? "..." : "")
        case .bytes(let value): return "bytes of length \(value.count)"
        case .list(let list):
            guard depth < Self.deepestSummary else { return list.isEmpty ? "[]" : "[...]" }
            let elements = list.prefix(Self.mostElements).map { $0.summary(depth: depth + 1) }
            return "[" + (elements + (list.count > Self.mostElements ? ["..."] : [])).joined(separator: ", ") + "]"
        case .map(let map):
            guard depth < Self.deepestSummary else { return map.isEmpty ? "{}" : "{...}" }
            let entries = map.walkable.prefix(Self.mostElements).map {
                "\($0.key.value.summary(depth: depth + 1)): \($0.value.summary(depth: depth + 1))"
            }
            return "{" + (entries + (map.count > Self.mostElements ? ["..."] : [])).joined(separator: ", ") + "}"
        case .timestamp(let value): return "timestamp(\"\(value)\")"
        case .duration(let value): return "duration(\"\(value)\")"
        case .type(let name): return name
        case .optional(let inner):
            return inner.map { "optional.of(\($0.summary(depth: depth + 1)))" } ?? "optional.none()"
        }
    }

    /// What `string()` makes of it; nil for what has no text, such as lists, and bytes that are no UTF-8.
    package var scalarText: String? {
        switch self {
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .uint(let value): String(value)
        case .double(let value): DecimalText.shortest(value)
        case .string(let value): value
        case .bytes(let value): String(validating: value, as: UTF8.self)
        case .timestamp(let value): value.description
        case .duration(let value): value.description
        default: nil
        }
    }
}

/// The text between double quotes, with the escapes of the language.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\u{07}": result += "\\a"
        case "\u{08}": result += "\\b"
        case "\u{0C}": result += "\\f"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{0B}": result += "\\v"
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
