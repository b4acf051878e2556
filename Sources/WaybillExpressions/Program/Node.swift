/// A compiled expression: names are resolved, constants are values, variables of macros are numbered slots.
///
/// Offsets are those of the source, for errors.
indirect enum Node: Sendable {
    case constant(CELValue)
    case variable(String, offset: Int)
    case local(Int)
    /// Members one below the other, from a variable on.
    case path(String, [Member], offset: Int)
    case select(Node, String, offset: Int)
    case selectOptional(Node, String, offset: Int)
    case has(Node, String, offset: Int)
    case index(Node, Node, offset: Int)
    case indexOptional(Node, Node, offset: Int)
    case and([Node], offset: Int)
    case or([Node], offset: Int)
    case not(Node, offset: Int)
    case negate(Node, offset: Int)
    case binary(BinaryOperator, Node, Node, offset: Int)
    case conditional(Node, Node, Node, offset: Int)
    case list([Node])
    case listWithOptionals([Item], offset: Int)
    case map([Entry], offset: Int)
    case fold(FoldNode, offset: Int)
    case bind(Node, body: Node)
    case optionalMap(Node, body: Node, isFlat: Bool, offset: Int)
    /// `a.or(b)`; `orValue` where the result is unwrapped. The second is evaluated only if it is needed.
    case optionalOr(Node, Node, isUnwrapped: Bool, offset: Int)
    case size(Node, offset: Int)
    /// A pattern known beforehand is compiled beforehand.
    case matches(Node, RegularExpression, offset: Int)
    case call(Function, [Node], offset: Int)
    /// What is wrong whenever it is reached.
    case failure(ExpressionError)

    struct Member: Sendable {
        let name: String
        let offset: Int
    }

    struct Item: Sendable {
        let value: Node
        let isOptional: Bool
    }

    struct Entry: Sendable {
        let key: Node
        let value: Node
        let isOptional: Bool
        let offset: Int
    }
}

/// A macro over a list or map; its variables are the next one or two slots.
struct FoldNode: Sendable {
    let kind: Fold.Kind
    let range: Node
    let variableCount: Int
    let filter: Node?
    let body: Node
}
