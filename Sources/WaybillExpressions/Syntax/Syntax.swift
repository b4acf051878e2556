/// An expression as it was read: macros are recognised, names are not yet resolved.
struct Syntax: Sendable {
    indirect enum Kind: Sendable {
        case literal(CELValue)
        /// `isAbsolute` where a dot stands before it.
        case identifier(String, isAbsolute: Bool)
        case select(Syntax, field: String, isOptional: Bool)
        /// `has(operand.field)`; optional where the field is asked for with `.?`.
        case has(Syntax, field: String)
        case index(Syntax, Syntax, isOptional: Bool)
        case call(function: String, target: Syntax?, arguments: [Syntax])
        case unary(UnaryOperator, Syntax)
        case binary(BinaryOperator, Syntax, Syntax)
        /// Two or more operands.
        case and([Syntax])
        case or([Syntax])
        case conditional(Syntax, Syntax, Syntax)
        case list([Item])
        case map([Entry])
        case fold(Fold)
        /// `cel.bind(variable, value, body)`
        case bind(variable: String, value: Syntax, body: Syntax)
        /// `operand.optMap(variable, body)`; flat where the body is optional itself.
        case optionalMap(Syntax, variable: String, body: Syntax, isFlat: Bool)
    }

    struct Item: Sendable {
        let value: Syntax
        let isOptional: Bool
    }

    struct Entry: Sendable {
        let key: Syntax
        let value: Syntax
        let isOptional: Bool
    }

    let kind: Kind
    /// In bytes from the start of the source: of an operator, a member's name, or the start of anything else.
    let offset: Int
    /// The longest way down from here, 1 for a leaf: bounds every recursion over the tree.
    let height: Int

    init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
        height = 1 + (Self.children(of: kind).map(\.height).max() ?? 0)
    }

    var children: [Syntax] { Self.children(of: kind) }

    private static func children(of kind: Kind) -> [Syntax] {
        switch kind {
        case .literal, .identifier: []
        case .select(let operand, _, _), .has(let operand, _), .unary(_, let operand): [operand]
        case .index(let left, let right, _), .binary(_, let left, let right): [left, right]
        case .call(_, let target, let arguments): (target.map { [$0] } ?? []) + arguments
        case .and(let operands), .or(let operands): operands
        case .conditional(let condition, let yes, let no): [condition, yes, no]
        case .list(let items): items.map(\.value)
        case .map(let entries): entries.flatMap { [$0.key, $0.value] }
        case .fold(let fold): [fold.range] + (fold.filter.map { [$0] } ?? []) + [fold.body]
        case .bind(_, let value, let body), .optionalMap(let value, _, let body, _): [value, body]
        }
    }
}

enum UnaryOperator: String, Sendable {
    case not = "!"
    case negate = "-"
}

enum BinaryOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
    case within = "in"
}

/// A macro that walks a list or map with one or two variables.
struct Fold: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case all, exists, existsOne, filter, map, transformList, transformMap, transformMapEntry, sortBy
    }

    let kind: Kind
    let range: Syntax
    /// One name; or two, index and element or key and value.
    let variables: [String]
    let filter: Syntax?
    let body: Syntax
}
