package import WaybillCore
package import WaybillExpressions

/// What the rules of a policy may speak of: `run inputs context`, and `step output answer` where there are any.
package final class PolicyScope: Scope {
    package let zones: any TimeZoneSource
    private let variables: Object
    /// Inputs may live in an artifact: they are read once a rule asks for them.
    private let inputs: @Sendable () -> Value?

    package init(
        variables: Object, zones: any TimeZoneSource = UniversalTime(), inputs: @escaping @Sendable () -> Value?
    ) {
        self.variables = variables
        self.zones = zones
        self.inputs = inputs
    }

    package func variable(_ name: String) -> CELValue? { value(of: name).map { CELValue($0) } }

    private func value(of name: String) -> Value? { name == "inputs" ? inputs() : variables[name] }

    /// The JSON value at a path such as `step.argv`; nil if there is none.
    package func value(at path: [String]) -> Value? {
        guard let root = path.first else { return nil }
        var value = value(of: root)
        for name in path.dropFirst() { value = value?[name] }
        return value
    }
}
