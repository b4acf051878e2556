import Logging
package import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Brings a tree's runs to where its files say they should be: the daemon's heart, and that of every command that
/// drives a run itself.
///
/// It holds a record for each run that has not ended. Notifications, timers and passes wake runs; a woken run gets a
/// driver on a lane, which looks at everything and reports how it came to rest. Nothing that a notification says is
/// believed: it only says where to look.
package actor Reconciler {
    enum TimerKey {
        static let pass = "pass"
        static let sources = "sources"
        static let common = "common"
        static let door = "door"
        static let pools = "pools"
        static func run(_ run: RunID) -> String { "run/\(run.text)" }
        static func run(_ key: String) -> RunID? {
            key.hasPrefix("run/") ? RunID(String(key.dropFirst(4))) : nil
        }
    }

    nonisolated let lane: Lane
    nonisolated package var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    let tree: Tree
    let services: RuntimeServices
    let options: ReconcilerOptions
    let hooks: HookService
    let lanes: Lanes
    let definitions: DefinitionCache
    var sources: SourceTree?
    var environment: DriverEnvironment?

    let bootMark: BootMark
    let openings: OpeningMarks
    /// Runs that others had in hand when they ended, until they are opened, one after the other.
    var suspects: [RunID] = []
    var suspectInHand: RunID?
    var records: [RunID: RunRecord] = [:]
    /// Runs that were under way when this process began and have not been looked at.
    var unattended: Set<RunID> = []
    /// Runs that had ended by then, until somebody has looked whether anything is left to do for them.
    var endedRuns: [RunID] = []
    var isLookingAtEndedRuns = false
    /// Runs that wait for the end of others, by those.
    var awaiters: [RunID: Set<RunID>] = [:]
    /// Runs that wait for a place, in order: a slice, whose first is taken out without moving the others.
    var waitingForPlace: ArraySlice<RunID> = []
    var placesTaken = 0
    var watchedRuns = WatchedInboxes()
    var watchBudget = 0
    /// Passes so far.
    var passes = 0
    /// Reports of drivers since free memory was given back.
    var reportsSinceTrim = 0
    /// The journal's last entry when it was last asked for new runs.
    var startsSeen = 0
    /// The modification time of `runs/` when the journal last knew all that is in it; nil: not known.
    var runsModified: Timestamp?
    var runsWatch: WatchID?
    var commonWatch: WatchID?
    var sourceWatch: TreeWatcher?
    var changedSources = ChangedSources()
    var isWatching = false
    var isStopping = false
    /// Only this run is looked at; nil: all of them.
    var onlyRun: RunID?
    var report = SettleReport()
    var commonLookAgainAt: Timestamp?
    /// When the last reading of the whole common inbox began that came to its end.
    var commonScanBegan: Timestamp?
    /// A look at the whole common inbox that is under way, and what it found to be looked at later.
    var commonScan: InboxScan?
    var scanBegan: Timestamp?
    var scanLookAgainAt: Timestamp?
    /// Whether the whole inbox is to be looked at again after that.
    var isCommonScanStale = false
    /// Refusals beyond what is kept that the journal does not count yet.
    var uncountedRefusals: [EntryType: Int] = [:]
    var refusalsSaidAt: Timestamp?
    var commonReceipts: InboxReceipts?
    /// Held by the one process that takes files from the common inbox.
    var doorLock: TreeLock?
    /// Whether somebody says when the door is free.
    var isAwaitingDoor = false
    /// Start requests that the disk kept from being settled, by their names in `.claimed/`.
    var unsettledClaims: [FilePath.Component] = []
    /// Whether something may lie in `.claimed/` that is in no list: the disk failed while it was taken.
    var hasUnknownClaims = false
    /// Claims that are being judged again.
    var review = ClaimReview()
    /// Names in the common inbox that wait until runs that came before them are made.
    var commonNames: ArraySlice<FilePath.Component> = []
    var starts = StartsUnderWay()
    /// The lane on which all those runs are made that stand in line with others.
    lazy var lineLane = lanes.take()
    /// Events that were claimed in the common inbox, until they are accepted together.
    var claimedEvents: [ClaimedEvent] = []
    var claimedEventBytes = 0
    /// Which runs at rest wait for which events, and up to where the journal was looked through for them.
    var subscriptions = EventSubscriptions()
    var noticedEvents = 0
    /// Answers in the common inbox that may still be being written, for runs whose deadline is near.
    var unripeAnswers: [RunID: [UnripeAnswer]] = [:]
    private var restWaiters: [CheckedContinuation<Void, Never>] = []
    var presence: TreeLock?

    package init(tree: Tree, services: RuntimeServices, options: ReconcilerOptions) {
        self.tree = tree
        self.services = services
        self.options = options
        definitions = DefinitionCache(manifests: options.manifests)
        bootMark = BootMark(tree)
        openings = OpeningMarks(in: tree.caches)
        lane = services.makeLane("waybill-tree")
        lanes = Lanes(count: options.lanes, services.makeLane)
        let log = options.log
        hooks = HookService(tree: tree, launcher: services.launcher, timer: services.hookTimers) { failure in
            log.warning("\(failure)")
        }
    }

    /// Does something on the reconciler's lane, after everything that was posted before.
    nonisolated package func post(_ body: @escaping @Sendable (isolated Reconciler) -> Void) {
        lane.submit { self.assumeIsolated(body) }
    }

    // MARK: - Running

    /// The daemon: takes up every run, and works until `stop` is called.
    ///
    /// - Throws: `storage` if the tree cannot be read at all. What is wrong with one run stays with that run.
    package func run() async throws(RuntimeError) {
        try start()
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            if isStopping { continuation.resume() } else { stopWaiters.append(continuation) }
        }
    }

    /// Takes up every run, and returns; what follows from that happens on the lanes.
    ///
    /// - Throws: as `run`.
    package func start() throws(RuntimeError) {
        do throws(FileSystemError) {
            presence = try TreeLock(attending: tree.caches)
        } catch {
            throw RuntimeError(StoreError(error))
        }
        try begin(complete: [])
        services.timers.schedule(TimerKey.pass, at: tree.clock.now() + options.passInterval)
        options.log.info("attending \(tree.layout.root), \(records.count) runs under way")
        sayReady()
    }

    private var stopWaiters: [CheckedContinuation<Void, Never>] = []

    /// Does everything that is due, waits for the steps it starts, and returns when all is at rest.
    ///
    /// - Parameter complete: files in the run's inbox that are known to be whole; others have to be quiet for a second.
    package func settle(
        _ scope: SettleScope, complete: [FilePath.Component] = []
    ) async throws(RuntimeError) -> SettleReport {
        report = SettleReport()
        if case .run(let run) = scope { onlyRun = run }
        try begin(complete: complete)
        await untilRest()
        openings.end()
        return report
    }

    /// Ends gracefully: nothing new starts, and requests under way get some time to end by themselves, then they are
    /// ended. Processes go on: whoever takes their runs up next takes them over.
    package func stop() async {
        guard !isStopping else { return }
        isStopping = true
        for record in records.values {
            record.driver?.post { $0.drain() }
        }
        if !isAtRest {
            options.log.info("waiting up to \(options.drainTime.text) for what is under way")
            services.timers.schedule("drain", at: tree.clock.now() + options.drainTime)
            await untilRest()
        }
        for record in records.values { record.driver?.post { $0.stop() } }
        await drainDrivers()
        for lane in starts.lanes { await lane.flush() }
        // Hooks are called through the launcher, and end with it.
        await hooks.drain(within: options.drainTime)
        services.launcher.shutDown()
        services.performer.shutDown()
        // Whoever gets a ledger now hears of its processes' ends, and nobody here does.
        for record in records.values { record.driver?.post { $0.release() } }
        await drainDrivers()
        services.watcher.stop()
        services.timers.stop()
        openings.end()
        presence?.release()
        doorLock?.release()
        lanes.stop()
        // Who settles has nothing to wait for any more: what still runs goes on without this process.
        wakeRestWaiters()
        for waiter in stopWaiters { waiter.resume() }
        stopWaiters = []
    }

    /// Waits until every driver has carried out what was posted to it.
    private func drainDrivers() async {
        for driver in records.values.compactMap(\.driver) { await driver.flush() }
    }

    private func begin(complete: [FilePath.Component]) throws(RuntimeError) {
        let sources = try SourceTree(root: tree.root, manifests: options.manifests)
        self.sources = sources
        let settings = sources.catalog.settings
        try tree.signing.use(settings)
        // Where there is no room for it nothing is started, and why is said then.
        try? tree.reserve.fill()
        places = settings.concurrentRuns
        definitions.running = sources.catalog.policies
        definitions.secrets = settings.secrets
        pools.set(settings.pools)
        environment = DriverEnvironment(
            tree: tree, definitions: definitions, launcher: services.launcher, performer: services.performer,
            secrets: services.secrets, steps: Slots(settings.concurrentSteps), pools: pools, hooks: hooks,
            limits: options.limits, isNewBoot: { [bootMark] in bootMark.isUncertain },
            wakeChild: { [weak self] child, wake, parent in self?.post { $0.attend(child, wake, for: parent) } },
            wakeNeighbour: { [weak self] run, wake in self?.post { $0.attendNeighbour(run, wake) } },
            commonClaimFailed: { [weak self] in self?.post { $0.lookThroughClaims() } },
            eventsAccepted: { [weak self] in self?.post { $0.noticeEvents(following: false) } },
            handBack: { [weak self] run, wake in self?.post { $0.keep(wake, for: run) } },
            report: { [weak self] run, report, wakes in
                self?.post { $0.take(report, of: run, after: wakes) }
            })
        for diagnostic in sources.catalog.diagnostics where diagnostic.level == .error {
            options.log.warning("\(diagnostic.text)")
        }
        openAccess()
        startServices()
        noticedEvents = (try? tree.events.lastSeq(following: true)) ?? 0
        if let onlyRun {
            openings.beginAlone()
            register(onlyRun, Wake(completeNames: complete))
            return
        }
        startWatching()
        do throws(StoreError) {
            try tree.runs.sweep()
        } catch {
            // What is left over in the building yard is in nobody's way.
            options.log.warning("runs/.building cannot be swept: \(error.message)")
        }
        // Answers first: at a deadline that passed meanwhile, what was dropped before it counts.
        openings.begin()
        readCommonInbox()
        try takeUpRuns()
        hooks.recover()
    }

    /// Made when it is first asked for, as it calls back.
    lazy var pools = Pools(in: tree.caches) { [weak self] in self?.post { $0.attendPools() } }

    var places = 1_000

    private func startServices() {
        services.watcher.start { [weak self] events in self?.post { $0.take(events) } }
        services.timers.start { [weak self] event in self?.post { $0.take(event) } }
        watchBudget = options.watchLimit ?? KernelLimits.watches / 2
    }

    // MARK: - Rest

    var isAtRest: Bool {
        let now = tree.clock.now()
        return
            starts.isEmpty
            && (placesTaken == 0 && waitingForPlace.isEmpty && suspects.isEmpty && endedRuns.isEmpty || isStopping)
            && (commonLookAgainAt == nil && commonNames.isEmpty && review.isOver || isStopping)
            && records.values.allSatisfy { record in
                switch record.phase {
                case .dormant: isStopping || isQuiet(record, at: now)
                case .quarantined: true
                case .blocked, .queued: isStopping
                case .busy: false
                // A process goes on without this one.
                case .working: isStopping && record.glance?.requests == 0
                }
            }
    }

    /// Whether nothing of a run at rest is due.
    private func isQuiet(_ record: RunRecord, at now: Timestamp) -> Bool {
        guard record.pending == nil, let glance = record.glance else { return record.pending == nil }
        return glance.lookAgainAt == nil && (glance.deadline.map { $0 > now } ?? true)
    }

    func untilRest() async {
        // Looked at in there: a task that prefers an executor of its own lets others have the lane before it gets there.
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            if isAtRest { continuation.resume() } else { restWaiters.append(continuation) }
        }
    }

    /// To be called after every change that may have brought the tree to rest.
    func noteRest() {
        guard !restWaiters.isEmpty, isAtRest else { return }
        wakeRestWaiters()
    }

    func wakeRestWaiters() {
        let waiters = restWaiters
        restWaiters = []
        for waiter in waiters { waiter.resume() }
    }
}
