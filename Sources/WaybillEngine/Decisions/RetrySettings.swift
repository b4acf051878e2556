import WaybillCore
package import WaybillManifests

/// What `retry` comes to for one step: each field from the first place that says something (contract, section 3).
package struct RetrySettings: Sendable {
    /// Where a field comes from, in the order in which the places are asked.
    package enum Source: Sendable, Hashable {
        case run
        case step
        case workflow
        case capability
        /// Nobody said anything.
        case builtIn
    }

    /// A field's value, and who said it.
    package struct Setting<Value: Sendable>: Sendable {
        package let value: Value
        package let source: Source
    }

    package let maxAttempts: Setting<Int>
    package let kind: Setting<RetryRule.Backoff>
    /// The first back-off.
    package let initial: Setting<Duration>
    /// The longest back-off; unless said a minute, or `initial` where that is longer.
    package let max: Setting<Duration>
    package let jitter: Setting<RetryRule.Jitter>
    package let on: Setting<[RetryCause]>

    /// The causes that are retried unless `on` is said.
    package static let causes: [RetryCause] = ["exit", "signal", "timeout", "executor"].map(RetryCause.kind)
    private static let longest = Duration.seconds(60)

    /// - Parameters:
    ///   - override: what the run was started with.
    ///   - workflow: the workflow's own `retry`.
    package init(override: RetryRule? = nil, step: StepDefinition, workflow: RetryRule?) {
        var capability: RetryRule?
        if case .uses(let use) = step.action { capability = use.capability?.step.retry }
        let places: [(source: Source, rule: RetryRule?)] = [
            (.run, override), (.step, step.retry), (.workflow, workflow), (.capability, capability),
        ]
        func resolve<Value>(_ field: KeyPath<RetryRule, Value?>, unsaid: Value) -> Setting<Value> {
            for place in places {
                if let value = place.rule?[keyPath: field] { return Setting(value: value, source: place.source) }
            }
            return Setting(value: unsaid, source: .builtIn)
        }
        maxAttempts = resolve(\.maxAttempts, unsaid: 1)
        kind = resolve(\.backoff, unsaid: .fixed)
        initial = resolve(\.initial, unsaid: .seconds(1))
        max = resolve(\.max, unsaid: Swift.max(Self.longest, initial.value))
        jitter = resolve(\.jitter, unsaid: .none)
        on = resolve(\.on, unsaid: Self.causes)
    }

    /// The time to wait after an attempt of this number failed.
    func backoff(after attempt: Int, random: UInt64) -> Duration {
        var microseconds = Swift.max(0, initial.value.microseconds)
        let cap = Swift.max(0, max.value.microseconds)
        if kind.value == .exponential {
            for _ in 1..<Swift.max(1, attempt) {
                guard microseconds < cap else { break }
                microseconds = microseconds.multipliedReportingOverflow(by: 2).overflow ? cap : microseconds * 2
            }
        }
        microseconds = Swift.min(microseconds, cap)
        if jitter.value == .full { microseconds = Int64(random % UInt64(microseconds + 1)) }
        return .microseconds(microseconds)
    }
}
