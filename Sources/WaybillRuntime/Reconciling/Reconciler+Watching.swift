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
            if sourceWatch?.handle(event) == true {
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

    func refreshSources() {
        guard onlyRun == nil, var sources else { return }
        do throws(RuntimeError) {
            guard try sources.refresh() else { return }
            self.sources = sources
            openAccess()
            definitions.running = sources.catalog.policies
            definitions.secrets = sources.catalog.settings.secrets
            pools.set(sources.catalog.settings.pools)
            try tree.signing.use(sources.catalog.settings)
            for diagnostic in sources.catalog.diagnostics where diagnostic.level == .error {
                options.log.warning("\(diagnostic.text)")
            }
            options.log.info("read \(sources.catalog.workflows.count) workflows")
        } catch {
            options.log.error("cannot read workflows/: \(error.message)")
        }
    }
}
