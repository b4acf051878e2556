import Synchronization
package import WaybillCore
package import WaybillEngine
package import WaybillPorts
import WaybillStore

/// Tells the executables in `hooks/` what happens in runs: at least once, in a run's order, and never at a run's cost.
///
/// An event is a file in `.waybill/hooks/spool/` before anybody is called, and until every hook for it was tried. A
/// cursor a run says up to where its ledger was gone through, so that events a killed process did not spool are found
/// by the next one. Without hooks nothing is written and no thread is started.
package final class HookService: Sendable {
    private let tree: Tree
    private let launcher: any ProcessLauncher
    private let timer: any TimerService
    private let catalog: HookCatalog
    private let spool: HookSpool
    private let dispatcher: HookDispatcher
    private let hasThread = Mutex(false)

    /// - Parameters:
    ///   - timer: for this service alone; it is started and stopped here.
    ///   - report: gets each failure once, on any thread; it must not block.
    package init(
        tree: Tree, launcher: any ProcessLauncher, timer: any TimerService, limits: HookLimits = HookLimits(),
        report: @escaping @Sendable (HookFailure) -> Void = { _ in }
    ) {
        self.tree = tree
        self.launcher = launcher
        self.timer = timer
        catalog = HookCatalog(root: tree.root, hooks: tree.layout.hooks)
        spool = HookSpool(caches: tree.caches)
        dispatcher = HookDispatcher(limits: limits, report: report)
    }

    deinit { dispatcher.stop() }

    /// Takes in entries that have just become durable. Called on the run's lane, in the ledger's order.
    ///
    /// It costs a few `stat` calls, and a small file for each event that a hook waits for; those of a run's end are synced,
    /// because nobody looks into the ledger of a run whose end the journal has.
    /// - Parameter head: the ledger's end behind these entries.
    package func note(_ entries: [SealedEntry], of run: RunID, upTo head: LedgerHead) {
        let hooks = catalog.current()
        guard !hooks.isEmpty else { return }
        var batch = Batch(of: run, hooks)
        for sealed in entries { take(sealed.entry, into: &batch) }
        add(batch, upTo: head)
    }

    /// Finds events that another process made durable and did not deliver. Called on the run's lane whenever this process
    /// opens the run, before a `note`. What nobody else has written on costs nothing.
    ///
    /// Without a cursor nothing of the run was ever told: events are then told to hooks that are older than they.
    /// - Parameters:
    ///   - head: the ledger's end.
    ///   - isOver: whether the run's end is in the journal, so that there is nothing left to tell; asked only where it
    ///     matters, as the answer may have to wait for the journal's disk.
    package func catchUp(_ run: RunID, upTo head: LedgerHead, unless isOver: () -> Bool = { false }) {
        let hooks = catalog.current()
        guard !hooks.isEmpty else { return }
        let known = dispatcher.end(of: run)
        guard known != head, !isOver() else { return }
        var batch = Batch(of: run, hooks)
        // The other one delivered what lies before its cursor, and this one knows what it did itself.
        let cursor = [spool.cursor(of: run), known].compactMap { $0 }.filter { $0.seq <= head.seq }
            .max { $0.seq < $1.seq }
        if let cursor, cursor.seq < head.seq {
            scan(from: cursor, upTo: head, into: &batch)
        } else if cursor == nil, let earliest = hooks.earliest, earliest <= head.ts {
            batch.onlyOlderHooks = true
            scan(from: nil, upTo: head, into: &batch)
        }
        if !dispatcher.knows(run) { dispatcher.open(run, at: cursor) }
        add(batch, upTo: head)
    }

    /// Ends the service for a run whose end is in the journal. What is spooled is still delivered.
    package func forget(_ run: RunID) {
        if dispatcher.forget(run) { try? spool.removeCursor(of: run) }
    }

    /// Delivers what earlier processes left in the spool. Called once, at the start, before runs are opened.
    package func recover() {
        guard !spool.isEmpty else { return }
        dispatcher.requestScan()
        wake()
    }

    /// Waits for what is queued or under way; what is left after that time stays in the spool for the next process.
    /// Failed attempts are repeated at once meanwhile. Nothing is called afterwards: a hook that still runs ends with the
    /// launcher.
    package func drain(within limit: Duration) async {
        await withCheckedContinuation { continuation in
            guard dispatcher.drain(continuation) else { return continuation.resume() }
            timer.schedule(HookWorker.drainKey, at: tree.clock.now() + limit)
            // Without anything to deliver or write down there is no thread, and none is needed.
            if dispatcher.hasWork { wake() }
            if !hasThread.withLock({ $0 }) {
                timer.stop()
                dispatcher.stop()
            }
            dispatcher.signal.raise()
        }
    }

    /// What went wrong in this process, the newest last, at most as many as the limits say.
    package var failures: [HookFailure] { dispatcher.failures }

    /// What went wrong in any process of a tree, the newest last: for `doctor`.
    package static func recordedFailures(in tree: Tree) -> [HookFailure] {
        HookSpool(caches: tree.caches).recordedFailures()
    }

    /// The executables that are called in a tree, as paths within `hooks/`, with the event each is named after.
    package static func hooks(in tree: Tree) -> [(name: String, event: String)] {
        let hooks = HookCatalog(root: tree.root, hooks: tree.layout.hooks).current()
        return hooks.all.map { ($0.name, $0.event) }
    }

    // MARK: - Spooling

    /// Events of one run that are being spooled together.
    private struct Batch {
        let run: RunID
        let hooks: HookSet
        var events: [(event: SpooledEvent, hooks: [String])] = []
        var lost = 0
        var onlyOlderHooks = false

        init(of run: RunID, _ hooks: HookSet) {
            self.run = run
            self.hooks = hooks
        }
    }

    private func take(_ entry: Entry, into batch: inout Batch) {
        for name in TraceEvent.names(for: entry) where batch.hooks.serves(name) {
            let matching = batch.hooks.matching(name)
            if batch.onlyOlderHooks, !matching.contains(where: { $0.changed <= entry.ts }) { continue }
            let event = SpooledEvent(run: batch.run, seq: entry.seq, event: name)
            if dispatcher.hasRecovered(event) { continue }
            if dispatcher.isQueued(event) || put(TraceEvent(name: name, run: batch.run, entry: entry)) {
                batch.events.append((event, matching.map(\.name)))
            } else {
                batch.lost += 1
            }
        }
    }

    private func put(_ event: TraceEvent) -> Bool {
        do throws(FileSystemError) {
            if dispatcher.isFull { throw FileSystemError(.tooLarge, "add to the spool of hooks", spool.caches.path) }
            try spool.put(event, durability: event.entry.type == .runEnd ? .full : .relaxed)
            dispatcher.spoolWorks()
            return true
        } catch {
            dispatcher.failToSpool(
                HookFailure(
                    hook: nil, event: event.name, run: event.run, seq: event.entry.seq, attempts: 0,
                    message: error.description, at: tree.clock.now()))
            return false
        }
    }

    private func add(_ batch: Batch, upTo head: LedgerHead) {
        if dispatcher.add(batch.events, lost: batch.lost, of: batch.run, upTo: head) { wake() }
    }

    /// Goes through a ledger behind a cursor, or all of it.
    private func scan(from cursor: LedgerHead?, upTo head: LedgerHead, into batch: inout Batch) {
        let behind = cursor?.seq ?? 0
        do throws(StoreError) {
            if let cursor {
                let verdict = try tree.ledgers.scan(batch.run, from: cursor, knownHeads: [:]) { item in
                    if item.entry.seq <= head.seq { take(item.entry, into: &batch) }
                }
                if verdict.head.seq >= head.seq { return }
            }
            // No cursor, or one of a ledger that was cut and continued in another way: the whole ledger tells.
            guard let genesis = try genesis(of: batch.run) else { return }
            _ = try tree.ledgers.scan(batch.run, from: .start(genesis: genesis), knownHeads: [:]) { item in
                if item.entry.seq > behind && item.entry.seq <= head.seq { take(item.entry, into: &batch) }
            }
        } catch {
            dispatcher.fail(
                HookFailure(
                    hook: nil, event: "any", run: batch.run, seq: head.seq, attempts: 0,
                    message: "events of an earlier process cannot be found: \(error.message)", at: tree.clock.now()))
        }
    }

    private func genesis(of run: RunID) throws(StoreError) -> Digest? {
        guard let folder = try tree.runs.open(run) else { return nil }
        return try folder.read(RunFolder.index, limit: RunFolders.largestSource).map { Digest.sha256($0) }
    }

    // MARK: - The thread

    /// Makes sure that there is a thread, and that it looks.
    private func wake() {
        hasThread.withLock { hasThread in
            if !hasThread { hasThread = startThread() }
        }
        dispatcher.signal.raise()
    }

    /// Where the system has no thread to give, events stay in the spool until the next one.
    private func startThread() -> Bool {
        let parts = (tree, launcher, timer, catalog, spool, dispatcher)
        let thread = DedicatedThread(name: "waybill-hooks") {
            let (tree, launcher, timer, catalog, spool, dispatcher) = parts
            HookWorker(
                tree: tree, launcher: launcher, timer: timer, catalog: catalog, spool: spool, dispatcher: dispatcher
            ).run()
        }
        thread?.detach()
        return thread != nil
    }
}
