import ArgumentParser
import Logging
import ServiceLifecycle
import UnixSignals
import WaybillCore
import WaybillRuntime

struct DaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Work on the tree until stopped.",
        discussion: """
            Stays in the foreground and logs on the standard error, as service managers want it. SIGTERM and SIGINT end it \
            gracefully: nothing new starts, requests under way and hooks get some seconds to end, and steps that run go \
            on. The next daemon, of this version or another, takes them over.
            """)

    @OptionGroup var options: GlobalOptions
    @Flag(name: .shortAndLong, help: "Log more.")
    var verbose = false

    func run() async throws {
        let tree = try options.tree()
        let isJSON = options.isJSON
        var log = Logger(label: "waybill") { _ in StandardErrorLog(isJSON: isJSON) }
        log.logLevel = verbose ? .debug : .info
        if tree.hasDaemon {
            log.warning("another daemon works on this tree already; they share its runs")
        }
        let reconciler = Reconciler(
            tree: tree, services: try Driving.services(for: tree), options: ReconcilerOptions(log: log))
        // The group's own steps are of interest only when something is wrong with it.
        var groupLog = log
        groupLog.logLevel = verbose ? .debug : .warning
        let group = ServiceGroup(
            services: [ReconcilerService(reconciler: reconciler)],
            gracefulShutdownSignals: [.sigterm, .sigint, .sighup], logger: groupLog)
        try await group.run()
        log.info("stopped")
    }
}

/// The reconciler as a service: a graceful shutdown stops it, and it then returns.
struct ReconcilerService: Service {
    let reconciler: Reconciler

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reconciler.run() }
            group.addTask {
                try await gracefulShutdown()
                await reconciler.stop()
            }
            // Whichever ends first: a reconciler that cannot begin throws, one that was stopped returns.
            try await group.next()
            try await group.next()
        }
    }
}
