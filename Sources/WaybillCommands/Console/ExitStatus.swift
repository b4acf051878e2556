import ArgumentParser

/// What a command's exit status says (contract, section 11).
enum ExitStatus: Int32, Sendable {
    case done = 0
    case failed = 1
    /// A wrong command line, a name that does not exist, or a manifest that is invalid.
    case usage = 2
    case waiting = 3
    case cancelled = 4
    /// `EX_TEMPFAIL` of sysexits.h: nothing is wrong, somebody else is at it.
    case tryAgain = 75

    /// The status that a run's status calls for.
    init(runStatus: String) {
        switch runStatus {
        case "completed": self = .done
        case "waiting", "paused", "pending", "running": self = .waiting
        case "cancelled": self = .cancelled
        default: self = .failed
        }
    }

    /// Ends a command with this status and no further word.
    var exit: ExitCode { ExitCode(rawValue) }
}
