import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// What every driver shares.
struct DriverEnvironment: Sendable {
    let tree: Tree
    let definitions: DefinitionCache
    let launcher: any ProcessLauncher
    let performer: any HTTPPerformer
    let secrets: any SecretReader
    let steps: Slots
    let pools: Pools
    let hooks: HookService
    let limits: EngineLimits
    /// Whether the machine was started anew since the tree's runs were last looked at: what was not synced is uncertain.
    let isNewBoot: @Sendable () -> Bool
    /// Wakes a sub-run that another run waits for, which is to hear of its end.
    let wakeChild: @Sendable (_ child: RunID, Wake, _ parent: RunID) -> Void
    /// Wakes a run of the same concurrency group that is to end, so that another one has its place.
    let wakeNeighbour: @Sendable (RunID, Wake) -> Void
    /// Called when a file of the common inbox could not be taken, and may lie in its `.claimed/`.
    let commonClaimFailed: @Sendable () -> Void
    /// Called when a run's own events are in the journal.
    let eventsAccepted: @Sendable () -> Void
    /// Called when a driver could not do all that it was woken for, before it says why: somebody has to wake it again.
    let handBack: @Sendable (RunID, Wake) -> Void
    /// Called when a driver came to rest, on its lane, with the number of times that it had been woken by then: who woke
    /// it once more in the meantime will hear from it again.
    let report: @Sendable (RunID, DriverReport, _ wakes: UInt32) -> Void
}

/// Works on one run, on one lane, for as long as the run has work; between two pieces of work it holds nothing.
actor RunDriver {
    private let lease: LaneLease
    nonisolated private var lane: Lane { lease.lane }
    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    let run: RunID
    let environment: DriverEnvironment
    private(set) var session: RunSession?
    private var isFirstOpening: Bool
    /// Where this process closed the ledger last.
    private var left: LedgerHead?
    /// What the run was made as, just now, by this process.
    private var madeAs: MadeRun?
    /// Whether the disk kept files from being written that only a comparison of all of them finds.
    private var isUncertain = false
    /// Attempts that have a process or a request under way, or wait for a place.
    var attempts: [AttemptReference: any RunningProcess] = [:]
    var queued: [AttemptReference: Attempt] = [:]
    /// What finds the secrets of those that this process launched.
    var masks: [AttemptReference: SecretMasks] = [:]
    /// Their places in pools.
    var places: [AttemptReference: Pools.Place] = [:]
    /// Outcomes that the disk kept from being recorded.
    var outcomes: [AttemptReference: AttemptOutcome] = [:]
    /// Answers that cannot be taken yet to waits with a deadline, by key.
    var unripe: [String: UnripeAnswer] = [:]
    /// When the inboxes are to be looked at again.
    var lookAgainAt: Timestamp?
    /// Whether files are left that the newest scan did not come to.
    var isScanUnfinished = false
    /// Names that a notification brought, or that were quiet for long enough.
    var completeNames: Set<FilePath.Component> = []
    /// Of files that were found claimed, by the name of what they sign.
    var claimedSignatures: [FilePath.Component: ClaimedFile] = [:]
    /// Claims in the common inbox that the disk kept from being settled.
    var commonClaims: [FilePath.Component] = []
    private var uncountedRejections: Int
    /// How often it was woken.
    private var wakes: UInt32 = 0
    /// Answers that came before their waits, and the waits that were open when they were looked at.
    var heldNames = HeldNames()
    var heldCommonNames = HeldNames()
    var waitsWhenHeld: Set<String> = []
    /// How far the journal was looked through, by the wait's key.
    var examined: [String: Int] = [:]
    private var isStopping = false
    /// What runs may end; nothing is launched any more.
    private var isDraining = false

    /// - Parameters:
    ///   - madeAs: what this process made the run as just now, and has had in hand since; nil for any other run.
    ///   - glance: how the driver before this one left it.
    init(
        run: RunID, lane: LaneLease, environment: DriverEnvironment, isFirst: Bool, madeAs: MadeRun? = nil,
        glance: RunGlance?
    ) {
        self.run = run
        self.madeAs = madeAs
        for event in glance?.events ?? [] { examined[event.waitKey] = event.examined }
        uncountedRejections = glance?.uncountedRejections ?? 0
        left = glance?.ledger
        isFirstOpening = isFirst
        lease = lane
        self.environment = environment
    }

    var tree: Tree { environment.tree }

    /// Does something on the driver's lane, after everything that was posted before.
    nonisolated func post(_ body: @escaping @Sendable (isolated RunDriver) -> Void) {
        lane.submit { self.assumeIsolated(body) }
    }

    // MARK: - Waking

    /// Looks at everything that may have happened, and does what follows.
    func wake(_ wake: Wake) {
        wakes &+= 1
        guard !isStopping else { return }
        attend(givingBack: wake) { () throws(RuntimeError) in
            let isFirst = self.isFirstOpening
            let session = try self.open(restoring: wake.restoresProjections)
            let order = try isFirst ? self.orderToEnd(session) : nil
            try self.takeTurn(session, isFirst: isFirst)
            try self.hear(of: wake.children, session)
            var wake = wake
            if let order { wake.completeNames.append(order) }
            try self.readInboxes(session, wake)
            _ = try self.takeEvents(session)
            try self.tick(session)
        }
    }

    /// The file that tells this run to end for another one of its group, where nobody told it yet.
    private func orderToEnd(_ session: RunSession) throws(RuntimeError) -> FilePath.Component? {
        let state = session.state
        guard state.group != nil, state.ending == nil, !state.phase.isEnded else { return nil }
        return try RunGroups(tree: tree).makeRoom(by: run)
    }

    /// Lets the clock do its part, unless an answer that came in time is not ripe yet, or may lie behind junk.
    func tick(_ session: RunSession) throws(RuntimeError) {
        let isHeldBack = isScanUnfinished || !heldBack(session).isEmpty
        try perform(try session.handle(isHeldBack ? .resume : .tick), session)
    }

    /// Unripe answers to waits whose deadline has passed: they came before it, so it waits for them.
    func heldBack(_ session: RunSession) -> [UnripeAnswer] {
        let now = tree.clock.now()
        return unripe.values.filter { answer in
            guard answer.readyAt > now, let until = session.state.waits[answer.key]?.until else { return false }
            return until <= now && answer.changedAt <= until
        }
    }

    /// Lets a run of a concurrency group begin, once its turn has come. The run that has to make room for it is told when
    /// this one is opened first, by every process: the one before may have been stopped just before it did.
    private func takeTurn(_ session: RunSession, isFirst: Bool) throws(RuntimeError) {
        guard session.state.isQueued, session.state.ending == nil, !session.state.phase.isEnded else { return }
        let groups = RunGroups(tree: tree)
        if try groups.isAdmitted(session.state) { return try perform(try session.handle(.admitted), session) }
        guard isFirst, let oldest = try groups.makeRoom(for: run) else { return }
        environment.wakeNeighbour(oldest.run, Wake(completeNames: [oldest.file]))
    }

    /// Writes projections that are behind.
    func project() { session?.project() }

    private func report(_ report: DriverReport) { environment.report(run, report, wakes) }

    /// Runs a piece of work, and says how things stand after it.
    private func attend(givingBack wake: Wake? = nil, _ work: () throws(RuntimeError) -> Void) {
        do throws(RuntimeError) {
            try work()
            try comeToRest()
        } catch {
            handBack(wake)
            fail(error)
        }
    }

    /// Hands back what has to be done by whoever is woken next: another piece of work may end this driver before.
    private func handBack(_ wake: Wake?) {
        guard wake != nil || !commonClaims.isEmpty else { return }
        var left = wake ?? Wake()
        left.commonClaims += commonClaims.filter { !left.commonClaims.contains($0) }
        commonClaims = []
        environment.handBack(run, left)
    }

    private func fail(_ failure: RuntimeError) {
        var error = failure
        // A run that could be opened is sound: what is missing or wrong beside it may be better later.
        if session != nil, error.code == .quarantined || error.code == .unknownRun { error.code = .storage }
        isUncertain = isUncertain || session?.isCheckpointUnwritten ?? false
        close()
        // What was claimed and not recorded is looked for when the disk is better.
        isFirstOpening = true
        switch error.code {
        case .busy: report(.busy(error.message))
        case .quarantined, .unknownRun:
            Quarantine(tree: tree, run: run, definitions: environment.definitions).project(error.message)
            report(.quarantined(error.message))
        case .internal: report(.failing(error.message))
        default: report(.stalled(error.message))
        }
    }

    /// Takes answers that were early, once waits have opened since they were looked at.
    private func takeHeld(_ session: RunSession) throws(RuntimeError) {
        while !heldNames.names.isEmpty || !heldCommonNames.names.isEmpty, !session.state.phase.isEnded,
            waitsWhenHeld != Set(session.state.waits.keys)
        {
            try readInboxes(
                session, Wake(completeNames: heldNames.names, commonNames: heldCommonNames.names))
            try tick(session)
        }
    }

    private func comeToRest() throws(RuntimeError) {
        guard let session else { return }
        repeat { try takeHeld(session) } while try takeEvents(session)
        try session.completeCheckpoints()
        if session.state.phase.isEnded { return try finish(session) }
        guard attempts.isEmpty, queued.isEmpty else {
            let projectAt = session.projectionsDue(now: tree.clock.now())
            return report(.working(glance(session), projectAt: projectAt))
        }
        // Nobody would see what it waits for until something else happens.
        guard session.project() else {
            throw RuntimeError(.storage, "what \(run) shows of itself cannot be written")
        }
        if session.state.waits.values.contains(where: { $0.reply != nil }) { session.prepareForAnswers() }
        let glance = glance(session)
        close()
        report(.dormant(glance))
    }

    private func close() {
        guard let session else { return }
        uncountedRejections = session.engine.uncountedRejections
        session.close()
        self.session = nil
    }

    private func glance(_ session: RunSession) -> RunGlance {
        let state = session.state
        let heldBack = heldBack(session)
        return RunGlance(
            status: state.status, deadline: heldBack.isEmpty ? session.engine.nextTick : nil,
            lookAgainAt: lookAgainAt,
            openWaits: state.waits.count, isQueued: state.isQueued && !state.phase.isEnded,
            hasGroup: state.group != nil, parent: state.parentRun.flatMap(RunID.init),
            uncountedRejections: session.engine.uncountedRejections,
            heldCommonNames: heldCommonNames, events: interests(of: session),
            requests: attempts.values.count { $0 is RunningExchange },
            ledger: state.ledgerHead)
    }

    // MARK: - Opening

    private func open(restoring: Bool) throws(RuntimeError) -> RunSession {
        if let session {
            if restoring { try session.restoreProjections() }
            return session
        }
        let hooks = environment.hooks
        let run = self.run
        let made = madeAs
        madeAs = nil
        let session = try RunSession(
            run, tree: tree, definitions: environment.definitions, limits: environment.limits,
            uncountedRejections: uncountedRejections, verifiesWhole: isFirstOpening && made == nil, left: left,
            madeAs: made
        ) { hooks.note($0.entries, of: run, upTo: $1) }
        self.session = session
        // Other processes may have written since; a run whose end is in the journal has nothing left to tell.
        hooks.catchUp(run, upTo: session.state.ledgerHead) {
            (try? self.tree.journal.query(following: false) { $0.runs[run]?.ended != nil }) ?? false
        }
        // Whoever worked on it since may have been killed before its files were what they should be.
        let isFirst = isFirstOpening || left.map { $0 != session.state.ledgerHead } ?? false
        left = nil
        if isFirst {
            // Before the first of its steps has any effect, or looks for what the run shows.
            if made != nil {
                session.noteNew()
            } else {
                try RunStarter.recordStart(of: session.state, in: tree)
                try session.restoreProjections(isUncertain: isUncertain || environment.isNewBoot())
            }
            isFirstOpening = false
            isUncertain = false
            session.host.scrubLeftovers(of: session.state)
            try settleLeftovers(session)
        } else if restoring {
            try session.restoreProjections()
        }
        try recover(session)
        if isFirst { try recoverCalls(session) }
        return session
    }

    // MARK: - Effects

    func perform(_ effects: [Effect], _ session: RunSession) throws(RuntimeError) {
        // Each event that a run sends may lead to the next one: no depth of calls is deep enough for a loop.
        var effects = effects
        while !effects.isEmpty {
            var events: [Attempt] = []
            for effect in effects {
                switch effect {
                case .launch(let attempt) where attempt.isEvent: events.append(attempt)
                case .launch(let attempt): enqueue(attempt)
                case .terminate(let reference): try stop(reference, session) { $0.terminate(grace: nil) }
                case .kill(let reference): try stop(reference, session) { $0.kill() }
                case .startRun(let key): try attendCall(key, session)
                case .instructChildren: try instructChildren(session)
                case .writeCheckpoint, .settle: break
                }
            }
            effects = try send(events, session)
        }
    }

    private func stop(
        _ reference: AttemptReference, _ session: RunSession, _ end: (any RunningProcess) -> Void
    ) throws(RuntimeError) {
        if let process = attempts[reference] { return end(process) }
        guard queued.removeValue(forKey: reference) != nil else { return }
        try endUnlaunched(reference, session)
    }

    /// Records the end of an attempt that the run's end came before.
    func endUnlaunched(_ reference: AttemptReference, _ session: RunSession) throws(RuntimeError) {
        try perform(try session.handle(.attemptEnded(reference, notLaunched(.stopped))), session)
    }

    // MARK: - Attempts

    func enqueue(_ attempt: Attempt) {
        queued[attempt.reference] = attempt
        // A place is given on whatever thread gives one back; the driver goes on on its own lane.
        let (steps, reference) = (environment.steps, attempt.reference)
        guard let pool = attempt.intent["pool"]?.stringValue else {
            return steps.take { self.post { $0.launch(reference) } }
        }
        // The place in the pool comes first: who waits for one must not keep others from running.
        let capacity = session?.engine.definition.settings.pools[pool] ?? 1
        environment.pools.take(pool, capacity: capacity) { place in
            steps.take {
                self.post {
                    $0.places[reference] = place
                    $0.launch(reference)
                }
            }
        }
    }

    func giveBack(_ reference: AttemptReference) {
        environment.steps.give()
        if let place = places.removeValue(forKey: reference) { environment.pools.give(place) }
    }

    /// - Parameter secrets: those that the attempt needs, once they were looked up.
    func launch(_ reference: AttemptReference, _ secrets: Result<AttemptSecrets, SecretError>? = nil) {
        guard queued[reference] != nil, !isStopping, !isDraining else {
            // The next daemon finds that it was never launched.
            queued[reference] = nil
            giveBack(reference)
            return attend {}
        }
        attend { () throws(RuntimeError) in
            let failure: AttemptResult?
            let session: RunSession
            do throws(RuntimeError) {
                session = try self.open(restoring: false)
                // Opening recovers, and may have found that this attempt is over.
                guard let attempt = self.queued[reference] else { return self.giveBack(reference) }
                let names = SecretUse.names(in: attempt.intent)
                if secrets == nil, !names.isEmpty { return try self.lookUp(names, for: reference, session) }
                failure = try self.launch(attempt, secrets, session)
            } catch {
                self.giveBack(reference)
                self.queued[reference] = nil
                throw error
            }
            self.queued[reference] = nil
            guard let failure else { return }
            self.giveBack(reference)
            try self.perform(try session.handle(.attemptEnded(reference, failure)), session)
        }
    }

    /// - Returns: nil if it runs, else how it failed to.
    /// - Throws: what is the machine's fault, and may be better later.
    private func launch(
        _ attempt: Attempt, _ found: Result<AttemptSecrets, SecretError>?, _ session: RunSession
    ) throws(RuntimeError) -> AttemptResult? {
        let reference = attempt.reference
        // What begins will have an outcome, and on a full disk the room for those is for what runs already.
        do throws(FileSystemError) {
            try tree.reserve.fill()
        } catch {
            throw RuntimeError(.storage, "\(reference.step) is not started on a full disk: \(error.description)")
        }
        _ = try session.host.prepare(reference)
        let secrets: AttemptSecrets?
        switch found {
        case .failure(let error): return notLaunched(.withoutSecret(error.message))
        case .success(let values): secrets = values
        case nil: secrets = nil
        }
        if attempt.isRequest { return try send(attempt, secrets, session) }
        var request = try session.host.request(attempt)
        if let secrets {
            session.host.add(secrets, to: &request, of: attempt)
            masks[reference] = secrets.masks
        }
        do throws(LaunchError) {
            let process = try environment.launcher.launch(request) { outcome in
                // The launcher's thread must not block: the outcome is handed over to the driver's lane.
                self.post { $0.ended(attempt, outcome.map(AttemptOutcome.process)) }
            }
            attempts[reference] = process
            return nil
        } catch {
            if error.code == .noResources || error.code == .shutDown {
                throw RuntimeError(.storage, "\(reference.step) cannot be started now: \(error.message)")
            }
            masks[reference] = nil
            return notLaunched(.notStarted(error.message))
        }
    }

    func notLaunched(_ outcome: AttemptResult.Outcome) -> AttemptResult {
        let now = tree.clock.now()
        return AttemptResult(outcome: outcome, startedAt: now, endedAt: now)
    }

    /// - Parameter outcome: nil if nobody knows it, and nothing of the attempt lives.
    func ended(_ attempt: Attempt, _ outcome: AttemptOutcome?) {
        attempts[attempt.reference] = nil
        giveBack(attempt.reference)
        // The run goes on under the next daemon, which finds `exit.json` or `response.json`; a request that was stopped
        // with this one must not be taken for one that was cancelled.
        guard !isStopping else { return }
        if let outcome { outcomes[attempt.reference] = outcome }
        // Where the session was lost to the disk, recovery takes the outcome once the run is tried again.
        guard session != nil else { return }
        attend { () throws(RuntimeError) in
            guard let session = self.session else { return }
            if let outcome {
                let result = session.host.result(of: attempt, outcome, self.knowledge(of: attempt, session))
                let effects = try session.handle(.attemptEnded(attempt.reference, result))
                session.host.scrub(attempt.reference)
                try self.perform(effects, session)
            } else {
                try self.lose(attempt, session)
            }
            self.outcomes[attempt.reference] = nil
            self.masks[attempt.reference] = nil
        }
    }

    // MARK: - The end

    private func finish(_ session: RunSession) throws(RuntimeError) {
        // Nobody opens a run again whose end is in the journal, so its glance must be right before.
        guard session.project() else {
            throw RuntimeError(.storage, "run.json of \(run) cannot be written")
        }
        try refuseRest(session)
        try RunStarter.recordEnd(of: session.state, in: tree)
        environment.hooks.forget(run)
        let glance = glance(session)
        close()
        tree.ledgers.forget(run)
        report(.ended(glance))
    }

    /// Returns when everything that was posted before is done.
    func flush() {}

    /// Launches nothing more.
    func drain() { isDraining = true }

    /// Ends the requests under way; processes go on without this daemon. Nothing is decided any more.
    func stop() {
        isStopping = true
        for attempt in attempts.values where attempt is RunningExchange { attempt.terminate(grace: nil) }
        queued = [:]
        session?.project()
    }

    /// Gives the ledger back: no end of an attempt comes to this driver any more.
    func release() { close() }
}
