package import WaybillExpressions

/// `retry`: what is said of it at one place. The fields resolve one by one: the run's override, then the step, the
/// workflow, the capability (contract, section 3).
package struct RetryRule: Sendable {
    package enum Backoff: String, Sendable {
        case fixed
        case exponential
    }
    package enum Jitter: String, Sendable {
        case none
        /// Any time between nothing and the back-off, evenly.
        case full
    }

    /// Attempts in all; 1 means no retry.
    package var maxAttempts: Int?
    package var backoff: Backoff?
    /// The first back-off.
    package var initial: Duration?
    /// The longest back-off.
    package var max: Duration?
    package var jitter: Jitter?
    /// What is retried; nil: `exit signal timeout executor`.
    package var on: [RetryCause]?

    package init() {}
}

/// A failure that is retried: `timeout`, `{exit: [1, 75]}`, `{signal: [TERM]}`, `{status: [429, 5xx]}` or
/// `{if: "error.message.contains('busy')"}`.
package enum RetryCause: Sendable {
    /// Any error of a kind, by its word.
    case kind(String)
    case exitCodes([Int])
    /// By number.
    case signals([Int])
    case statuses([HTTPAction.StatusRange])
    /// Sees `error`, `attempt` and all that the step's own fields see.
    case condition(Expression)
}

/// An entry of `catch`: the failure is passed over, with an output in its place or, in a machine, on another way.
package struct CatchRule: Sendable {
    package enum Result: Sendable {
        /// The step completes with this output.
        case output(Template)
        /// The machine goes on with the state at this index; nil is `end`.
        case to(Int?)
    }

    /// Sees `error`; nil: any failure.
    package var condition: Expression?
    package var result: Result

    package init(condition: Expression?, result: Result) {
        self.condition = condition
        self.result = result
    }
}

/// `compensate`: what undoes a step.
package struct CompensationDefinition: Sendable {
    package enum Trigger: String, Sendable {
        /// The step completed, or its result was rejected.
        case completed
        /// Also a failed, timed-out or unknown attempt.
        case started
    }

    /// A step of its own (`run`, `http`, `uses`, `call`, `emit`) with the id `compensate`, its own `retry`, `timeout`,
    /// `env` and so on. Its expressions see what the step's own see, and the step's `output`.
    package var plan: Plan
    package var on: Trigger

    package init(step: StepDefinition, on: Trigger = .completed) {
        plan = Plan(shape: .graph, steps: [step])
        self.on = on
    }

    package var step: StepDefinition { plan.steps[0] }
}

/// What follows a failure that nothing passes over.
package enum FailureRule: String, Sendable {
    case compensate
    /// The run pauses until `@retry` or `@cancel`.
    case hold
    /// Nothing is undone.
    case stop
}

/// What a pause does to what was done.
package enum PauseRule: String, Sendable {
    case keep
    /// Compensates in reverse before the run reports `paused`; a resume starts over, as new visits.
    case rollback
}
