import WaybillCore

// What JSON Schema means by types, equality and divisibility, where it differs from `Value`'s own.

/// The types of JSON Schema; an integer is also a number.
struct SchemaTypes: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    static let number = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)

    static let names: [(name: String, type: SchemaTypes)] = [
        ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number), ("string", .string),
        ("array", .array), ("object", .object),
    ]

    static func named(_ name: String) -> SchemaTypes? { names.first { $0.name == name }?.type }

    /// `string or null`
    var text: String {
        Self.names.filter { contains($0.type) }.map(\.name).joined(separator: " or ")
    }
}

extension Value {
    /// Every type the value has: `3` and `3.0` are an integer and a number.
    var schemaTypes: SchemaTypes {
        switch self {
        case .null: .null
        case .bool: .boolean
        case .int: [.integer, .number]
        case .double(let number): number.rounded() == number ? [.integer, .number] : .number
        case .string: .string
        case .list: .array
        case .object: .object
        }
    }

    /// How many values there are in this one, itself included.
    var partCount: Int {
        switch self {
        case .list(let elements): elements.reduce(1) { $0 + $1.partCount }
        case .object(let object): object.reduce(1) { $0 + $1.value.partCount }
        default: 1
        }
    }

    /// The type as a message names it.
    var schemaTypeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .int: "integer"
        case .double: "number"
        case .string: "string"
        case .list: "array"
        case .object: "object"
        }
    }

    /// The same value with every whole number that fits an `int` as one: two values are equal for JSON Schema when
    /// these are equal (2020-12 core, section 4.2.2: numbers by their mathematical value).
    var withWholeNumbersAsInts: Value {
        switch self {
        case .double(let number): Int64(exactly: number).map { .int($0) } ?? self
        case .list(let elements): .list(elements.map(\.withWholeNumbersAsInts))
        case .object(let object): .object(Object(object.map { ($0.key, $0.value.withWholeNumbersAsInts) }))
        default: self
        }
    }
}

/// A number as a whole number of a power of ten, exactly as it was written or would be.
struct DecimalNumber: Hashable, Sendable {
    /// Below 10^19, without its sign.
    var digits: UInt64
    var exponent: Int

    /// Nil unless the value is a finite number.
    init?(_ value: Value) {
        switch value {
        case .int(let number):
            digits = number.magnitude
            exponent = 0
        case .double(let number):
            guard number.isFinite else { return nil }
            guard number != 0 else {
                (digits, exponent) = (0, 0)
                return
            }
            let (bytes, point) = number.magnitude.shortestDigits
            digits = bytes.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
            exponent = point - bytes.count
        default: return nil
        }
    }

    /// Whether this is a whole multiple of `divisor`, which is not zero. Decimal, so that 0.0075 is one of 0.0001.
    func isMultiple(of divisor: DecimalNumber) -> Bool {
        if digits == 0 { return true }
        let shift = exponent - divisor.exponent
        if shift >= 0 {
            // digits * 10^shift mod divisor, by squaring, within 128 bits.
            let modulus = divisor.digits
            var result = digits % modulus
            var base = 10 % modulus
            var power = shift
            while power > 0 {
                if power & 1 == 1 { result = Self.product(result, base, modulo: modulus) }
                base = Self.product(base, base, modulo: modulus)
                power >>= 1
            }
            return result == 0
        }
        var scaled = divisor.digits
        for _ in 0..<(-shift) {
            let (product, overflowed) = scaled.multipliedReportingOverflow(by: 10)
            if overflowed || product > digits { return false }
            scaled = product
        }
        return digits % scaled == 0
    }

    private static func product(_ left: UInt64, _ right: UInt64, modulo modulus: UInt64) -> UInt64 {
        modulus.dividingFullWidth(left.multipliedFullWidth(by: right)).remainder
    }
}

/// Compares two numbers by value, also an `int` with a `double` that cannot hold it.
func isLess(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.int(let left), .int(let right)): return left < right
    case (.double(let left), .double(let right)): return left < right
    case (.int(let left), .double(let right)):
        if let whole = Int64(exactly: right.rounded(.up)) { return left < whole }
        return right > 0
    case (.double(let left), .int(let right)):
        if let whole = Int64(exactly: left.rounded(.down)) { return whole < right }
        return left < 0
    default: return false
    }
}
