package import WaybillCore
package import WaybillExpressions

/// A policy: rules that hold for the workflows and steps it matches.
package struct PolicyDefinition: Sendable {
    package enum Mode: String, Sendable {
        case enforce
        case warn
        case audit
    }

    package enum Binding: String, Sendable {
        /// Frozen with the run.
        case start
        /// The tree's present policy also applies to started runs; it can only deny or require more.
        case running
    }

    package var name: String
    package var place: SourcePlace
    package var sourcePath: String
    package var match = PolicyMatch()
    package var rules: [PolicyRule] = []
    package var mode: Mode = .enforce
    package var binding: Binding = .start
    /// `tests`: the policy's own table of cases.
    package var cases: [PolicyCase] = []

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

    /// Whether it asks for no steps of its own.
    package var matchesAllSteps: Bool { stepIDs.isEmpty && actions.isEmpty }

    package func matches(step id: String, action: String) -> Bool {
        (stepIDs.isEmpty || stepIDs.contains(id)) && (actions.isEmpty || actions.contains(action))
    }
}

/// One rule.
package struct PolicyRule: Sendable {
    /// When a rule is put to what happens.
    package enum Point: String, Sendable, CaseIterable {
        case admission = "run.admit"
        case before = "step.before"
        case after = "step.after"
        case answer
        case migration = "migrate"
    }
    package enum Verdict: Sendable {
        /// Denied where this is true.
        case deny(Expression)
        /// Goes on once somebody approved. The approval binds the digest of the resolved step, or of the run and its
        /// inputs, and of the rule.
        case approval(ApprovalRequirement)
        /// Denied unless all of these are true (`require: {verification: [...]}`).
        case verification([Expression])
        /// A budget of the run.
        case limit(LimitsDefinition)
    }

    package var id: String
    package var place: SourcePlace
    package var point: Point
    /// The rule applies only where this is true.
    package var condition: Expression?
    package var verdict: Verdict
    package var message: Template?

    package init(
        id: String, place: SourcePlace, point: Point = .before, condition: Expression? = nil, verdict: Verdict,
        message: Template? = nil
    ) {
        self.id = id
        self.place = place
        self.point = point
        self.condition = condition
        self.verdict = verdict
        self.message = message
    }

    /// The digest of what the rule says, in hex: what an approval binds beside the step.
    package var digest: String = ""
}

/// `require: {approval: {prompt, timeout, from}}`.
package struct ApprovalRequirement: Sendable {
    package var prompt: Template?
    package var timeout: Duration?
    /// Who may approve; nil: anybody who can write to the inbox.
    package var from: AnswererRule?

    package init(prompt: Template? = nil, timeout: Duration? = nil, from: AnswererRule? = nil) {
        self.from = from
        self.prompt = prompt
        self.timeout = timeout
    }
}

/// A case of a policy's own table, for `waybill policy test`.
package struct PolicyCase: Sendable {
    package var name: String
    package var place: SourcePlace
    package var point: PolicyRule.Point
    /// The variables the rules see: `step run inputs context output answer`; a `step` is filled up to a full one.
    package var given: Object
    /// `allow`, `deny` or `require`.
    package var verdict: String
    /// The rule that must be the one to say so.
    package var rule: String?

    package init(
        name: String, place: SourcePlace, point: PolicyRule.Point, given: Object, verdict: String, rule: String?
    ) {
        self.name = name
        self.place = place
        self.point = point
        self.given = given
        self.verdict = verdict
        self.rule = rule
    }
}
