/// What may stand at a place of a manifest. The shapes of all manifests are data: one table serves the reader, the
/// messages and the published JSON Schemas, so they cannot drift apart.
indirect enum Shape: Sendable {
    case scalar(ScalarRule)
    case list(Shape, atLeast: Int = 0)
    /// A map with known fields.
    case fields(FieldTable)
    /// The same for a table that holds itself further down, such as the steps of a group; asked for when it is needed.
    case nested(name: String, @Sendable () -> FieldTable)
    /// A map with names of the author's choice.
    case entries(key: ScalarRule, Shape, atLeast: Int = 0)
    /// Any value, taken as it is written.
    case literal
    /// Any value, with `${{ }}` in its texts.
    case templated
    /// A JSON Schema.
    case schema
    /// Shapes that differ in kind (scalar, list, map); the first that fits the node's kind counts.
    case either([Shape])
}

/// A field of a map.
struct Field: Sendable {
    enum Standing: Sendable {
        case optional
        case required
        /// Part of the contract, and refused until it is carried out.
        case later
        /// Known, but at another place; the text says where.
        case misplaced(String)
    }

    let name: String
    let shape: Shape
    let standing: Standing
    /// For the editor's completion; a sentence or two.
    let note: String
    /// The actions a modifier serves; empty: all.
    let actions: [String]

    private init(_ name: String, _ shape: Shape, _ standing: Standing, _ note: String, _ actions: [String]) {
        self.name = name
        self.shape = shape
        self.standing = standing
        self.note = note
        self.actions = actions
    }

    static func required(_ name: String, _ shape: Shape, _ note: String) -> Field {
        Field(name, shape, .required, note, [])
    }

    static func optional(_ name: String, _ shape: Shape, for actions: [String] = [], _ note: String) -> Field {
        Field(name, shape, .optional, note, actions)
    }

    static func later(_ names: String...) -> [Field] {
        names.map { Field($0, .literal, .later, "", []) }
    }

    static func misplaced(_ name: String, _ message: String) -> Field {
        Field(name, .literal, .misplaced(message), "", [])
    }

    var isRequired: Bool { if case .required = standing { true } else { false } }
    var isLater: Bool { if case .later = standing { true } else { false } }
    var isOffered: Bool {
        switch standing {
        case .optional, .required: true
        case .later, .misplaced: false
        }
    }
}

/// The fields of one kind of map.
final class FieldTable: Sendable {
    /// Fields that exclude each other.
    struct Choice: Sendable {
        let names: [String]
        let isRequired: Bool
        /// What they are, for "a step needs an action".
        let what: String
    }

    /// With its article: "a step".
    let what: String
    let fields: [Field]
    let choices: [Choice]
    private let indices: [String: Int]

    init(_ what: String, _ fields: [Field], choices: [Choice] = []) {
        self.what = what
        self.fields = fields
        self.choices = choices
        indices = Dictionary(uniqueKeysWithValues: fields.enumerated().map { ($1.name, $0) })
    }

    func field(_ name: String) -> Field? { indices[name].map { fields[$0] } }

    /// The fields of these names, in this order, for a table that shares them.
    func selected(_ names: [String]) -> [Field] { names.compactMap(field) }
}
