/// What the checker has found out about type variables, by the unification of the reference checker:
/// a variable stands for the most general of the types it was seen as.
struct Substitution {
    private var bindings: [Int: TypeShape] = [:]
    private var count = 0

    mutating func freshVariable() -> TypeShape {
        count += 1
        return .variable(count)
    }

    /// The signature's parameters and result with fresh variables for its generic types.
    mutating func instantiate(_ signature: Signature) -> (parameters: [TypeShape], result: TypeShape) {
        guard signature.isGeneric else { return (signature.parameters, signature.result) }
        var variables: [String: TypeShape] = [:]
        let parameters = signature.parameters.map { instantiate($0, &variables) }
        return (parameters, instantiate(signature.result, &variables))
    }

    private mutating func instantiate(_ shape: TypeShape, _ variables: inout [String: TypeShape]) -> TypeShape {
        switch shape {
        case .generic(let name):
            if let variable = variables[name] { return variable }
            let variable = freshVariable()
            variables[name] = variable
            return variable
        default: return shape.mapChildren { instantiate($0, &variables) }
        }
    }

    /// The shape with everything known filled in; what stays unknown is kept, or dyn.
    func resolve(_ shape: TypeShape, unknownAsDyn: Bool = false) -> TypeShape {
        if case .variable(let number) = shape {
            if let bound = bindings[number] { return resolve(bound, unknownAsDyn: unknownAsDyn) }
            return unknownAsDyn ? .dyn : shape
        }
        return shape.mapChildren { resolve($0, unknownAsDyn: unknownAsDyn) }
    }

    /// Whether values of all `actual` shapes can stand for the `wanted`; if so, what that says is kept.
    mutating func assign(_ actual: [TypeShape], to wanted: [TypeShape]) -> Bool {
        guard actual.count == wanted.count else { return false }
        var trial = self
        for (actual, wanted) in zip(actual, wanted) where !trial.unify(wanted, actual) { return false }
        self = trial
        return true
    }

    mutating func assign(_ actual: TypeShape, to wanted: TypeShape) -> Bool { assign([actual], to: [wanted]) }

    // MARK: Unification

    private mutating func unify(_ left: TypeShape, _ right: TypeShape) -> Bool {
        if case .variable(let number) = right {
            let (isValid, isBound) = bind(number, to: left)
            if isValid { return true }
            if isBound { return false }
        }
        if case .variable(let number) = left { return bind(number, to: right).isValid }
        switch (left, right) {
        case (.dyn, _), (_, .dyn): return true
        case (.nullable, .null), (.null, .nullable), (.null, .null): return true
        case (.nullable(let left), .nullable(let right)), (.nullable(let left), let right),
            (let left, .nullable(let right)):
            return unify(left, right)
        case (.null, let other), (let other, .null): return other.admitsNull
        case (.list(let left), .list(let right)), (.optional(let left), .optional(let right)):
            return unify(left, right)
        case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)):
            return unify(leftKey, rightKey) && unify(leftValue, rightValue)
        case (.object, .object): return true
        case (.object(let object), .map(let key, let value)), (.map(let key, let value), .object(let object)):
            return unify(key, .string) && unify(value, object.commonShape)
        case (.abstract(let left, let leftArguments), .abstract(let right, let rightArguments)):
            guard left == right, leftArguments.count == rightArguments.count else { return false }
            for (left, right) in zip(leftArguments, rightArguments) where !unify(left, right) { return false }
            return true
        default: return left == right
        }
    }

    /// Whether the variable may stand for `shape`, and whether it already stood for something.
    private mutating func bind(_ number: Int, to shape: TypeShape) -> (isValid: Bool, isBound: Bool) {
        if shape == .variable(number) { return (true, true) }
        if let known = bindings[number] {
            if known == shape { return (true, true) }
            guard unify(shape, known) else { return (false, true) }
            let general = shape.isAtLeastAsGeneral(as: known) ? shape : known
            if !occurs(number, in: general) { bindings[number] = general }
            return (true, true)
        }
        guard !occurs(number, in: shape) else { return (false, false) }
        bindings[number] = shape
        return (true, false)
    }

    private func occurs(_ number: Int, in shape: TypeShape) -> Bool {
        if case .variable(let other) = shape {
            return other == number || bindings[other].map { occurs(number, in: $0) } ?? false
        }
        var isFound = false
        _ = shape.mapChildren { child in
            if occurs(number, in: child) { isFound = true }
            return child
        }
        return isFound
    }
}

extension ObjectShape {
    /// The shape all members share, as far as it is one.
    var commonShape: TypeShape {
        var shapes = Set(fields.values)
        if let others { shapes.insert(others) }
        return shapes.count == 1 ? shapes.first ?? .dyn : .dyn
    }
}

extension TypeShape {
    /// Types whose values the language allows to be null without saying so.
    fileprivate var admitsNull: Bool {
        switch self {
        case .timestamp, .duration, .optional, .abstract, .object: true
        default: false
        }
    }

    /// The shape with its parts replaced.
    func mapChildren(_ transform: (TypeShape) -> TypeShape) -> TypeShape {
        switch self {
        case .list(let element): .list(transform(element))
        case .map(let key, let value): .map(key: transform(key), value: transform(value))
        case .optional(let inner): .optional(transform(inner))
        case .nullable(let inner): .nullable(transform(inner))
        case .abstract(let name, let arguments): .abstract(name, arguments.map(transform))
        default: self
        }
    }

    /// Whether everything that fits `other` fits this shape too.
    func isAtLeastAsGeneral(as other: TypeShape) -> Bool {
        switch (self, other) {
        case (.dyn, _), (.variable, _): true
        case (_, .dyn), (_, .variable): false
        case (.list(let left), .list(let right)), (.optional(let left), .optional(let right)):
            left.isAtLeastAsGeneral(as: right)
        case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)):
            leftKey.isAtLeastAsGeneral(as: rightKey) && leftValue.isAtLeastAsGeneral(as: rightValue)
        case (.abstract(let left, let leftArguments), .abstract(let right, let rightArguments)):
            left == right && leftArguments.count == rightArguments.count
                && zip(leftArguments, rightArguments).allSatisfy { $0.isAtLeastAsGeneral(as: $1) }
        case (.nullable(let left), .nullable(let right)): left.isAtLeastAsGeneral(as: right)
        case (.nullable(let left), let right): right == .null || left.isAtLeastAsGeneral(as: right)
        case (_, .null): self == .null || admitsNull
        default: self == other
        }
    }
}
