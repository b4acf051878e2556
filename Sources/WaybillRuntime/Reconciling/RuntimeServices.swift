package import Logging
package import WaybillEngine
package import WaybillManifests
package import WaybillPorts

/// The machine as the reconciler needs it, composed by whoever starts one.
package struct RuntimeServices: Sendable {
    package var launcher: any ProcessLauncher
    package var performer: any HTTPPerformer
    package var secrets: any SecretReader
    package var watcher: any DirectoryWatcher
    package var timers: any TimerService
    /// For the hooks alone.
    package var hookTimers: any TimerService
    /// Gives a lane with this name.
    package var makeLane: @Sendable (String) -> Lane
    /// For the ids of runs: tells apart those of one workflow that start in the same second.
    package var random: @Sendable () -> UInt64

    package init(
        launcher: any ProcessLauncher, performer: any HTTPPerformer, secrets: any SecretReader,
        watcher: any DirectoryWatcher, timers: any TimerService, hookTimers: any TimerService,
        makeLane: @escaping @Sendable (String) -> Lane = { Lane(name: $0) },
        random: @escaping @Sendable () -> UInt64 = { .random(in: 0 ... .max) }
    ) {
        self.makeLane = makeLane
        self.random = random
        self.hookTimers = hookTimers
        self.launcher = launcher
        self.performer = performer
        self.secrets = secrets
        self.watcher = watcher
        self.timers = timers
    }
}

/// How a reconciler works.
package struct ReconcilerOptions: Sendable {
    /// Between two looks at what notifications may have missed.
    package var passInterval = Duration.seconds(30)
    /// How long requests and hooks may take to end by themselves before a graceful stop ends them.
    package var drainTime = Duration.seconds(10)
    /// Before a run whose ledger is held by another process, or that the disk refused, is tried again.
    package var retryInterval = Duration.milliseconds(500)
    package var lanes = Lanes.standardCount
    /// Run inboxes that are watched at most; half of what the kernel allows this user.
    package var watchLimit: Int?
    package var limits = EngineLimits()
    /// What was read of the tree's manifests before.
    package var manifests = ManifestCache()
    package var log: Logger
    /// Is told every report of a run, on the reconciler's lane; for progress displays.
    package var onReport: (@Sendable (String) -> Void)?

    package init(log: Logger = Logger(label: "waybill") { _ in SwiftLogNoOpLogHandler() }) { self.log = log }
}
