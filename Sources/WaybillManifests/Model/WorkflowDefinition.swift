package import WaybillCore
package import WaybillExpressions

/// A workflow as the engine executes it: decoded, checked, every expression compiled.
///
/// It is made from frozen sources only, so the same bytes always give the same definition.
package struct WorkflowDefinition: Sendable {
    /// `[a-z][a-z0-9-]*`.
    package var name: String
    package var place: SourcePlace
    /// The file it was read from, relative to the tree's root, e.g. `workflows/release/release.yaml`.
    package var sourcePath: String
    /// String values only.
    package var labels = Object()
    package var inputs: [InputDefinition] = []
    /// Immutable facts, copied into every run.
    package var context = Object()
    package var goal: GoalDefinition?
    package var variables: [VariableDefinition] = []
    /// Environment of every process step, before the step's own.
    package var environment: [NamedTemplate] = []
    /// The ids of the steps whose output is sensitive.
    package var sensitiveSteps: Set<String> = []
    /// Globs of files frozen with a run, relative to the workflow file's folder.
    package var files: [String] = []
    /// A checkpoint after every so many steps, beside those that are due anyway.
    package var checkpointEvery: Int?
    package var durability: Durability = .full
    package var concurrency: ConcurrencyDefinition?
    /// What every step's `retry` falls back on.
    package var retry: RetryRule?
    package var limits = LimitsDefinition()
    package var failure: FailureRule = .compensate
    package var onPause: PauseRule = .keep
    /// Who may control its runs, beside what the settings say; nil: anybody who can write to their inboxes.
    package var control: AnswererRule?
    package var plan: Plan
    /// A graph that runs after a failure and its compensations, before `finally`. Its ids are unique in the workflow.
    package var onFailure: Plan?
    /// A graph that runs before the run ends, however it ends. Its ids are unique in the workflow.
    package var finally: Plan?
    /// What a completed run gives back.
    package var outputs: [NamedTemplate] = []

    package init(name: String, place: SourcePlace, sourcePath: String, plan: Plan) {
        self.name = name
        self.place = place
        self.sourcePath = sourcePath
        self.plan = plan
    }
}

/// Whether a decision is synced to the disk before it counts (`full`), or left to the kernel (`relaxed`).
package enum Durability: String, Sendable, Hashable {
    case full
    case relaxed
}

/// One declared input: a JSON Schema, and a default if it is not required.
package struct InputDefinition: Sendable {
    package var name: String
    package var place: SourcePlace
    package var schema: JSONSchema
    /// The schema as written, for `show`, `explain` and type checks.
    package var schemaValue: Value
    package var defaultValue: Value?

    package init(
        name: String, place: SourcePlace, schema: JSONSchema, schemaValue: Value, defaultValue: Value? = nil
    ) {
        self.name = name
        self.place = place
        self.schema = schema
        self.schemaValue = schemaValue
        self.defaultValue = defaultValue
    }
}

/// What a run is for, and the conditions that its outputs must meet.
package struct GoalDefinition: Sendable {
    package var summary: Template
    package var acceptance: [Expression]

    package init(summary: Template, acceptance: [Expression]) {
        self.summary = summary
        self.acceptance = acceptance
    }
}

/// A member of `vars`: the mutable state of a run.
package struct VariableDefinition: Sendable {
    package enum Merge: String, Sendable {
        /// An update's list is appended to the list.
        case append
        /// An update takes the place of the value.
        case replace
    }

    package var name: String
    package var place: SourcePlace
    package var defaultValue: Value
    package var merge: Merge

    package init(name: String, place: SourcePlace, defaultValue: Value, merge: Merge) {
        self.name = name
        self.place = place
        self.defaultValue = defaultValue
        self.merge = merge
    }
}

/// A name and the template of its value: an environment variable, an output, an update.
package struct NamedTemplate: Sendable {
    package var name: String
    package var place: SourcePlace
    package var template: Template

    package init(name: String, place: SourcePlace, template: Template) {
        self.name = name
        self.place = place
        self.template = template
    }
}
