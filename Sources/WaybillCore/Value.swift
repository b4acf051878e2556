/// A JSON value as Waybill means it: what a manifest, an output, an answer or a ledger entry holds.
///
/// A number without fraction or exponent that fits 64 bits is an `int`; any other is a `double`.
/// Equality is exact: `int(1)` is not `double(1.0)`, and strings are equal when their UTF-8 is
/// (Swift's own `==` would also equate different spellings of one character).
package enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case list([Value])
    case object(Object)
}

extension Value {
    /// The words people use for the kinds of value, for messages: "null", "boolean", "integer", "number",
    /// "string", "list", "map".
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .int: "integer"
        case .double: "number"
        case .string: "string"
        case .list: "list"
        case .object: "map"
        }
    }

    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var intValue: Int64? { if case .int(let value) = self { value } else { nil } }
    package var listValue: [Value]? { if case .list(let value) = self { value } else { nil } }
    package var objectValue: Object? { if case .object(let value) = self { value } else { nil } }
    /// The number as a double, whether it is an `int` or a `double`.
    package var numberValue: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// The member of an object; nil if this is no object or has no such member.
    package subscript(_ key: String) -> Value? { objectValue?[key] }
}

extension Value: Hashable {
    package static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left.isIdenticalUTF8(to: right)
        case (.list(let left), .list(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .double(let value): hasher.combine(value)
        case .string(let value): hasher.combineUTF8(of: value)
        case .list(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

extension Value: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: Value...) { self = .list(elements) }
    package init(dictionaryLiteral elements: (String, Value)...) { self = .object(Object(elements)) }
}
