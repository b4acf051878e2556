import Glibc
import Logging
import SystemPackage
import WaybillCore
import WaybillHTTP
import WaybillManifests
import WaybillPorts
import WaybillProcesses
import WaybillRuntime
import WaybillStore
import WaybillWatching

/// Composes the machine's adapters, and lets a reconciler work until all is at rest.
struct Driving: Sendable {
    let tree: Tree
    var log: Logger?
    /// What the command has read of the tree's manifests.
    var manifests = ManifestCache()

    /// - Throws: ``CommandError`` where the system has no descriptors or threads left.
    static func services(for tree: Tree) throws -> RuntimeServices {
        do {
            return RuntimeServices(
                launcher: try SupervisedLauncher(caches: tree.layout.caches), performer: performer(),
                secrets: LocalSecretReader(root: tree.layout.root),
                watcher: try InotifyWatcher(), timers: try TimerQueue(), hookTimers: try TimerQueue())
        } catch let error as WatchError {
            throw CommandError(
                "no-resources", error.message, hint: "`waybill doctor` shows the limits of this machine",
                status: .tryAgain)
        } catch let error as LaunchError {
            throw CommandError("no-resources", error.message, status: .tryAgain)
        } catch let error as Errno {
            throw CommandError("no-resources", "the system gives no timer: \(error)", status: .tryAgain)
        }
    }

    /// As other programs do, it lets `SSL_CERT_FILE` name the certificates to trust.
    private static func performer() -> HTTPClientPerformer {
        let file = getenv("SSL_CERT_FILE").map { String(cString: $0) } ?? ""
        return HTTPClientPerformer(
            userAgent: "waybill/\(Version.current)", trustRoots: file.isEmpty ? nil : file)
    }

    var options: ReconcilerOptions {
        var options = log.map { ReconcilerOptions(log: $0) } ?? ReconcilerOptions()
        options.manifests = manifests
        return options
    }

    /// Does everything that is due, waits for the steps it starts, and gives everything back.
    ///
    /// It goes on until it is done or cancelled, as ``Interruption/ending(_:)`` does after a signal: the runs can be
    /// taken up again then, and with them the steps that still run.
    func settle(_ scope: SettleScope, complete: [FilePath.Component] = []) async throws -> SettleReport {
        let reconciler = Reconciler(tree: tree, services: try Self.services(for: tree), options: options)
        return try await withThrowingTaskGroup(of: SettleReport?.self) { group in
            group.addTask { try await reconciler.settle(scope, complete: complete) }
            group.addTask {
                // Ends by cancellation alone, from outside or once all is settled.
                while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
                // Also wakes the one that still settles.
                await reconciler.stop()
                return nil
            }
            var report: SettleReport?
            while let next = try await group.next() {
                report = next ?? report
                group.cancelAll()
            }
            try Task.checkCancellation()
            guard let report else { throw CancellationError() }
            return report
        }
    }
}

/// Waiting for what somebody else does.
enum Patience {
    /// Between two looks; a look costs a system call or two.
    private static let interval = Duration.milliseconds(20)
    /// For a daemon to take a file in. It answers in milliseconds unless the machine or the daemon is stuck.
    static let forDaemon = Duration.seconds(5)

    /// Looks again and again until there is something, or the limit is over: nil then. No limit: for ever.
    static func poll<Result: Sendable>(
        limit: Duration?, every interval: Duration = Patience.interval,
        _ look: () async throws -> Result?
    ) async throws -> Result? {
        let start = ContinuousClock.now
        while true {
            if let result = try await look() { return result }
            if let limit, ContinuousClock.now - start >= limit { return nil }
            try await Task.sleep(for: interval)
        }
    }
}
