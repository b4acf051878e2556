package import WaybillCore
package import WaybillExpressions

/// One step of a graph, or one state of a machine.
package struct StepDefinition: Sendable {
    /// `[A-Za-z][A-Za-z0-9_]*`.
    package var id: String
    package var place: SourcePlace
    package var action: Action
    /// What must have happened before it starts (graph only); empty: it starts at once.
    package var needs: [Need] = []
    package var condition: Expression?
    /// Where a machine goes from here, first match first; nil in graphs.
    package var next: [Transition] = []
    /// Changes to `vars` once the step completed.
    package var updates: [NamedTemplate] = []
    package var environment: [NamedTemplate] = []
    /// What a process gets from the settings' secrets; the values are known to nobody before an attempt is launched.
    package var secrets: [SecretBinding] = []
    package var timeout: Duration?
    /// What its processes may use of the machine.
    package var limits = ProcessLimits()
    package var output: OutputDefinition?
    /// Globs of files to keep, relative to the working directory.
    package var artifacts: [String] = []
    /// Conditions that the result must meet, or it is rejected.
    package var verifications: [Expression] = []
    package var continueOnError = false
    /// The step is visited again while this is true; tested before each visit.
    package var repetition: Expression?
    package var maxVisits = 100
    package var retry: RetryRule?
    package var catches: [CatchRule] = []
    package var compensation: CompensationDefinition?
    /// Once it completed, earlier compensations are discharged.
    package var isPivot = false
    package var usage: UsageDefinition?
    /// The name of a pool of `Settings.pools`; a running attempt holds one place of it.
    package var pool: String?
    package var onUnknown: UnknownRule = .ask
    package var sideEffects: SideEffects = .effect

    package init(id: String, place: SourcePlace, action: Action) {
        self.id = id
        self.place = place
        self.action = action
    }

    /// The names of the secrets that the step itself needs.
    package var secretNames: [String] {
        switch action {
        case .run: secrets.map(\.name)
        case .http(let request): request.secretNames
        // Those of a job belong to its poll.
        default: []
        }
    }

    /// Also those of the capability that it uses, and of what undoes or checks that; sorted.
    package var neededSecrets: [String] {
        var names = Set(secretNames)
        if case .uses(let use) = action { use.capability?.visitSteps { names.formUnion($0.step.secretNames) } }
        return names.sorted()
    }
}

/// A variable in the environment of a process, and the name of a secret.
package struct SecretBinding: Sendable, Hashable {
    package var variable: String
    package var name: String
    /// Whether the variable has the path of a descriptor that holds the secret, and not the secret itself.
    package var isDescriptor: Bool

    package init(variable: String, name: String, isDescriptor: Bool = false) {
        self.variable = variable
        self.name = name
        self.isDescriptor = isDescriptor
    }
}

/// A dependency of a step.
package struct Need: Sendable, Hashable {
    package enum When: String, Sendable {
        /// It completed, was skipped, or, unless `when` was written, failed and was let pass.
        case completed
        /// It failed; the dependant handles the failure.
        case failed
        /// It ended, one way or the other; the dependant handles a failure.
        case ended
    }

    package var step: Int
    package var when: When
    /// Whether `when` was written: then a failure that is let pass does not satisfy `completed`.
    package var isExact: Bool

    package init(step: Int, when: When, isExact: Bool = false) {
        self.step = step
        self.when = when
        self.isExact = isExact
    }
}

/// A way out of a machine's state.
package struct Transition: Sendable {
    /// nil: always.
    package var condition: Expression?
    /// The state to visit next; nil is `end`.
    package var to: Int?
    package var place: SourcePlace

    package init(condition: Expression?, to: Int?, place: SourcePlace) {
        self.condition = condition
        self.to = to
        self.place = place
    }
}

/// How the output of a process becomes a value.
package struct OutputDefinition: Sendable {
    package enum Source: String, Sendable {
        case stdout
        /// The file named by `WAYBILL_OUTPUT`.
        case file
    }
    package enum Format: String, Sendable {
        case json
        case lines
        case text
    }

    package var source: Source
    package var format: Format
    package var schema: JSONSchema?
    package var schemaValue: Value?
    /// Bytes; a longer output fails the step.
    package var maxSize: Int
    /// Whether the output is kept out of everything but an artifact that can be erased.
    package var isSensitive = false

    package init(
        source: Source = .stdout, format: Format, schema: JSONSchema? = nil, schemaValue: Value? = nil,
        maxSize: Int = 1 << 20
    ) {
        self.source = source
        self.format = format
        self.schema = schema
        self.schemaValue = schemaValue
        self.maxSize = maxSize
    }
}

/// What happens to an attempt whose outcome is unknown after a crash.
package enum UnknownRule: Sendable {
    case retry
    case fail
    case ask
    /// A plan of one process (`run`, with the id `check`) finds out: exit code 0 means done (its standard output is the step's
    /// output), 1 that it is to be tried again, anything else that somebody is asked.
    case check(Plan)

    /// The word for ledgers and people.
    package var word: String {
        switch self {
        case .retry: "retry"
        case .fail: "fail"
        case .ask: "ask"
        case .check: "check"
        }
    }
}

/// What a step does to the world outside, which decides whether it may be repeated.
package enum SideEffects: String, Sendable {
    case pure
    case idempotent
    case effect
}
