import Glibc
import SystemPackage
import WaybillWatching

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
        let signals = try heard([SIGTERM, SIGINT])
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

    /// Signals as they come; they end nothing by themselves any more.
    ///
    /// - Throws: ``CommandError`` where the system has no descriptors or threads left.
    static func heard(_ numbers: [Int32]) throws -> AsyncStream<Int32> {
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
        do throws(Errno) {
            try SignalListener.listen(for: numbers) { continuation.yield($0) }
        } catch {
            throw CommandError("no-resources", "cannot listen to signals: \(error)", status: .tryAgain)
        }
        return signals
    }

    private static var interrupted: CommandError {
        CommandError(
            "interrupted", "stopped by a signal; nothing is lost, and steps that run go on",
            hint: "`waybill reconcile` or a daemon goes on where it stopped; `waybill cancel` ends a run",
            status: .tryAgain)
    }
}
