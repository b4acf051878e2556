package import WaybillCore

/// What is known of one step: its newest visit.
package struct StepState: Sendable, Hashable {
    package var status: StepStatus = .pending
    /// Counts from 1; 0 before the first.
    package var visit = 0
    /// The visits that this address had before this frame: they count on, but not against `maxVisits`.
    var visitsBefore = 0
    package var attempt = 0
    package var output: Payload?
    package var exitCode: Int?
    package var error: Failure?
    package var artifacts: [ArtifactRecord] = []
    /// Accepted answers of this visit: `{value, by, at, sha256, source}`.
    package var answers: [Value] = []
    /// When the visit began, or when it began to wait.
    package var since: Timestamp?
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?
    /// The recorded intent (`TASK_START` data) of an attempt that has no outcome yet.
    package var intent: Object?
    /// Of a `forEach`: how far it is.
    package var loop: LoopState?
    /// Of a `forEach` that ended: a list of `{index, key, status, output, error}`.
    package var items: Payload?
    /// Of a call: the sub-run's id.
    package var run: String?
    /// The keys of the waits that this visit has open.
    package var waitKeys: [String] = []
    /// What was approved in this visit: digests of the resolved step and rule, and `<policy> <rule digest>`.
    package var approvals: [String] = []
    /// The journal's numbers of the events that this step took, in any of its visits: none is taken again.
    package var eventsTaken: Set<Int> = []
    /// A failure that the workflow passes over (`continueOnError`) or that a dependant handles.
    package var isFailureHandled = false
    /// What a rejected result came to, while it is undone: see `Outcome.rejection`.
    package var rejection: Object?
    /// Where a failure holds the run: the steps inside this one that count in the run's progress. `@retry` visits this one
    /// again as a whole, and then others count in their place.
    var inside = StepCounts()

    package init() {}

    /// Whether the recorded intent is that of an attempt outside the engine, which has no outcome while it runs.
    var isOutside: Bool {
        // Its attempt has ended.
        guard rejection == nil else { return false }
        switch intent?["action"]?.stringValue {
        case "run", "http", "emit": return true
        default: return false
        }
    }
}
