/// Sends requests and says what came of them. What one exchange means is described here once, whoever performs it.
///
/// - **Once.** A request is sent at most once, whatever its method: a repetition is a new attempt, and that is the
///   workflow's to decide and the ledger's to record.
/// - **As it is.** Redirects are not followed: a 3xx is a status like any other. No cookies are kept, no credentials
///   added, no proxy taken from the environment.
/// - **Whole or not at all.** A response is handed over once its last byte has come. What is over a limit or cut off
///   is a failure, and never a shorter body.
/// - **Bounded.** `timeout` covers everything from the call to the last byte, and the limit of a body holds for what
///   decompression makes of it too.
package protocol HTTPPerformer: Sendable {
    /// Sends a request.
    ///
    /// `ended` is called exactly once, possibly before this returns, on any thread; it must not block, and hands
    /// over instead. Everything that goes wrong is an outcome.
    func perform(_ request: HTTPRequestSpec, ended: @escaping @Sendable (HTTPOutcome) -> Void) -> any HTTPCall

    /// Cancels what is under way, waits for the last outcome to be delivered, and gives all resources back. Requests
    /// that come later are `cancelled`. Must not be called from `ended`.
    func shutDown()
}

/// An exchange under way.
package protocol HTTPCall: Sendable {
    /// Gives the exchange up: its outcome is `cancelled` unless it ended before. Returns at once.
    func cancel()
}
