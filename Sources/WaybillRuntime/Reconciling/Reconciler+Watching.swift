import Logging
import SystemPackage
import WaybillCore
import WaybillManifests
import WaybillPorts
import WaybillStore

// Notifications are hints: they say where to look, and when.

extension Reconciler {
    func startWatching() {
        isWatching = true
        let common = tree.layout.inbox
        commonWatch = try? services.watcher.watch(common, for: .arrivals)
        runsWatch = try? services.watcher.watch(tree.layout.runs, for: .arrivals)
        let sources = TreeWatcher(root: tree.layout.workflows, watcher: services.watcher)
        sources.refresh()
        sourceWatch = sources
    }

    /// Watches a run's inbox, while there is room the newest ones; the others are found by passes.
    func watchInbox(of run: RunID) {
        guard watchBudget > 0 else { return }
        while watchedRuns.count >= watchBudget, let oldest = watchedRuns.popOldest() {
            if var record = records[oldest] {
                unwatchInbox(of: &record)
                records[oldest] = record
            }
        }
        // The kernel may have no watch left even so: then passes find the files.
        guard let watch = try? services.watcher.watch(tree.layout.inbox(of: run), for: .arrivals) else { return }
        records[run]?.watch = watch
        watchedRuns.insert(run, watch)
    }

    func unwatchInbox(of record: inout RunRecord) {
        guard let watch = record.watch else { return }
        services.watcher.unwatch(watch)
        watchedRuns.remove(watch)
        record.watch = nil
    }

    func take(_ events: [WatchEvent]) {
        defer { noteRest() }
        var wakes: [RunID: Wake] = [:]
        var commonNames: [FilePath.Component] = []
        var hasUnclear = false
        var hasNewRuns = false
        var hasEntries = false
        for event in events {
            if event.kind == .overflow { return lookEverywhere() }
            if let change = sourceWatch?.handle(event) {
                changedSources.note(change, below: tree.layout.root)
                services.timers.schedule(TimerKey.sources, at: tree.clock.now() + .milliseconds(20))
                continue
            }
            let isComplete = event.kind == .movedIn || event.kind == .closedAfterWrite
            let name = InboxDoor.name(event.name)
            // Among them the folders for what was taken, which are made when the first file is: they are no news.
            let isIgnored = name.map(InboxDoor.isIgnored) ?? false
            let wanted = isComplete && !event.isDirectory ? name : nil
            if let watch = event.watch, let run = watchedRuns[watch] {
                if isIgnored { continue }
                var wake = wakes[run] ?? Wake()
                if let wanted { wake.completeNames.append(wanted) }
                wakes[run] = wake
            } else if event.watch == commonWatch {
                if isIgnored { continue }
                if let wanted { commonNames.append(wanted) } else { hasUnclear = true }
            } else if event.watch == runsWatch, event.isDirectory {
                // Whoever makes a run here registers it.
                if let run = name.flatMap({ RunID($0.string) }), records[run] != nil || starts.see(run) { continue }
                hasNewRuns = true
            } else if event.watch == runsWatch, isComplete, event.text == FileJournal.openSegment {
                hasEntries = true
            }
        }
        for (run, wake) in wakes { self.wake(run, wake) }
        if !commonNames.isEmpty { takeFromCommonInbox(commonNames) }
        if hasUnclear { lookAtCommonInboxLater() }
        if hasNewRuns { takeUpNewRuns() }
        // Another process closed the journal; perhaps it sent an event.
        if hasEntries { noticeEvents(following: true) }
    }

    /// After an overflow nothing is known: everything is looked at.
    private func lookEverywhere() {
        for run in records.keys { wake(run, Wake()) }
        if onlyRun == nil {
            readCommonInbox()
            sourceWatch?.refresh()
            refreshSources()
            takeUpNewRuns(all: true)
        }
    }

    /// Lets the group in that the settings name.
    func openAccess() {
        guard let access = TreeAccess(sources?.catalog.settings.accessGroup) else { return }
        do throws(FileSystemError) {
            try access.open(tree)
        } catch {
            options.log.error("cannot open the inboxes to the group of the settings: \(error.description)")
        }
    }

    /// - Parameter changed: the files to look at, relative to the root; nil: all of them.
    func refreshSources(changed: Set<String>? = nil) {
        do throws(RuntimeError) {
            guard onlyRun == nil, try readSources(changed), let catalog = sources?.catalog else { return }
            openAccess()
            definitions.running = catalog.policies
            definitions.secrets = catalog.settings.secrets
            pools.set(catalog.settings.pools)
            try tree.signing.use(catalog.settings)
            for diagnostic in catalog.diagnostics where diagnostic.level == .error {
                options.log.warning("\(diagnostic.text)")
            }
            options.log.info("read \(catalog.workflows.count) workflows")
        } catch {
            options.log.error("cannot read workflows/: \(error.message)")
        }
    }

    /// - Returns: whether anything changed.
    private func readSources(_ changed: Set<String>?) throws(RuntimeError) -> Bool {
        guard var sources else { return false }
        // While nobody else has a copy, the change of one file moves none of the others.
        self.sources = nil
        defer { self.sources = sources }
        guard let changed else { return try sources.refresh() }
        return try sources.refresh(changed: changed)
    }
}
