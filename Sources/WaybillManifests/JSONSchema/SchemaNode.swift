import WaybillCore
import WaybillExpressions

/// One compiled schema object. Nodes refer to each other by number, so that a schema may refer to itself.
struct SchemaNode: Sendable {
    /// The resource it belongs to: entering it extends the dynamic scope.
    var resource: Int
    /// As a URI reference, for messages.
    var location: String
    var keywords: [Keyword] = []
    /// Whether a keyword asks what its neighbours evaluated.
    var asksForEvaluated = false
}

/// A keyword with all it needs; what a keyword of the standard leaves to its neighbours is put together here.
enum Keyword: Sendable {
    /// The schema `false`.
    case never
    case types(SchemaTypes)
    /// The values as `Value.withWholeNumbersAsInts` has them, and for messages as they were written.
    case oneOfValues(Set<Value>, written: [Value], name: String)

    case multipleOf(DecimalNumber, written: Value)
    case maximum(Value)
    case exclusiveMaximum(Value)
    case minimum(Value)
    case exclusiveMinimum(Value)

    case lengths(minimum: Int?, maximum: Int?)
    case pattern(RegularExpression)
    case format(SchemaFormat)

    case itemCounts(minimum: Int?, maximum: Int?)
    case uniqueItems
    case items(prefix: [Int], rest: Int?, restName: String)
    case contains(Int, minimum: Int, maximum: Int?)

    case memberCounts(minimum: Int?, maximum: Int?)
    case required([String])
    case dependentRequired([(member: String, others: [String])])
    case members(MemberKeywords)
    case memberNames(Int)

    case allOf([Int])
    case anyOf([Int])
    case oneOf([Int])
    case not(Int)
    case condition(if: Int, then: Int?, else: Int?)
    case dependentSchemas([(member: String, schema: Int)], name: String)
    case reference(Int)
    /// Where no resource of the dynamic scope has the anchor, the first node counts.
    case dynamicReference(Int, anchor: String)

    case unevaluatedItems(Int)
    case unevaluatedMembers(Int)
}

/// `properties`, `patternProperties` and `additionalProperties`, which depend on each other.
struct MemberKeywords: Sendable {
    var named: [(name: String, schema: Int)] = []
    var patterns: [(pattern: RegularExpression, schema: Int)] = []
    var additional: Int?
    /// Whether other members are refused outright, which has a clearer message.
    var refusesOthers = false
}

/// A document or a part of one with an `$id` of its own, as the evaluation sees it.
struct SchemaScope: Sendable {
    /// Nodes by the name of their `$dynamicAnchor`.
    var dynamicAnchors: [String: Int] = [:]
}
