import Logging
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

// Which runs there are: when this process begins, and those that come.

extension Reconciler {
    /// Finds the runs that have not ended: those the journal says so of, and those it does not know. The others are looked
    /// at once these are attended to: they keep nobody waiting, however many there are.
    func takeUpRuns() throws(RuntimeError) {
        var open: [RunID] = []
        // What is made while the folder is listed is listed again.
        let modified = (try? tree.root.status(tree.layout.runsPrefix))?.modified
        do throws(StoreError) {
            let index = try tree.journal.index(following: true)
            startsSeen = index.lastSeq
            let uncertain = bootMark.isNew ? Set(index.recentEnds.map(\.run)) : []
            try tree.runs.forEach { name in
                guard let place = index.runs.index(forKey: name) else { return open.append(name) }
                // The journal's own text, so that there is one of it.
                let (run, known) = index.runs[place]
                if known.ended == nil || uncertain.contains(run) { open.append(run) } else { endedRuns.append(run) }
            }
        } catch {
            throw RuntimeError(error)
        }
        noteListed(modified)
        bootMark.begin(open)
        // Requests came first, and what is being made for them is open already.
        let others = open.filter { !starts.see($0) }
        unattended = Set(others)
        for run in others.sorted() { takeUp(run) }
        takeUpNextSuspect()
        if unattended.isEmpty || isOneShot { lookAtEndedRuns() }
    }

    /// Takes up a run that was left to its maker here, who did not make it.
    func takeUpAfterAll(_ run: RunID) {
        guard records[run] == nil else { return }
        takeUp(run)
        takeUpNextSuspect()
    }

    private func takeUp(_ run: RunID) {
        if let reason = openings.reason(for: run) {
            setAside(run, reason)
            unattended.remove(run)
        } else if openings.suspects.contains(run) {
            suspects.append(run)
        } else {
            register(run, Wake(restoresProjections: true))
        }
    }

    /// Notes that a run was looked at that was under way when this process began.
    func noteAttended(_ run: RunID) {
        guard unattended.remove(run) != nil, unattended.isEmpty else { return }
        unattended = []
        if presence != nil {
            trimMemory()
            sayReady()
        }
        lookAtEndedRuns()
    }

    func sayReady() {
        guard unattended.isEmpty else { return }
        options.log.info("every run under way is attended to")
    }

    // MARK: - Runs that had ended before

    /// Looks at some of the runs that had ended when this process began, and at the rest in turns that follow. An ended run
    /// is not opened unless its glance is gone, or files lie in its inbox.
    func lookAtEndedRuns() {
        guard !isStopping, !endedRuns.isEmpty, !isLookingAtEndedRuns else { return }
        for _ in 0..<Self.endedRunsPerTurn {
            guard let run = endedRuns.popLast() else { break }
            if records[run] == nil, !hasGlance(run) || hasUnreadFiles(run) { takeUp(run) }
        }
        takeUpNextSuspect()
        if endedRuns.isEmpty {
            endedRuns = []
            return noteRest()
        }
        isLookingAtEndedRuns = true
        post {
            $0.isLookingAtEndedRuns = false
            $0.lookAtEndedRuns()
        }
    }

    /// So many are looked at before everything else has its turn again: about a millisecond's worth.
    private static let endedRunsPerTurn = 128

    private func hasGlance(_ run: RunID) -> Bool {
        let path = FilePath(run.text).pushing(RunFolder.glance)
        return ((try? tree.runsDirectory.status(path)) ?? nil) != nil
    }

    /// Whether files lie in the inbox of a run that has ended, or were claimed there when their refusal was cut short:
    /// they are refused, once, with a reason. Where the disk does not say, the run's driver asks again until it does.
    ///
    /// No time of a file tells: whoever was killed may have written `run.json` after such files had come.
    private func hasUnreadFiles(_ run: RunID) -> Bool {
        let path = FilePath(run.text).pushing(RunFolder.inbox)
        do throws(FileSystemError) {
            guard let inbox = try tree.runsDirectory.openDirectory(path) else { return false }
            return try !tree.door(to: inbox).isSettled()
        } catch {
            return true
        }
    }

    // MARK: - Runs that ended others

    func takeUpNextSuspect() {
        guard !isStopping, suspectInHand == nil, !suspects.isEmpty else { return }
        let run = suspects.removeFirst()
        suspectInHand = run
        register(run, Wake(restoresProjections: true))
    }

    /// Notes that a run was opened, or could not be: it ended nobody.
    func noteOpened(_ run: RunID) {
        openings.leave(run)
        guard suspectInHand == run else { return }
        suspectInHand = nil
        takeUpNextSuspect()
    }

    // MARK: - Runs that come

    /// Takes up runs that other processes started.
    ///
    /// - Parameter all: whether runs count that were in the journal before.
    func takeUpNewRuns(all: Bool = false) {
        guard onlyRun == nil else { return }
        let seen = all ? 0 : startsSeen
        let news = try? tree.journal.query(following: true) { (runs: $0.open(after: seen), last: $0.lastSeq) }
        guard let news else { return }
        startsSeen = news.last
        takeUp(news.runs)
    }

    /// What is being made here is registered when it is: to open it before would be in its maker's way.
    private func takeUp(_ runs: [RunID]) {
        for run in runs where records[run] == nil && !starts.see(run) { register(run, Wake()) }
    }

    /// - Parameter modified: the modification time of `runs/` before all that was in it became known.
    private func noteListed(_ modified: Timestamp?) {
        // A folder that is made within the same tick of the kernel's clock leaves it the same time.
        runsModified = modified.flatMap { $0 + .seconds(1) < tree.clock.now() ? $0 : nil }
    }

    /// So many names are compared with the journal at a time: bounds the memory, and how long its lock is held.
    private static let namesPerLook = 1_024

    /// Takes up runs whose folders are there while the journal does not know them: who started them was killed just then.
    func takeUpUnknownRuns() {
        guard let modified = (try? tree.root.status(tree.layout.runsPrefix))?.modified, modified != runsModified else {
            return
        }
        var listed: [RunID] = []
        var unknown: [RunID] = []
        var isComplete = true
        // The journal knows a run before its folder is there, so it is asked after the names were read. It is asked where
        // it is: with a copy in hand, the next entry would make it copy all that it knows.
        func compare() {
            let found = try? tree.journal.query(following: true) { index in
                listed.filter { index.runs[$0] == nil }
            }
            if let found { unknown += found } else { isComplete = false }
            listed.removeAll(keepingCapacity: true)
        }
        do throws(StoreError) {
            try tree.runs.forEach { run in
                listed.append(run)
                if listed.count == Self.namesPerLook { compare() }
            }
            compare()
        } catch {
            isComplete = false
        }
        noteListed(isComplete ? modified : nil)
        takeUp(unknown)
    }
}
