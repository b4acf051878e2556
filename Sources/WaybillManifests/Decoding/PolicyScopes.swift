import WaybillCore
import WaybillExpressions

/// What the rules of a policy see at each point (contract, section 4).
enum PolicyScopes {
    /// Every rule about a step sees all of these: `argv` is empty where there is no process, `with` where nothing is
    /// used or called, and `http` null where there is no request.
    private static let step = TypeShape.object([
        "id": .string, "action": .string, "capability": .nullable(.string), "sideEffects": .string,
        "argv": .list(.string), "shell": .bool, "with": .map(key: .string, value: .dyn), "http": .dyn,
        "env": .map(key: .string, value: .dyn), "secrets": .list(.string),
    ])

    private static let common: [String: TypeShape] = [
        "run": WorkflowScopes.run, "inputs": .dyn, "context": .dyn,
    ]

    /// The variables of a point.
    static func variables(at point: PolicyRule.Point) -> [String: TypeShape] {
        var variables = common
        switch point {
        case .admission, .migration: break
        case .before: variables["step"] = step
        case .after:
            variables["step"] = step
            variables["output"] = .dyn
        case .answer:
            variables["step"] = step
            variables["answer"] = .dyn
        }
        return variables
    }

    private static let scopes = Dictionary(
        uniqueKeysWithValues: PolicyRule.Point.allCases.map { point in
            (point, ExpressionScope(declarations: Declarations(variables(at: point)), viewpoint: .start))
        })

    static func scope(at point: PolicyRule.Point) -> ExpressionScope {
        scopes[point] ?? ExpressionScope(declarations: Declarations(common), viewpoint: .start)
    }
}
