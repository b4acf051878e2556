import UnixSignals

/// SIGTERM and SIGINT while a command is at work: they end it in an orderly way.
enum Interruption {
    /// Does `body`, and cancels it when a signal comes. It comes to rest before this returns.
    ///
    /// One is to be around all that a command does: once a signal was listened to it ends no process by itself any more.
    ///
    /// - Throws: ``CommandError`` with `tryAgain` after a signal; else what `body` throws.
    static func ending<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals { throw interrupted }
                return nil
            }
            while let next = try await group.next() {
                guard let result = next else { continue }
                group.cancelAll()
                return result
            }
            throw interrupted
        }
    }

    private static var interrupted: CommandError {
        CommandError(
            "interrupted", "stopped by a signal; nothing is lost, and steps that run go on",
            hint: "`waybill reconcile` or a daemon goes on where it stopped; `waybill cancel` ends a run",
            status: .tryAgain)
    }
}
