/// The status of a run (contract, section 5).
package enum RunStatus: String, Sendable, Hashable, CaseIterable {
    case pending
    case running
    case waiting
    case paused
    case completed
    case failed
    case cancelled
    case quarantined

    /// Whether nothing more will happen.
    package var isEnded: Bool { self == .completed || self == .failed || self == .cancelled }
}

/// The status of a step (contract, section 5).
package enum StepStatus: String, Sendable, Hashable, CaseIterable {
    case pending
    case running
    case waiting
    case completed
    case failed
    case skipped
    case cancelled
    case unknown
    case compensated

    /// Whether this visit of the step is over.
    package var isSettled: Bool {
        switch self {
        case .completed, .failed, .skipped, .cancelled, .compensated: true
        case .pending, .running, .waiting, .unknown: false
        }
    }

    /// Whether this visit has begun and is not over.
    package var isBegun: Bool { self == .running || self == .waiting || self == .unknown }
}

/// Why a run waits (contract, section 5).
package enum WaitReason: String, Sendable, Hashable {
    case user
    case until
    case event
    case job
    case subworkflow
    case pause
    case retry
    case policy
}

/// What went wrong (contract, Appendix A).
package enum ErrorKind: String, Sendable, Hashable {
    case exit
    case signal
    case timeout
    case verification
    case policy
    case limit
    case expression
    case answer
    case executor
    case unknown
    case compensation
    case cancelled
    case failed
    /// A secret that cannot be had, or that a step let out.
    case secret
    case `internal`
}
