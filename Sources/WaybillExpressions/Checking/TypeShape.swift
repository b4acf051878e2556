/// What is known of a value before it is there: the types of the language, and objects with declared members.
package indirect enum TypeShape: Hashable, Sendable {
    /// Nothing is known; everything is allowed.
    case dyn
    case null, bool, int, uint, double, string, bytes, timestamp, duration
    case list(TypeShape)
    case map(key: TypeShape, value: TypeShape)
    case object(ObjectShape)
    case optional(TypeShape)
    /// The type of types.
    case type
    /// null, or what is inside.
    case nullable(TypeShape)
    /// A type the language does not know, by name.
    case abstract(String, [TypeShape])
    /// The `A` of `list(A)` in a signature.
    case generic(String)
    /// A type that the checker has yet to find out.
    case variable(Int)
}

/// The members an object is declared to have.
package struct ObjectShape: Hashable, Sendable {
    package var fields: [String: TypeShape]
    /// What members that are not declared may be; nil if there are none.
    package var others: TypeShape?

    package init(fields: [String: TypeShape], others: TypeShape? = nil) {
        self.fields = fields
        self.others = others
    }
}

extension TypeShape {
    /// An object with exactly these members.
    package static func object(_ fields: [String: TypeShape]) -> TypeShape {
        .object(ObjectShape(fields: fields))
    }

    /// An object with these members and any others.
    package static func openObject(_ fields: [String: TypeShape]) -> TypeShape {
        .object(ObjectShape(fields: fields, others: .dyn))
    }

    var isNumber: Bool {
        switch self {
        case .int, .uint, .double: true
        case .nullable(let inner): inner.isNumber
        default: false
        }
    }
}

// MARK: - Notation

extension TypeShape: CustomStringConvertible {
    /// The notation of the language definition: `list(map(string, int))`.
    package var description: String {
        switch self {
        case .dyn: "dyn"
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: TypeName.timestamp
        case .duration: TypeName.duration
        case .list(let element): "list(\(element))"
        case .map(let key, let value): "map(\(key), \(value))"
        case .object: "map(string, dyn)"
        case .optional(let inner): "optional_type(\(inner))"
        case .type: "type"
        case .nullable(let inner): "wrapper(\(inner))"
        case .abstract(let name, let arguments):
            arguments.isEmpty ? name : "\(name)(\(arguments.map(\.description).joined(separator: ", ")))"
        case .generic(let name): name
        case .variable(let number): "_\(number)"
        }
    }

    /// The type as messages call it.
    package var word: String {
        switch self {
        case .dyn, .generic, .variable: "any value"
        case .null: "null"
        case .timestamp: "timestamp"
        case .duration: "duration"
        case .object: "object"
        case .list: "list"
        case .map: "map"
        case .optional(let inner): "optional \(inner.word)"
        case .nullable(let inner): "\(inner.word) or null"
        default: description
        }
    }

    private static let plain: [String: TypeShape] = [
        "dyn": .dyn, "null_type": .null, "null": .null, "bool": .bool, "int": .int, "uint": .uint, "double": .double,
        "string": .string, "bytes": .bytes, "timestamp": .timestamp, TypeName.timestamp: .timestamp,
        "duration": .duration, TypeName.duration: .duration, "type": .type, "list": .list(.dyn),
        "map": .map(key: .dyn, value: .dyn),
    ]

    /// Reads the notation; a single capital letter is generic. nil if it is not well formed.
    package init?(notation: String) {
        var reader = NotationReader(notation)
        guard let shape = reader.shape(), reader.isAtEnd else { return nil }
        self = shape
    }

    init(name: String, arguments: [TypeShape]) {
        switch (name, arguments.count) {
        case ("list", 1): self = .list(arguments[0])
        case ("map", 2): self = .map(key: arguments[0], value: arguments[1])
        case ("optional_type", 1), ("optional", 1): self = .optional(arguments[0])
        case ("wrapper", 1): self = .nullable(arguments[0])
        case ("type", 1): self = .type
        case (_, 0):
            if let plain = Self.plain[name] {
                self = plain
            } else if name.utf8.count == 1, name.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) {
                self = .generic(name)
            } else {
                self = .abstract(name, [])
            }
        default: self = .abstract(name, arguments)
        }
    }
}

/// Reads types and signatures.
struct NotationReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skipBlanks() { rest = rest.drop { $0 == 0x20 } }

    mutating func take(_ text: String) -> Bool {
        skipBlanks()
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    /// A name with dots.
    mutating func name() -> String? {
        skipBlanks()
        let name = rest.prefix { $0.startsIdentifier || $0.isDigit || $0 == UInt8(ascii: ".") }
        guard !name.isEmpty else { return nil }
        rest = rest.dropFirst(name.count)
        return String(Substring(name))
    }

    mutating func shape() -> TypeShape? {
        guard let name = name() else { return nil }
        guard take("(") else { return TypeShape(name: name, arguments: []) }
        return shapes().map { TypeShape(name: name, arguments: $0) }
    }

    /// What stands between parentheses, the closing one included.
    mutating func shapes() -> [TypeShape]? {
        var shapes: [TypeShape] = []
        if take(")") { return shapes }
        repeat {
            guard let shape = shape() else { return nil }
            shapes.append(shape)
        } while take(",")
        return take(")") ? shapes : nil
    }
}
