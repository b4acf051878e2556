import WaybillCore

/// A step's result on its way to `TASK_END`.
struct Outcome: Sendable {
    /// Where a `catch` sends a machine.
    struct CaughtTransition: Sendable {
        /// Nil: the machine's end.
        var index: Int?
    }

    var status: StepStatus
    var output: Value?
    var report = AttemptReport()
    var failure: Failure?
    var reason: String?
    var updates = Object()
    var usage = Object()
    var finishOutputs: Value?
    /// The failure that a `catch` passed over.
    var caught: Failure?
    var caughtTo: CaughtTransition?
    /// A result that was there and did not pass: what made it was done.
    var isRejected = false
    /// Whether that was undone at once, as far as it could be.
    var isUndone = false
    /// The output of such a result: what undoes it may need it.
    var rejectedOutput: Value?
    /// A failure that nothing passes over, because there is nowhere to go on to.
    var isFinal = false
    /// Whether it fails the run, whatever the steps around this one pass over.
    var endsRun = false

    init(_ result: StepResult) {
        switch result {
        case .completed(let output, let report):
            status = .completed
            self.output = output
            self.report = report
        case .failed(let failure, let report):
            status = .failed
            self.failure = failure
            self.report = report
        case .exhausted(let failure):
            status = .failed
            self.failure = failure
            isFinal = true
        case .overBudget(let failure):
            status = .failed
            self.failure = failure
            isFinal = true
            endsRun = true
        case .skipped(let reason):
            status = .skipped
            self.reason = reason
        case .cancelled(let failure):
            status = .cancelled
            self.failure = failure
        }
    }

    /// Reads what a `COMPENSATION` entry keeps of a result that was rejected, see `rejection`.
    init(rejection data: Object) {
        status = .failed
        isRejected = true
        isUndone = true
        failure = Failure(data["error"])
        usage = data["usage"]?.objectValue ?? Object()
        report.exitCode = data["exitCode"]?.intValue.map(Int.init)
        report.activeMicroseconds = data["activeMicroseconds"]?.intValue ?? 0
        report.artifacts = data["artifacts"]?.listValue?.compactMap(ArtifactRecord.init) ?? []
        report.retryAt = data["retryAt"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
        report.extra = data["report"]?.objectValue ?? Object()
    }

    /// What has to be kept of a rejected result until it is undone, its output apart:
    /// `{error, exitCode?, activeMicroseconds?, artifacts?, usage?, retryAt?, report?}`.
    var rejection: Object {
        var data = Object()
        data["error"] = failure?.value
        data["exitCode"] = report.exitCode.map { .int(Int64($0)) }
        if report.activeMicroseconds > 0 { data["activeMicroseconds"] = .int(report.activeMicroseconds) }
        if !report.artifacts.isEmpty { data["artifacts"] = .list(report.artifacts.map(\.value)) }
        if !usage.isEmpty { data["usage"] = .object(usage) }
        data["retryAt"] = report.retryAt.map { .string($0.description) }
        if !report.extra.isEmpty { data["report"] = .object(report.extra) }
        return data
    }

    /// Turns a result that did not pass into a failure; what the attempt reported stays.
    mutating func reject(_ failure: Failure, isFinal: Bool = false) {
        isRejected = status == .completed
        if isRejected { rejectedOutput = output }
        status = .failed
        self.isFinal = isFinal
        output = nil
        updates = Object()
        finishOutputs = nil
        self.failure = failure
    }
}
