package import WaybillCore
package import WaybillExpressions

/// A policy: rules that hold for the workflows and steps it matches.
package struct PolicyDefinition: Sendable {
    package enum Mode: String, Sendable {
        case enforce
        case warn
        case audit
    }

    package var name: String
    package var place: SourcePlace
    package var sourcePath: String
    package var match = PolicyMatch()
    package var rules: [PolicyRule] = []
    package var mode: Mode = .enforce

    package init(name: String, place: SourcePlace, sourcePath: String) {
        self.name = name
        self.place = place
        self.sourcePath = sourcePath
    }
}

/// What a policy applies to. An empty list or map matches everything.
package struct PolicyMatch: Sendable {
    package var workflowNames: [String] = []
    /// Labels a workflow must have, with these values.
    package var workflowLabels = Object()
    package var stepIDs: [String] = []
    package var actions: [String] = []

    package init() {}

    package func matches(workflow name: String, labels: Object) -> Bool {
        (workflowNames.isEmpty || workflowNames.contains { $0.isIdenticalUTF8(to: name) })
            && workflowLabels.allSatisfy { labels[$0.key] == $0.value }
    }

    package func matches(step id: String, action: String) -> Bool {
        (stepIDs.isEmpty || stepIDs.contains(id)) && (actions.isEmpty || actions.contains(action))
    }
}

/// One rule at `step.before`: the step is denied where `deny` is true, or cannot be evaluated.
package struct PolicyRule: Sendable {
    package var id: String
    package var place: SourcePlace
    package var condition: Expression?
    package var deny: Expression
    package var message: Template?

    package init(id: String, place: SourcePlace, condition: Expression?, deny: Expression, message: Template?) {
        self.id = id
        self.place = place
        self.condition = condition
        self.deny = deny
        self.message = message
    }
}
