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
    /// The output of such a result: what undoes it may need it.
    var rejectedOutput: Value?
    /// A failure that nothing passes over, because there is nowhere to go on to.
    var isFinal = false

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
        case .skipped(let reason):
            status = .skipped
            self.reason = reason
        case .cancelled(let failure):
            status = .cancelled
            self.failure = failure
        }
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
