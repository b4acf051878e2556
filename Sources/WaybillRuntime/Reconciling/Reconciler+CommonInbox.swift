import Logging
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

// The common door, `runs/inbox/`: start requests, events, and answers addressed to a run.

extension Reconciler {
    private static let slice = 256
    /// So many files that a scan found are taken before everything else has its turn again.
    private static let filesPerTurn = 512

    private func commonDoor() -> InboxDoor? {
        let keeper = (try? tree.runsDirectory.status("inbox"))?.userID
        return (try? tree.runsDirectory.openDirectory("inbox")).map { tree.door(to: $0, keeper: keeper) }
    }

    /// Takes files that are known to be complete, without looking at the others: a burst of notifications must not look
    /// at a full inbox again and again.
    func takeFromCommonInbox(_ names: [FilePath.Component]) {
        guard onlyRun == nil, let door = commonDoor(), keepsDoor(door) else { return }
        judgeAgain(door)
        for name in names { route(name, door) }
        acceptEvents(door)
        noteRest()
    }

    /// Looks at the whole inbox once what appeared there has been quiet for long enough: a link, or a file that is still
    /// being written.
    func lookAtCommonInboxLater() {
        guard let door = commonDoor() else { return }
        if commonScan != nil { isCommonScanStale = true }
        let time = tree.clock.now() + door.limits.quietTime
        guard commonLookAgainAt.map({ time < $0 }) ?? true else { return }
        commonLookAgainAt = time
        services.timers.schedule(TimerKey.common, at: time)
    }

    /// Looks at the whole inbox, some of it now and the rest in turns that follow: where it is full of junk, whatever is
    /// moved in meanwhile comes between them.
    func readCommonInbox() {
        guard onlyRun == nil, let door = commonDoor(), keepsDoor(door) else { return }
        judgeAgain(door)
        acceptEvents(door)
        if commonScan == nil {
            unripeAnswers = [:]
            commonScan = try? door.scan()
            scanBegan = tree.clock.now()
            scanLookAgainAt = nil
        } else {
            // What came to names that were passed already is found by another one.
            isCommonScanStale = true
        }
        goOnReading(door)
    }

    /// Goes on with a look at the whole inbox, or begins one.
    func goOnWithCommonInbox() {
        guard commonScan != nil else { return readCommonInbox() }
        guard let door = commonDoor() else { return }
        goOnReading(door)
    }

    private func goOnReading(_ door: InboxDoor) {
        var taken = 0
        while let scan = commonScan, taken < Self.filesPerTurn {
            guard let candidates = try? scan.next(limit: Self.slice, now: tree.clock.now()) else {
                commonScan = nil
                commonScanBegan = scanBegan
                break
            }
            for candidate in candidates {
                if candidate.readyAt > tree.clock.now() {
                    scanLookAgainAt = min(scanLookAgainAt ?? candidate.readyAt, candidate.readyAt)
                    noteUnripe(candidate, door)
                } else {
                    taken += 1
                    route(candidate.name, door)
                }
            }
            acceptEvents(door)
        }
        let now = tree.clock.now()
        if commonScan == nil, isCommonScanStale {
            isCommonScanStale = false
            scanLookAgainAt = now
        }
        commonLookAgainAt = commonScan == nil ? scanLookAgainAt : now
        if let commonLookAgainAt { services.timers.schedule(TimerKey.common, at: commonLookAgainAt) }
        if commonScan == nil { sayRefusals() }
        noteRest()
    }

    /// Reads the common inbox unless that was done since a deadline passed: of many runs with one deadline, the first reads
    /// it for all. After the clock was set back, a reading of the future counts for nothing.
    ///
    /// - Parameter run: whose answers are looked for, however much lies beside them.
    func readCommonInbox(forDeadline deadline: Timestamp, of run: RunID) {
        if let commonScanBegan, commonScanBegan >= deadline, commonScanBegan <= tree.clock.now() { return }
        readCommonInbox()
        guard commonScan != nil, let door = commonDoor(), let scan = try? door.scan() else { return }
        let prefix = run.text + "."
        let isAddressed = { (name: FilePath.Component) in name.string.hasPrefix(prefix) }
        while let candidates = try? scan.next(limit: 1_024, now: tree.clock.now(), where: isAddressed) {
            for candidate in candidates {
                if candidate.readyAt > tree.clock.now() {
                    noteUnripe(candidate, door)
                } else {
                    route(candidate.name, door)
                }
            }
        }
    }

    /// Whether this process is the one that takes files from the common inbox. What another one had claimed when it went
    /// is judged before anything else.
    private func keepsDoor(_ door: InboxDoor) -> Bool {
        if doorLock != nil { return true }
        do throws(FileSystemError) {
            doorLock = try TreeLock(keepingDoorOf: tree.caches)
        } catch {
            awaitDoor(error)
            return false
        }
        recoverCommonInbox(door)
        return true
    }

    /// A daemon takes over when the other one is gone; a command leaves the door to it.
    private func awaitDoor(_ reason: FileSystemError) {
        guard presence != nil, !isAwaitingDoor else { return }
        // Who was kept from asking hears of nobody's end.
        guard reason.code == .locked else { return scheduleDoor() }
        let isHeard = try? TreeLock.whenDoorIsFree(of: tree.caches) { [weak self] in self?.post { $0.takeDoor() } }
        isAwaitingDoor = isHeard ?? false
        if !isAwaitingDoor { scheduleDoor() }
    }

    /// Whoever kept the door is gone, and with it, mostly, whoever had the runs that others could not have.
    private func takeDoor() {
        isAwaitingDoor = false
        guard !isStopping else { return }
        readCommonInbox()
        wakeBlockedRuns()
    }

    private func noteUnripe(_ candidate: InboxCandidate, _ door: InboxDoor) {
        guard let addressed = AnswerName.addressed(ClaimedFile.escaped(candidate.name)),
            let run = RunID(addressed.run)
        else { return }
        unripeAnswers[run, default: []].append(
            UnripeAnswer(key: addressed.name.key, readyAt: candidate.readyAt, quietTime: door.limits.quietTime))
    }

    /// A dot in the stem makes an answer; anything else is looked into.
    private func route(_ name: FilePath.Component, _ door: InboxDoor) {
        // A signature goes where the answer goes that it signs.
        let subject =
            name.signedName.flatMap { AnswerName.addressed(ClaimedFile.escaped($0)) == nil ? nil : $0 } ?? name
        guard let addressed = AnswerName.addressed(ClaimedFile.escaped(subject)) else {
            return takeRequest(name, door)
        }
        // Where the disk does not say, the next look does.
        guard let isKnown = try? isKnown(addressed.run) else { return }
        guard isKnown, let run = RunID(addressed.run) else {
            guard let claimed = claim(name, door) else { return }
            return refuse(claimed, door, .answerRefused, .unknownRun, "there is no run '\(addressed.run)'")
        }
        // It came early and is held: its run looks at it when it is woken for another reason.
        if let record = records[run], record.phase == .dormant,
            record.glance?.heldCommonNames.contains(name) == true
        {
            return
        }
        register(run, Wake(commonNames: [name]))
    }

    private func isKnown(_ name: String) throws(FileSystemError) -> Bool {
        guard let run = RunID(name) else { return false }
        if records[run] != nil { return true }
        return try tree.runsDirectory.status(FilePath(run.text)) != nil
    }

    /// Nil if the file is gone, or cannot be taken now.
    private func claim(_ name: FilePath.Component, _ door: InboxDoor) -> ClaimedFile? {
        do throws(FileSystemError) {
            return try door.claim(name)
        } catch  where error.code == .denied {
            // What the daemon may not move lies there for `doctor` to name.
            return nil
        } catch {
            // It may have been moved before the disk failed.
            lookThroughClaims()
            return nil
        }
    }

    /// Takes a settled file away. One that cannot be removed now is found to be settled when it is judged again.
    func discard(_ claimed: ClaimedFile, _ door: InboxDoor) {
        do throws(FileSystemError) {
            try door.discard(claimed)
        } catch {
            postpone(claimed, "cannot be removed now: \(error.description)")
        }
    }

    /// Something may lie in `.claimed/` that nobody has in mind: a little later all of it is judged again.
    func lookThroughClaims() {
        hasUnknownClaims = true
        scheduleDoor()
    }

    private func scheduleDoor() {
        guard presence != nil else { return }
        services.timers.schedule(TimerKey.door, at: tree.clock.now() + options.retryInterval * 4)
    }

    func refuse(
        _ claimed: ClaimedFile, _ door: InboxDoor, _ type: EntryType, _ kind: RefusalKind, _ message: String,
        diagnostics: [Diagnostic] = [], verdict: Object? = nil
    ) {
        if receipts(of: door).isFull() {
            // It is neither kept nor said by itself: as many as there are come to one entry a minute.
            try? door.discard(claimed)
            uncountedRefusals[type, default: 0] += 1
            return sayRefusals(isDue: false)
        }
        do throws(RuntimeError) {
            try JournalRefusal(tree: tree).refuse(
                claimed, of: door, into: receipts(of: door), type: type, kind: kind, message: message,
                diagnostics: diagnostics, verdict: verdict, recorded: recordedRefusals)
            options.log.warning("\(claimed.escapedName) was refused: \(message)")
        } catch {
            postpone(claimed, "cannot be refused now: \(error.message)")
        }
    }

    /// Says in the journal how many files were refused and not kept: once a minute, and when all have been looked at.
    func sayRefusals(isDue: Bool = true) {
        let now = tree.clock.now()
        guard !uncountedRefusals.isEmpty else { return }
        if let last = refusalsSaidAt, !isDue || presence != nil, now < last + RejectionLimits.countedEvery { return }
        for (type, count) in uncountedRefusals {
            try? JournalRefusal(tree: tree).count(count, type: type)
        }
        options.log.warning("more files were refused in the common inbox than are kept; the others are counted")
        uncountedRefusals = [:]
        refusalsSaidAt = now
    }

    /// It stays in `.claimed/`, and is judged again a little later or by the next daemon.
    func postpone(_ claimed: ClaimedFile, _ reason: String) {
        options.log.error("\(claimed.escapedName) \(reason)")
        unsettledClaims.append(claimed.claimedName)
        scheduleDoor()
    }

    /// One for all refusals: it knows how much is kept without counting each time.
    private func receipts(of door: InboxDoor) -> InboxReceipts {
        if let commonReceipts { return commonReceipts }
        let receipts = InboxReceipts(door.directory)
        commonReceipts = receipts
        return receipts
    }

    // MARK: - Start requests

    private func takeRequest(_ name: FilePath.Component, _ door: InboxDoor) {
        guard let claimed = claim(name, door) else { return }
        judge(claimed, door, fixedRun: nil)
    }

    /// What was claimed when the last one that kept the door stopped.
    private func recoverCommonInbox(_ door: InboxDoor) {
        do throws(FileSystemError) {
            let names = try door.leftovers()
            hasUnknownClaims = false
            judgeAgain(names, door)
        } catch {
            lookThroughClaims()
        }
    }

    private func judgeAgain(_ door: InboxDoor) {
        // What is on its way into the journal is no leftover.
        if hasUnknownClaims { acceptEvents(door) }
        // Each claim is judged once: among all of them are those that are known.
        let names = unsettledClaims
        unsettledClaims = []
        if hasUnknownClaims { recoverCommonInbox(door) } else { judgeAgain(names, door) }
    }

    private func judgeAgain(_ names: [FilePath.Component], _ door: InboxDoor) {
        guard !names.isEmpty else { return }
        recordedRefusals = try? JournalRefusal.Recorded(tree.journal)
        defer { recordedRefusals = nil }
        // Together, as an answer is judged with its signature.
        var claims: [RunID: [FilePath.Component]] = [:]
        for name in names {
            if let run = judgeAgain(name, door) { claims[run, default: []].append(name) }
        }
        for (run, names) in claims { register(run, Wake(commonClaims: names)) }
    }

    /// - Returns: the run that an answer is addressed to, which judges it.
    private func judgeAgain(_ name: FilePath.Component, _ door: InboxDoor) -> RunID? {
        let reclaimed: ClaimedFile?
        do throws(FileSystemError) {
            reclaimed = try door.reclaim(name)
        } catch {
            unsettledClaims.append(name)
            scheduleDoor()
            return nil
        }
        guard let claimed = reclaimed else { return nil }
        // `<run-id>.json` was fixed by the claim; other names say where the file came from.
        let isFixed = claimed.name == claimed.claimedName
        guard !isFixed, let addressed = AnswerName.addressed(claimed.escapedName) else {
            judge(claimed, door, fixedRun: isFixed ? RunID(claimed.name.stem) : nil)
            return nil
        }
        guard let isKnown = try? isKnown(addressed.run), let recordedRefusals else {
            unsettledClaims.append(name)
            scheduleDoor()
            return nil
        }
        // One that came before its run is refused, also when there is such a run by now; one that came after its end has
        // its receipt there.
        let refusal = recordedRefusals.entry(of: claimed, .answerRefused)
        let isRefused = refusal.map { $0.data["run"] == nil } ?? false
        if isKnown, !isRefused, let run = RunID(addressed.run) { return run }
        refuse(claimed, door, .answerRefused, .unknownRun, "there is no run '\(addressed.run)'")
        return nil
    }

    private func judge(_ claimed: ClaimedFile, _ door: InboxDoor, fixedRun: RunID?) {
        guard let bytes = claimed.bytes else {
            let refusal = claimed.refusal
            return refuse(
                claimed, door, .startRefused, RefusalKind(rawValue: refusal?.kind.rawValue ?? "") ?? .type,
                refusal?.message ?? "it cannot be read")
        }
        let format = AnswerName(file: claimed.escapedName).format
        switch Reply(.any).parse(bytes, as: format) {
        case .failure(let refusal): refuse(claimed, door, .startRefused, .syntax, refusal.message)
        case .success(let value):
            if value["specversion"] != nil { return takeEvent(value, claimed, door) }
            do throws(StartRequest.Problem) {
                var request = try StartRequest(value)
                request.by = claimed.user
                request.userID = claimed.status.userID
                if let fixedRun { request.id = fixedRun.text }
                start(request, claimed, door)
            } catch {
                refuse(claimed, door, .startRefused, .schema, error.message)
            }
        }
    }

    private func start(_ request: StartRequest, _ claimed: ClaimedFile, _ door: InboxDoor) {
        if sources?.isIncomplete == true { refreshSources() }
        guard let sources else { return }
        // Events that were dropped before are before the run's start.
        acceptEvents(door)
        var request = request
        var claimed = claimed
        let made = RunID.make(workflow: request.workflow, at: tree.clock.now(), random: services.random())
        if request.id == nil { request.id = made.text }
        guard fix(&claimed, as: request.id ?? made.text, door) else {
            return postpone(claimed, "cannot be started now: its name cannot be kept")
        }
        do throws(RuntimeError) {
            let starter = RunStarter(
                tree: tree, sources: sources, limits: options.limits, definitions: definitions)
            let started = try starter.start(request)
            discard(claimed, door)
            options.log.info("\(started.run) \(started.isNew ? "started" : "was started before")")
            register(started.run, Wake())
        } catch {
            switch error.code {
            case .unknownWorkflow where sources.isIncomplete, .invalidManifest where sources.isIncomplete:
                postpone(claimed, "cannot be started now: some of workflows/ cannot be read")
            case .unknownWorkflow, .invalidManifest:
                refuse(claimed, door, .startRefused, .unknownWorkflow, error.message, diagnostics: error.diagnostics)
            case .invalidInputs: refuse(claimed, door, .startRefused, .schema, error.message)
            case .conflict: refuse(claimed, door, .startRefused, .conflict, error.message)
            case .policy: refuse(claimed, door, .startRefused, .policy, error.message, verdict: error.verdict)
            case .skipped: refuse(claimed, door, .startRefused, .skipped, error.message)
            default:
                // The disk's trouble, not the request's.
                postpone(claimed, "cannot be started now: \(error.message)")
            }
        }
    }

    /// Names a claimed request after the run it starts: from here on a crash starts this run, and no other.
    ///
    /// - Returns: false where the name may be lost in a crash, so that nothing may start yet.
    private func fix(_ claimed: inout ClaimedFile, as id: String, _ door: InboxDoor) -> Bool {
        guard let name = FilePath.Component(id + ".json"), name != claimed.claimedName else { return true }
        let folder = door.claimedPath(claimed).removingLastComponent()
        do throws(FileSystemError) {
            try door.directory.rename(
                door.claimedPath(claimed), to: folder.appending(name), in: nil, replacing: false)
            claimed.claimedName = name
            try door.directory.synchronize(folder)
            return true
        } catch  where error.code == .exists {
            // Another request for the same run is under way: starting is idempotent, so both may go on.
            options.log.debug("\(claimed.escapedName) keeps its claimed name: \(error.description)")
            return true
        } catch {
            return false
        }
    }
}
