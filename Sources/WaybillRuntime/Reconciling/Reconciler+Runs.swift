import Logging
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

// Who works on which run, and what comes back.

extension Reconciler {
    /// Takes up a run, and wakes it.
    ///
    /// - Parameter made: what counts if its driver can begin at once.
    func register(_ run: RunID, _ wake: Wake, made: JustMade? = nil) {
        if records[run] == nil {
            records[run] = RunRecord()
            // Before the first look, so that nothing falls between look and watch. One that is over as it is made has nothing
            // to wait for: its end is where its inbox is looked at for the last time.
            if made?.isOver != true { watchInbox(of: run) }
        }
        self.wake(run, wake, made: made)
    }

    func wake(_ run: RunID, _ wake: Wake, made: JustMade? = nil) {
        var unused = made?.run
        // Whoever opens it later finds it free.
        defer { unused?.ledger.close() }
        guard var record = records[run], !record.isAside, !isStopping else { return }
        defer { records[run] = record }
        switch record.phase {
        case .busy, .queued:
            record.pending = Self.merged(record.pending, wake)
        case .working:
            record.phase = .busy
            if let driver = record.driver { post(wake, to: driver, &record) }
        case .dormant, .blocked, .quarantined:
            let wake = Self.merged(record.pending, wake)
            record.pending = nil
            if placesTaken < places {
                takePlace(&record)
                record.phase = .busy
                if record.isNew { unused = nil }
                begin(run, &record, wake, made)
            } else {
                record.pending = wake
                record.phase = .queued
                waitingForPlace.append(run)
            }
        }
    }

    private static func merged(_ first: Wake?, _ second: Wake) -> Wake {
        guard var merged = first else { return second }
        merged.merge(second)
        return merged
    }

    private func begin(_ run: RunID, _ record: inout RunRecord, _ wake: Wake, _ made: JustMade? = nil) {
        guard let environment else { return }
        if made?.isOver != true {
            record.inboxModified = modification(ofInboxOf: run)
            record.ledgerStatus = status(ofLedgerOf: run)
        }
        let driver =
            record.driver
            ?? RunDriver(
                run: run, lane: made?.lane ?? lanes.take(), environment: environment, isFirst: !record.wasOpened,
                madeAs: record.isNew ? made?.run : nil, glance: record.glance)
        record.driver = driver
        // Of one that was just made nothing has to be read that could end this process.
        if !record.wasOpened, made?.run == nil { openings.enter(run) }
        record.wasOpened = true
        let held = Wake(
            commonNames: record.glance?.heldCommonNames.names.filter { !wake.commonNames.contains($0) } ?? [])
        let unripe = Wake(unripeAnswers: unripeAnswers[run] ?? [])
        let whole = Self.merged(Self.merged(wake, held), unripe)
        post(whole, to: driver, &record)
    }

    private func post(_ wake: Wake, to driver: RunDriver, _ record: inout RunRecord) {
        record.wakes &+= 1
        driver.post { $0.wake(wake) }
    }

    /// Keeps what a driver was woken for and could not do, whatever it says of other work meanwhile.
    func keep(_ wake: Wake, for run: RunID) {
        var wake = wake
        wake.unripeAnswers = []
        guard var record = records[run] else {
            if wake.isAboutFiles, !isStopping { register(run, wake) }
            return
        }
        record.returned = Self.merged(record.returned, wake)
        records[run] = record
    }

    private func takeBack(_ record: inout RunRecord) {
        guard let returned = record.returned else { return }
        record.returned = nil
        record.pending = record.pending.map { Self.merged(returned, $0) } ?? returned
    }

    private func takePlace(_ record: inout RunRecord) {
        guard !record.hasPlace else { return }
        record.hasPlace = true
        placesTaken += 1
    }

    private func givePlaceBack(of record: inout RunRecord) {
        guard record.hasPlace else { return }
        record.hasPlace = false
        placesTaken -= 1
        while !isStopping, placesTaken < places, let run = waitingForPlace.popFirst() {
            guard var record = records[run], record.phase == .queued else { continue }
            takePlace(&record)
            record.phase = .busy
            let wake = record.pending ?? Wake()
            record.pending = nil
            begin(run, &record, wake)
            records[run] = record
        }
    }

    // MARK: - Reports

    /// - Parameter wakes: how often the driver had been woken. One that was woken since goes on, and reports again: to
    ///   take it for being at rest would give the run a second driver beside it.
    func take(_ driverReport: DriverReport, of run: RunID, after wakes: UInt32) {
        defer { noteRest() }
        noteOpened(run)
        noteAttended(run)
        reportsSinceTrim += 1
        guard var record = records[run] else { return }
        guard wakes == record.wakes else {
            takeBack(&record)
            records[run] = record
            return
        }
        let key = TimerKey.run(run)
        switch driverReport {
        case .working, .dormant, .ended, .quarantined:
            bootMark.settle(run)
            record.failures = 0
        case .busy, .stalled, .failing: break
        }
        switch driverReport {
        case .working(let glance, let projectAt):
            // Its place was given back when the disk refused something; a process that ended woke it before its time.
            takePlace(&record)
            record.phase = .working
            record.glance = glance
            subscribe(run, to: glance.events, &record)
            record.problem = nil
            let next = [projectAt, glance.deadline, glance.lookAgainAt].compactMap { $0 }.min()
            if let next { services.timers.schedule(key, at: next) } else { services.timers.cancel(key) }
            resume(run, &record)
        case .dormant(let glance):
            rest(&record, .dormant)
            record.glance = glance
            subscribe(run, to: glance.events, &record)
            record.problem = nil
            record.retryDelay = nil
            record.ledgerStatus = nil
            note(glance, of: run)
            let next = [glance.deadline, glance.lookAgainAt].compactMap { $0 }.min()
            if let next { services.timers.schedule(key, at: next) } else { services.timers.cancel(key) }
            resume(run, &record)
            // Those before it may have nobody who drives them.
            if glance.isQueued, onlyRun != nil { wakeGroup(of: run) }
        case .ended(let glance):
            givePlaceBack(of: &record)
            services.timers.cancel(key)
            unwatchInbox(of: &record)
            subscriptions.remove(run)
            let late = record.pending
            records[run] = nil
            note(glance, of: run)
            options.log.info("\(run) \(glance.status.rawValue)")
            tell(glance.parent, of: run)
            if glance.hasGroup { wakeGroup(of: run) }
            if let late, late.isAboutFiles, !isStopping { register(run, late) }
        case .busy(let message):
            block(run, &record, RuntimeError(.busy, message), retryAfter: options.retryInterval)
            // Whoever has it may end before it is asked for again.
            if presence != nil { openings.whenOthersEnd { [weak self] in self?.post { $0.wakeBlockedRuns() } } }
        case .stalled(let message):
            if record.problem != message { options.log.error("\(run): \(message)") }
            block(run, &record, RuntimeError(.storage, message), retryAfter: options.retryInterval * 4)
        case .failing(let message):
            record.failures += 1
            guard record.failures >= Self.mostFailures else {
                if record.problem != message { options.log.error("\(run): \(message)") }
                block(run, &record, RuntimeError(.internal, message), retryAfter: options.retryInterval)
                break
            }
            rest(&record, .quarantined)
            services.timers.cancel(key)
            unwatchInbox(of: &record)
            openings.setAside(run, because: message)
            setAside(run, message)
            tell(record.glance?.parent, of: run, isOver: false)
        case .quarantined(let message):
            rest(&record, .quarantined)
            let hasNews = record.pending != nil
            takeBack(&record)
            record.problem = message
            services.timers.cancel(key)
            report.problems[run] = RuntimeError(.quarantined, message)
            options.log.error("\(run) is quarantined: \(message)")
            records[run] = record
            tell(record.glance?.parent, of: run, isOver: false)
            // Something changed while it was looked at; perhaps the ledger was put back.
            if hasNews, !isOneShot { wake(run, Wake(restoresProjections: true)) }
        }
        options.onReport?(run.text)
    }

    /// For whoever settles: a daemon reports to nobody, and would keep the glances of all runs that there ever were.
    private func note(_ glance: RunGlance, of run: RunID) {
        report.problems[run] = nil
        if isOneShot { report.runs[run] = glance }
    }

    /// So many looks at runs leave free memory behind that is worth the milliseconds that it takes to give it back.
    private static let manyReports = 500

    /// Gives the kernel back what many looks at runs have left free.
    func trimMemory() {
        guard reportsSinceTrim >= Self.manyReports else { return }
        reportsSinceTrim = 0
        Heap.giveBack()
    }

    // MARK: - Runs that stop others

    /// Tries before a run is set aside that fails for a reason of its own.
    private static let mostFailures = 5

    /// Leaves a run alone until somebody wants it to be tried again.
    func setAside(_ run: RunID, _ reason: String) {
        var record = RunRecord()
        record.phase = .quarantined
        record.isAside = true
        record.problem = reason
        records[run] = record
        bootMark.settle(run)
        report.problems[run] = RuntimeError(.quarantined, "it is set aside: \(reason)")
        options.log.error("\(run) is set aside: \(reason)")
    }

    /// Lets the runs begin whose turn has come in the group of a run that ended.
    private func wakeGroup(of run: RunID) {
        guard !isStopping else { return }
        let admitted = try? tree.journal.query(following: true) { index in
            index.runs[run]?.group.map { index.admitted(in: $0) } ?? []
        }
        for next in admitted ?? [] {
            // Also where one run is driven alone: nobody else may be there to drive those that wait for its place.
            guard let record = records[next] else {
                register(next, Wake())
                continue
            }
            if record.glance?.isQueued ?? true { register(next, Wake()) }
        }
    }

    /// Wakes a run that was told to make room for another one.
    func attendNeighbour(_ run: RunID, _ wake: Wake) { register(run, wake) }

    /// Asks now and then for places in pools that other processes gave back.
    func attendPools() {
        services.timers.schedule(TimerKey.pools, at: tree.clock.now() + options.retryInterval)
    }

    /// Lets a run that called another one look at it: it ended, or nobody can end it.
    private func tell(_ parent: RunID?, of run: RunID, isOver: Bool = true) {
        var parents = awaiters[run] ?? []
        if isOver { awaiters[run] = nil }
        if let parent { parents.insert(parent) }
        guard !parents.isEmpty, !isStopping else { return }
        // One that is attended to here is told whatever the journal says, or cannot say now.
        let open = try? tree.journal.query(following: false) { index in
            parents.filter { index.runs[$0].map { $0.ended == nil } ?? false }
        }
        for parent in parents {
            if open?.contains(parent) ?? false || records[parent] != nil { register(parent, Wake(children: [run])) }
        }
    }

    /// Wakes a sub-run, and remembers who is to hear of its end.
    func attend(_ child: RunID, _ wake: Wake, for parent: RunID) {
        awaiters[child, default: []].insert(parent)
        register(child, wake)
    }

    private func rest(_ record: inout RunRecord, _ phase: RunRecord.Phase) {
        givePlaceBack(of: &record)
        record.phase = phase
        record.driver = nil
        record.wakes = 0
    }

    private func block(
        _ run: RunID, _ record: inout RunRecord, _ error: RuntimeError, retryAfter delay: Duration
    ) {
        // What could not be found out is found out by the next look.
        record.wasOpened = false
        takeBack(&record)
        givePlaceBack(of: &record)
        // A driver that lost its session still watches over its processes.
        record.phase = .blocked
        record.problem = error.message
        report.problems[run] = error
        // A command does not wait for others to let go of a run: it says who has it.
        if isOneShot {
            record.phase = .quarantined
        } else {
            // An owner that keeps a run for hours is asked less and less often.
            let wait = record.retryDelay.map { min($0 * 2, options.passInterval) } ?? delay
            record.retryDelay = wait
            services.timers.schedule(TimerKey.run(run), at: tree.clock.now() + wait)
        }
        records[run] = record
    }

    /// Tries those again that others had, or the disk refused.
    func wakeBlockedRuns() {
        guard !isStopping else { return }
        for (run, record) in records where record.phase == .blocked { wake(run, Wake()) }
    }

    /// Whether this reconciler ends once all is at rest.
    var isOneShot: Bool { presence == nil }

    /// Goes on with what came while the driver was busy.
    private func resume(_ run: RunID, _ record: inout RunRecord) {
        let pending = record.pending
        record.pending = nil
        records[run] = record
        if let pending { wake(run, pending) }
    }

    // MARK: - Time

    func take(_ event: TimerEvent) {
        defer { noteRest() }
        switch event {
        case .clockStepped: takeUpWhatWasPlanned()
        case .due(TimerKey.pass, _):
            pass()
            // Where runs wait long for a place, what ended does not wait for them.
            lookAtEndedRuns()
            services.timers.schedule(TimerKey.pass, at: tree.clock.now() + options.passInterval)
        case .due(TimerKey.sources, _): refreshSources(changed: changedSources.take())
        case .due(TimerKey.common, _):
            commonLookAgainAt = nil
            goOnWithCommonInbox()
        case .due(TimerKey.pools, _): if pools.retry() { attendPools() }
        case .due(TimerKey.door, _): readCommonInbox()
        case .due("drain", _): wakeRestWaiters()
        case .due(let key, _):
            guard let run = TimerKey.run(key), let record = records[run] else { return }
            if record.phase == .working { record.driver?.post { $0.project() } }
            let now = tree.clock.now()
            let passed = record.glance?.deadline.flatMap { $0 <= now ? $0 : nil }
            let isDue = passed != nil
            let isToLook = record.glance?.lookAgainAt.map { $0 <= now } ?? false
            // While processes run, the timer is also that of the projections, and comes before the run's own.
            guard record.phase != .working || isDue || isToLook else {
                let next = [record.glance?.deadline, record.glance?.lookAgainAt].compactMap { $0 }.min()
                if let next { services.timers.schedule(TimerKey.run(run), at: next) }
                return
            }
            records[run]?.glance?.lookAgainAt = nil
            // At a deadline the inboxes are read first: the common one here, the run's own by its driver.
            if let passed { readCommonInbox(forDeadline: passed, of: run) }
            wake(run, Wake())
        }
    }

    /// Does now what was planned for so long from some moment on: where the clock was set back since, it would be long in
    /// coming. Deadlines of runs are moments, and stay.
    private func takeUpWhatWasPlanned() {
        services.timers.schedule(TimerKey.pass, at: tree.clock.now() + options.passInterval)
        for (run, record) in records {
            if record.phase == .working { record.driver?.post { $0.project() } }
            if record.phase == .blocked || record.glance?.lookAgainAt != nil { wake(run, Wake()) }
        }
        if pools.retry() { attendPools() }
        commonLookAgainAt = nil
        goOnWithCommonInbox()
        pass()
    }

    /// Not every file system tells of everything, so now and then inboxes that are watched are looked at as well.
    private static let passesUntilAll = 10

    /// Looks for what notifications may have missed. Runs at rest whose inbox is watched cost nothing in most passes.
    private func pass() {
        guard onlyRun == nil else { return }
        sayRefusals()
        try? tree.reserve.fill()
        passes += 1
        let looksAtAll = passes.isMultiple(of: Self.passesUntilAll)
        for (run, record) in records
        where (record.watch == nil || looksAtAll) && (record.phase == .dormant || record.phase == .working) {
            let modified = modification(ofInboxOf: run)
            if modified != record.inboxModified { wake(run, Wake()) }
        }
        wakeWhomTheJournalSays()
        for (run, record) in records where record.isAside && openings.isReleased(run) {
            records[run]?.isAside = false
            wake(run, Wake(restoresProjections: true))
        }
        for (run, record) in records where record.phase == .quarantined && !record.isAside {
            if status(ofLedgerOf: run) != record.ledgerStatus { wake(run, Wake(restoresProjections: true)) }
        }
        readCommonInbox()
        noticeEvents(following: true)
        if sourceWatch?.problem != nil { sourceWatch?.refresh() }
        refreshSources()
        takeUpNewRuns(all: true)
        takeUpUnknownRuns()
        trimMemory()
    }

    /// Wakes runs that another process ended, or whose turn in their group has come: nobody here has heard of that.
    private func wakeWhomTheJournalSays() {
        // Asked where it is: with a copy in hand, the next entry would make the journal copy all that it knows.
        let found = try? tree.journal.query(following: true) { index in
            records.filter { run, record in
                guard record.phase == .dormant else { return false }
                let known = index.runs[run]
                let isItsTurn = record.glance?.isQueued == true && index.isAdmitted(run, limit: known?.limit ?? 1)
                return known?.ended != nil || isItsTurn
            }.map(\.key)
        }
        for run in found ?? [] { wake(run, Wake()) }
    }

    private func status(ofLedgerOf run: RunID) -> FileStatus? {
        (try? tree.runsDirectory.status(FilePath(run.text).pushing(RunFolder.ledger))).flatMap { $0 }
    }

    private func modification(ofInboxOf run: RunID) -> Timestamp? {
        let path = FilePath(run.text).pushing(RunFolder.inbox)
        return (try? tree.runsDirectory.status(path))?.modified
    }
}
