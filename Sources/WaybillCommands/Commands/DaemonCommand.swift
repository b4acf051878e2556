import ArgumentParser
import Glibc
import Logging
import WaybillCore
import WaybillRuntime

struct DaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Work on the tree until stopped.",
        discussion: """
            Stays in the foreground and logs on the standard error, as service managers want it. SIGTERM, SIGINT and, \
            without `nohup`, SIGHUP end it gracefully: nothing new starts, requests under way and hooks get some seconds \
            to end, and steps that run go on. The next daemon, of this version or another, takes them over.
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
        let signals = try Interruption.heard([SIGTERM, SIGINT, SIGHUP])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reconciler.run() }
            group.addTask {
                for await _ in signals { return await reconciler.stop() }
            }
            // Whichever ends first: a reconciler that cannot begin throws, one that was stopped returns.
            try await group.next()
            group.cancelAll()
        }
        log.info("stopped")
    }
}
