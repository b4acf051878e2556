package import WaybillCore

/// A value of the Common Expression Language.
///
/// What comes from JSON is wrapped, not copied: a list or map of a run's state costs nothing until it is read.
/// Swift's `==` here means "the same type and the same value" (so `int(1) != uint(1)`, and NaN equals itself);
/// the language's own equality, where `1 == 1.0`, is the evaluator's `areEqual`.
package enum CELValue: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case list(CELList)
    case map(CELMap)
    case timestamp(CELTimestamp)
    case duration(CELDuration)
    /// A type as a value, by its name: `int`, `google.protobuf.Timestamp`.
    case type(String)
    indirect case optional(CELValue?)
}

extension CELValue {
    /// Wraps a JSON value.
    package init(_ value: Value) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .list(let value): self = .list(CELList(value))
        case .object(let value): self = .map(CELMap(value))
        }
    }

    package static func list(_ elements: [CELValue]) -> CELValue { .list(CELList(elements)) }

    package static func lazyMap(_ map: some LazyMap) -> CELValue { .map(CELMap(map)) }

    package static func lazyList(_ list: some LazyList) -> CELValue { .list(CELList(list)) }

    /// The name `type()` gives, by the language definition (section "Values").
    package var typeName: String {
        switch self {
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .list: "list"
        case .map: "map"
        case .timestamp: TypeName.timestamp
        case .duration: TypeName.duration
        case .type: "type"
        case .optional: "optional_type"
        }
    }

    /// The type as messages call it.
    package var typeWord: String {
        switch self {
        case .null: "null"
        case .timestamp: "timestamp"
        case .duration: "duration"
        case .optional: "optional"
        default: typeName
        }
    }

    var isNumber: Bool {
        switch self {
        case .int, .uint, .double: true
        default: false
        }
    }

    /// The number as a double, nil for what is no number.
    var asDouble: Double? {
        switch self {
        case .int(let value): Double(value)
        case .uint(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

/// The names of types that contain dots.
enum TypeName {
    /// The first part of the names with dots.
    static let root = "google"
    static let timestamp = "google.protobuf.Timestamp"
    static let duration = "google.protobuf.Duration"
    /// Every name that denotes a type when it stands alone.
    static let all: Set<String> = [
        "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint", "optional_type",
        timestamp, duration,
    ]
}

extension CELValue: Equatable {
    package static func == (left: CELValue, right: CELValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.uint(let left), .uint(let right)): left == right
        case (.double(let left), .double(let right)): left == right || (left.isNaN && right.isNaN)
        case (.string(let left), .string(let right)): left.isIdenticalUTF8(to: right)
        case (.bytes(let left), .bytes(let right)): left == right
        case (.list(let left), .list(let right)): left.elementsEqual(right)
        case (.map(let left), .map(let right)):
            left.elementsEqual(right) { $0.key.isIdentical(to: $1.key) && $0.value == $1.value }
        case (.timestamp(let left), .timestamp(let right)): left == right
        case (.duration(let left), .duration(let right)): left == right
        case (.type(let left), .type(let right)): left == right
        case (.optional(let left), .optional(let right)): left == right
        default: false
        }
    }
}
