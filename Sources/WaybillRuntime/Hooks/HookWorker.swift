import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillStore

/// The thread that calls hooks: all its work on files and processes is off the lanes of runs.
///
/// It is used by its thread alone.
final class HookWorker {
    /// An event's file, locked for as long as a hook is called for it.
    private struct Claim {
        let file: any File
        var calls: Int
    }

    static let retryKey = "hooks.retry"
    static let drainKey = "hooks.drain"
    /// Until something that is not the hook's fault is tried again.
    private static let pause = Duration.seconds(2)

    private let tree: Tree
    private let launcher: any ProcessLauncher
    private let timer: any TimerService
    private let catalog: HookCatalog
    private let spool: HookSpool
    private let dispatcher: HookDispatcher
    private var claims: [SpooledEvent: Claim] = [:]

    init(
        tree: Tree, launcher: any ProcessLauncher, timer: any TimerService, catalog: HookCatalog, spool: HookSpool,
        dispatcher: HookDispatcher
    ) {
        self.tree = tree
        self.launcher = launcher
        self.timer = timer
        self.catalog = catalog
        self.spool = spool
        self.dispatcher = dispatcher
    }

    /// Works until the dispatcher is stopped.
    func run() {
        timer.start { [dispatcher] event in
            switch event {
            case .due(Self.drainKey, _): dispatcher.outOfTime()
            case .due: dispatcher.signal.raise()
            case .clockStepped:
                dispatcher.forgetDelays()
                dispatcher.signal.raise()
            }
        }
        HookCall.sweep(spool.caches)
        while !dispatcher.isStopped {
            dispatcher.signal.wait()
            while work() {}
            rest()
        }
        // Others may deliver from here on.
        for claim in claims.values { claim.file.close() }
        timer.stop()
    }

    /// Does one thing; false if there is nothing to do.
    private func work() -> Bool {
        let outcomes = dispatcher.takeOutcomes()
        for (call, outcome) in outcomes { settle(call, outcome) }
        if let mark = dispatcher.scanDue(), scan(mark) { return true }
        if let call = dispatcher.next(now: tree.clock.now()) {
            start(call)
            return true
        }
        return !outcomes.isEmpty
    }

    /// Writes down where it stands, before waiting.
    private func rest() {
        let isDrained = dispatcher.isDrained
        writeCursors(all: isDrained)
        writeFailures()
        if isDrained { return dispatcher.stop() }
        if let due = dispatcher.nextDue {
            timer.schedule(Self.retryKey, at: due)
        } else {
            timer.cancel(Self.retryKey)
        }
    }

    // MARK: - Calls

    private func start(_ call: HookQueues.Call) {
        // A hook that was taken away wants to hear no more.
        guard catalog.current().contains(call.hook) else { return finish(call, succeeded: true) }
        do throws(FileSystemError) {
            guard let file = try claim(call.event) else { return drop(call) }
            let input = try spool.bytes(of: file)
            try spool.caches.createDirectories(HookSpool.logs)
            let hook = try HookCall(call, executable: catalog.path(of: call.hook), caches: spool.caches)
            launch(hook, input)
        } catch  where error.code == .locked {
            // Another process is at it, or at an earlier event of the run.
            dispatcher.postpone(call, until: tree.clock.now() + Self.pause)
        } catch {
            release(call.event)
            finish(call, succeeded: false, because: error.description)
        }
    }

    private func launch(_ hook: HookCall, _ input: [UInt8]) {
        do throws(LaunchError) {
            let request = hook.request(input, tree: tree, limits: dispatcher.limits)
            _ = try launcher.launch(request) { [dispatcher] outcome in dispatcher.note(outcome, of: hook) }
        } catch {
            hook.removeLogs(spool.caches)
            release(hook.call.event)
            switch error.code {
            case .shutDown:
                // The next process goes on.
                dispatcher.stop()
            case .noResources, .log:
                // The machine's trouble, and not the hook's.
                dispatcher.postpone(hook.call, until: tree.clock.now() + Self.pause)
            case .invalidRequest, .system:
                finish(hook.call, succeeded: false, because: error.message)
            }
        }
    }

    private func settle(_ hook: HookCall, _ outcome: ProcessOutcome?) {
        defer { hook.removeLogs(spool.caches) }
        guard let outcome else {
            finish(hook.call, succeeded: false, because: "what watched it was killed before it ended")
            return release(hook.call.event)
        }
        if outcome.stop == .request {
            // The launcher is being shut down; the next process tries again.
            release(hook.call.event)
            return dispatcher.stop()
        }
        let succeeded = outcome.stop == nil && outcome.exitCode == 0
        let message =
            succeeded
            ? ""
            : hook.message(outcome, attempts: hook.call.attempt, caches: spool.caches, limits: dispatcher.limits)
        finish(hook.call, succeeded: succeeded, because: message)
        release(hook.call.event)
    }

    private func finish(_ call: HookQueues.Call, succeeded: Bool, because message: String = "") {
        let (verdict, isDone) = dispatcher.ended(call, succeeded: succeeded, now: tree.clock.now())
        if verdict == .gaveUp { fail(call, message) }
        guard isDone else { return }
        do throws(FileSystemError) {
            try spool.remove(call.event)
        } catch {
            fail(call, "delivered, but it stays in the spool and will come again: \(error.description)")
        }
        forget(call.event)
    }

    private func forget(_ event: SpooledEvent) {
        // A cursor that stays is a small file that nobody asks for.
        if dispatcher.finish(event) { try? spool.removeCursor(of: event.run) }
    }

    /// Another process has delivered the event.
    private func drop(_ call: HookQueues.Call) {
        dispatcher.postpone(call, until: tree.clock.now())
        dispatcher.drop(call.event)
        forget(call.event)
    }

    private func fail(_ call: HookQueues.Call, _ message: String) {
        dispatcher.fail(
            HookFailure(
                hook: call.hook, event: call.event.event, run: call.event.run, seq: call.event.seq,
                attempts: call.attempt, message: message, at: tree.clock.now()))
    }

    private func claim(_ event: SpooledEvent) throws(FileSystemError) -> (any File)? {
        if let claim = claims[event] {
            claims[event]?.calls += 1
            return claim.file
        }
        guard let file = try spool.claim(event) else { return nil }
        claims[event] = Claim(file: file, calls: 1)
        return file
    }

    private func release(_ event: SpooledEvent) {
        guard let claim = claims[event] else { return }
        claims[event]?.calls -= 1
        if claim.calls == 1 {
            claims[event] = nil
            claim.file.close()
        }
    }

    // MARK: - Files

    /// Takes from the spool what the queues do not have; false if that brings nothing.
    private func scan(_ mark: Int) -> Bool {
        let hooks = catalog.current()
        do throws(FileSystemError) {
            let found = try spool.first(dispatcher.limits.queued) { !dispatcher.isQueued($0) }
            var events: [(event: SpooledEvent, hooks: [String])] = []
            for event in found.events {
                let matching = hooks.matching(event.event).map(\.name)
                if matching.isEmpty {
                    // Its hook was taken away.
                    try spool.remove(event)
                    forget(event)
                } else {
                    events.append((event, matching))
                }
            }
            dispatcher.scanned(events, hasMore: found.hasMore, total: found.total, mark: mark)
            return !found.events.isEmpty
        } catch {
            // The spool cannot be read: what lies there waits for the next start.
            dispatcher.scanned([], hasMore: false, total: 0, mark: mark)
            return false
        }
    }

    private func writeCursors(all: Bool) {
        for (run, head) in dispatcher.takeCursors(all: all) {
            // An old cursor, or none, costs a second delivery at most.
            try? spool.setCursor(of: run, to: head)
            if !dispatcher.knows(run) { try? spool.removeCursor(of: run) }
        }
    }

    private func writeFailures() {
        let new = dispatcher.takeNewFailures()
        guard !new.isEmpty else { return }
        let all = (spool.recordedFailures() + new).suffix(dispatcher.limits.failures)
        // They were reported already; the file is for those who look later.
        try? spool.record(Array(all))
    }
}
