import WaybillCore

/// A key of a map. Numbers are one family: `1`, `1u` and, in a look-up, `1.0` are the same key.
package enum MapKey: Sendable {
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case string(String)

    /// The key of a map that is built; nil for types that cannot be keys.
    package init?(_ value: CELValue) {
        switch value {
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .uint(let value): self = .uint(value)
        case .string(let value): self = .string(value)
        default: return nil
        }
    }

    /// The key that is looked up; a double counts where it is a whole number.
    init?(lookingUp value: CELValue) {
        if case .double(let number) = value {
            if let whole = Int64(exactly: number) {
                self = .int(whole)
            } else if let whole = UInt64(exactly: number) {
                self = .uint(whole)
            } else {
                return nil
            }
        } else {
            self.init(value)
        }
    }

    package var value: CELValue {
        switch self {
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .uint(let value): .uint(value)
        case .string(let value): .string(value)
        }
    }

    /// The name a JSON object gives this key.
    package var text: String {
        switch self {
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .uint(let value): String(value)
        case .string(let value): value
        }
    }

    /// The same type and the same value.
    func isIdentical(to other: MapKey) -> Bool { value == other.value }

    private var family: Int {
        switch self {
        case .bool: 0
        case .int, .uint: 1
        case .string: 2
        }
    }
}

extension MapKey {
    /// The order of iteration.
    package static func < (left: MapKey, right: MapKey) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)): left.precedesInCodePoints(right)
        case (.int(let left), .int(let right)): left < right
        case (.uint(let left), .uint(let right)): left < right
        case (.int(let left), .uint(let right)): left < right
        case (.uint(let left), .int(let right)): left < right
        case (.bool(let left), .bool(let right)): !left && right
        default: left.family < right.family
        }
    }
}
