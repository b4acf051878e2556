/// One overload of a function: what it takes and what it gives.
package struct Signature: Hashable, Sendable {
    package let function: String
    /// The receiver comes first where `isMember`.
    package let parameters: [TypeShape]
    package let result: TypeShape
    package let isMember: Bool
    /// Whether types such as `A` stand for others.
    let isGeneric: Bool

    package init(function: String, parameters: [TypeShape], result: TypeShape, isMember: Bool) {
        self.function = function
        self.parameters = parameters
        self.result = result
        self.isMember = isMember
        isGeneric = (parameters + [result]).contains(where: \.holdsGeneric)
    }

    /// Reads `(string, int) -> string`, for a member `string.(int) -> string`.
    init?(_ function: String, notation: String) {
        var reader = NotationReader(notation)
        var parameters: [TypeShape] = []
        var isMember = false
        if !reader.take("(") {
            // The dot before the parenthesis ends up in the receiver's name: `list(A).(int)`, `string.(int)`.
            guard let receiver = reader.receiver() else { return nil }
            parameters = [receiver]
            isMember = true
        }
        guard let others = reader.shapes(), reader.take("->"), let result = reader.shape() else { return nil }
        self.init(function: function, parameters: parameters + others, result: result, isMember: isMember)
    }

    /// The number of arguments between the parentheses.
    var argumentCount: Int { parameters.count - (isMember ? 1 : 0) }
}

extension NotationReader {
    fileprivate mutating func receiver() -> TypeShape? {
        guard var name = name() else { return nil }
        if name.hasSuffix(".") {
            name.removeLast()
            return take("(") ? TypeShape(name: name, arguments: []) : nil
        }
        guard take("("), let arguments = shapes(), take("."), take("(") else { return nil }
        return TypeShape(name: name, arguments: arguments)
    }
}

extension Signature: CustomStringConvertible {
    /// `string.charAt(int) -> string`
    package var description: String {
        let arguments = parameters.dropFirst(isMember ? 1 : 0).map(\.short).joined(separator: ", ")
        let receiver = isMember ? "\(parameters[0].short)." : ""
        return "\(receiver)\(function)(\(arguments)) -> \(result.short)"
    }
}

extension TypeShape {
    fileprivate var holdsGeneric: Bool {
        if case .generic = self { return true }
        var isFound = false
        _ = mapChildren { child in
            isFound = isFound || child.holdsGeneric
            return child
        }
        return isFound
    }

    /// The notation with short names for times.
    fileprivate var short: String {
        switch self {
        case .timestamp: "timestamp"
        case .duration: "duration"
        case .optional(let inner): "optional(\(inner.short))"
        default: description
        }
    }
}
