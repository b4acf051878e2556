package import WaybillCore

/// How a launched program ended.
package struct ProcessOutcome: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        /// From 0 to 255.
        case exited(code: Int32)
        case signalled(signal: Int32, coreDumped: Bool)
        /// It never ran: missing, not executable, no such folder. The number is an `errno`; the message says which file.
        case failedToStart(errno: Int32, message: String)
    }

    /// Why it was asked to end before its time.
    package enum Stop: String, Hashable, Sendable {
        case timeout
        case request
    }

    package struct Usage: Hashable, Sendable {
        /// Processor time of the program and of the children it waited for.
        package var user: Duration
        package var system: Duration
        /// The largest resident size of any one of them.
        package var maxResidentBytes: Int64

        package init(user: Duration, system: Duration, maxResidentBytes: Int64) {
            self.user = user
            self.system = system
            self.maxResidentBytes = maxResidentBytes
        }
    }

    package var end: End
    /// Set if the program was told to stop before it ended, whatever it then ended with.
    package var stop: Stop?
    /// Set if it ended because it used more than its limits allow.
    package var limit: ProcessLimits.Kind?
    package var startedAt: Timestamp
    /// When the first process ended.
    package var endedAt: Timestamp
    package var stdoutTruncated: Bool
    package var stderrTruncated: Bool
    /// What the logs lack at their ends: it was over their limit, or the disk did not take it.
    package var stdoutDroppedBytes: Int64 = 0
    package var stderrDroppedBytes: Int64 = 0
    /// How often a secret was masked in the logs.
    package var stdoutMasks: Int64 = 0
    package var stderrMasks: Int64 = 0
    /// How many processes it left behind, which were killed.
    package var leftBehind: Int
    /// How many of them could not be killed (they belong to another user, or hang in the kernel).
    package var stillRunning: Int
    /// Nil if it never ran.
    package var usage: Usage?

    package init(
        end: End, stop: Stop? = nil, startedAt: Timestamp, endedAt: Timestamp, stdoutTruncated: Bool = false,
        stderrTruncated: Bool = false, leftBehind: Int = 0, stillRunning: Int = 0, usage: Usage? = nil
    ) {
        self.end = end
        self.stop = stop
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.stdoutTruncated = stdoutTruncated
        self.stderrTruncated = stderrTruncated
        self.leftBehind = leftBehind
        self.stillRunning = stillRunning
        self.usage = usage
    }

    package var timedOut: Bool { stop == .timeout }
    /// The code, if the program ended by itself or by `exit`.
    package var exitCode: Int32? { if case .exited(let code) = end { code } else { nil } }
}

extension ProcessOutcome: CustomStringConvertible {
    /// `exit code 2`, `SIGKILL`, `timed out (SIGTERM)`.
    package var description: String {
        let how =
            switch end {
            case .exited(let code): "exit code \(code)"
            case .signalled(let signal, let coreDumped):
                SignalName.of(signal) + (coreDumped ? " (core dumped)" : "")
            case .failedToStart(_, let message): message
            }
        return switch stop {
        case .timeout: "timed out (\(how))"
        case .request: "stopped (\(how))"
        case nil: how
        }
    }
}

/// The names of signals on Linux.
package enum SignalName {
    private static let names = [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
        "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
        "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
        "SIGSYS",
    ]

    /// `SIGTERM` for 15, `signal 40` for one without a name.
    package static func of(_ signal: Int32) -> String {
        names.indices.contains(Int(signal) - 1) ? names[Int(signal) - 1] : "signal \(signal)"
    }
}
