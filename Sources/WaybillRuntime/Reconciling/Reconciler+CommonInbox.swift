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
    /// So many files that a scan found, or that waited, are taken before everything else has its turn again.
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

    /// So many names are kept in mind; where there are more, the inbox is looked through for them later.
    private static let mostNames = 1 << 16

    /// Whether runs that are being made are as many as there may be. What comes meanwhile waits, in its order: an event
    /// that was dropped after a request must not come before the run, nor an answer.
    private var isHeldUp: Bool { starts.isFull || !commonNames.isEmpty || !review.isOver }

    /// Goes on with what waited for runs to be made.
    func goOnTaking(_ door: InboxDoor) {
        goOnJudging(door)
        var taken = 0
        while review.isOver, !starts.isFull, taken < Self.filesPerTurn, let name = commonNames.popFirst() {
            routeNow(name, door)
            taken += 1
        }
        acceptEvents(door)
        if commonNames.isEmpty {
            commonNames = []
        } else if !starts.isFull, review.isOver {
            post { $0.goOnTaking(door) }
        }
        if commonScan != nil, !isHeldUp { return goOnReading(door) }
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
        while let scan = commonScan, taken < Self.filesPerTurn, !isHeldUp {
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
        // It goes on by itself.
        if commonScan != nil, isHeldUp { return }
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
        // What is held up was found, and not delivered.
        if !isHeldUp, let commonScanBegan, commonScanBegan >= deadline, commonScanBegan <= tree.clock.now() { return }
        readCommonInbox()
        guard commonScan != nil || isHeldUp, let door = commonDoor(), let scan = try? door.scan() else { return }
        let prefix = run.text + "."
        let isAddressed = { (name: FilePath.Component) in name.string.hasPrefix(prefix) }
        while let candidates = try? scan.next(limit: 1_024, now: tree.clock.now(), where: isAddressed) {
            for candidate in candidates {
                if candidate.readyAt > tree.clock.now() {
                    noteUnripe(candidate, door)
                } else {
                    routeNow(candidate.name, door)
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

    private func route(_ name: FilePath.Component, _ door: InboxDoor) {
        guard isHeldUp else { return routeNow(name, door) }
        guard commonNames.count < Self.mostNames else { return lookAtCommonInboxLater() }
        commonNames.append(name)
    }

    /// To whom a file goes; nil for what is no answer. A dot in the stem makes one.
    static func addressee(of name: FilePath.Component) -> String? {
        // A signature goes where the answer goes that it signs.
        let subject =
            name.signedName.flatMap { AnswerName.addressed(ClaimedFile.escaped($0)) == nil ? nil : $0 } ?? name
        return AnswerName.addressed(ClaimedFile.escaped(subject))?.run
    }

    private func routeNow(_ name: FilePath.Component, _ door: InboxDoor) {
        guard let addressee = Self.addressee(of: name) else {
            // Who stops leaves it to whoever comes next.
            guard !isStopping, let claimed = claim(name, door) else { return }
            return judge(claimed, door, fixedRun: nil)
        }
        if let run = RunID(addressee), starts.hold(Wake(commonNames: [name]), for: run) { return }
        // Where the disk does not say, the next look does.
        guard let isKnown = try? isKnown(addressee) else { return }
        guard isKnown, let run = RunID(addressee) else {
            guard let claimed = claim(name, door) else { return }
            return refuse(claimed, door, .answerRefused, .unknownRun, "there is no run '\(addressee)'")
        }
        // It came early and is held: its run looks at it when it is woken for another reason.
        if let record = records[run], record.phase == .dormant,
            record.glance?.heldCommonNames.contains(name) == true
        {
            return
        }
        register(run, Wake(commonNames: [name]))
    }

    func isKnown(_ name: String) throws(FileSystemError) -> Bool {
        guard let run = RunID(name) else { return false }
        if records[run] != nil { return true }
        return try tree.runsDirectory.status(FilePath(run.text)) != nil
    }

    /// Nil if the file is gone, or cannot be taken now.
    func claim(_ name: FilePath.Component, _ door: InboxDoor) -> ClaimedFile? {
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

    func scheduleDoor() {
        guard presence != nil else { return }
        services.timers.schedule(TimerKey.door, at: tree.clock.now() + options.retryInterval * 4)
    }

    /// - Parameter recorded: what the journal refused before; nil: nothing that could be this file.
    func refuse(
        _ claimed: ClaimedFile, _ door: InboxDoor, _ type: EntryType, _ kind: RefusalKind, _ message: String,
        diagnostics: [Diagnostic] = [], verdict: Object? = nil, recorded: JournalRefusal.Recorded? = nil
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
                diagnostics: diagnostics, verdict: verdict, recorded: recorded ?? review.recorded)
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
}
