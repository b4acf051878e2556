/// What hooks may take of time and space.
package struct HookLimits: Sendable {
    /// From a hook's start to TERM.
    package var timeout = Duration.seconds(30)
    /// From TERM to KILL.
    package var grace = Duration.seconds(5)
    /// How often an event is tried with one hook. A hook that was given up on several times in a row gets one attempt
    /// for each event until it succeeds again.
    package var attempts = 3
    /// Before the second attempt; five times as much before each further one.
    package var retryDelay = Duration.seconds(1)
    /// How many hooks are called at once. One hook is called by one event at a time.
    package var concurrency = 4
    /// Events in memory; what is more waits in the spool.
    package var queued = 4_096
    /// Events in the spool; what is more waits in the ledgers.
    package var spooled = 100_000
    /// Of each of the two logs of a call, in bytes.
    package var logBytes = 64 << 10
    /// Failures that are remembered.
    package var failures = 100
    /// Entries that may pass without an event before the place in the ledger is written down.
    package var cursorLag = 256

    package init() {}

    /// The wait before the attempt with this number, from 2.
    func delay(before attempt: Int) -> Duration {
        var delay = retryDelay
        for _ in 2..<max(2, min(attempt, 8)) { delay *= 5 }
        return delay
    }
}
