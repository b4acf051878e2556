package import WaybillExpressions

/// `limits` and the budgets of policies: they warn at 80 % and stop at 100 %, checked before each step.
package struct LimitsDefinition: Sendable, Hashable {
    /// Attempts started.
    package var steps: Int?
    package var retries: Int?
    /// From the start of the run, waits included.
    package var elapsed: Duration?
    /// The sum over attempts.
    package var active: Duration?
    package var cost: Double?
    package var tokens: Int?

    package init() {}
}

/// `concurrency: {group, limit, onLimit}`.
package struct ConcurrencyDefinition: Sendable {
    package enum OnLimit: String, Sendable {
        case queue
        case skip
        case cancelOldest
    }

    /// May hold `${{ inputs.x }}`.
    package var group: Template
    package var limit: Int
    package var onLimit: OnLimit

    package init(group: Template, limit: Int = 1, onLimit: OnLimit = .queue) {
        self.group = group
        self.limit = limit
        self.onLimit = onLimit
    }
}

/// `usage: {tokens, cost}`: evaluated once the step completed, with its `output` in scope.
package struct UsageDefinition: Sendable {
    package var tokens: Template?
    package var cost: Template?

    package init(tokens: Template? = nil, cost: Template? = nil) {
        self.tokens = tokens
        self.cost = cost
    }
}
