import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

@testable import WaybillRuntime

@Suite("Hooks as processes")
struct HookServiceTests {
    private let bench: HookBench
    private let run = HookBench.run

    init() throws { bench = try HookBench() }

    /// Says which event came, in a file of the tree.
    private static let tell = #"read -r event; echo "$WAYBILL_SEQ $WAYBILL_HOOK_EVENT" >>told"#
    private static let drainLimit = Duration.seconds(60)

    @Test("a hook gets exactly the event, where and who it is about, and nothing of the daemon's environment")
    func delivery() async throws {
        setenv("WAYBILL_TEST_SECRET", "leaked", 1)
        bench.hook("run.error", #"cat >event.json; pwd >where; env | sort >environment"#)
        let service = bench.service()
        let entries = bench.entries([.end("failed")])
        service.note(entries, of: run, upTo: bench.head)
        await service.drain(within: Self.drainLimit)
        let event = try #require(TraceEvent.events(for: entries[0].entry, run: run).first)
        #expect(bench.folder.read("event.json") == event.json + [UInt8(ascii: "\n")])
        #expect(bench.lines("where") == [bench.folder.path.string])
        let environment = bench.lines("environment")
        #expect(
            environment.filter { $0.hasPrefix("WAYBILL_") } == [
                "WAYBILL_HOOK_EVENT=run.error", "WAYBILL_RUN_DIR=\(bench.folder.path)/runs/\(run)",
                "WAYBILL_RUN_ID=\(run)", "WAYBILL_SEQ=1",
            ])
        #expect(service.failures == [])
        #expect(try bench.files("spool") == [])
        #expect(try bench.files("log") == [])
    }

    @Test("a run's events come in order, to their own hook and to any")
    func order() async throws {
        bench.hook("any", #"read -r event; echo "$WAYBILL_SEQ $WAYBILL_HOOK_EVENT" >>all"#)
        bench.hook("run.end.d/10", Self.tell)
        let service = bench.service()
        for drafts: [EntryDraft] in [[.start, .opened], [.closed], [EntryDraft(.checkpoint), .end("completed")]] {
            service.note(bench.entries(drafts), of: run, upTo: bench.head)
        }
        await service.drain(within: Self.drainLimit)
        #expect(bench.lines("all") == ["1 run.start", "2 wait.opened", "3 wait.closed", "5 run.ok", "5 run.end"])
        #expect(bench.lines("told") == ["5 run.end"])
    }

    @Test("without a hook nothing is written and nobody is called", arguments: [nil, "run.error", "run.ok.sample"])
    func nothing(hook: String?) async throws {
        if let hook { bench.hook(hook, Self.tell) }
        let service = bench.service()
        service.recover()
        service.catchUp(run, upTo: bench.head)
        service.note(bench.entries([.start, .end("completed")]), of: run, upTo: bench.head)
        service.forget(run)
        await service.drain(within: Self.drainLimit)
        #expect(try bench.tree.caches.status("hooks") == nil)
        #expect(service.failures == [])
    }

    @Test("a hook that fails is tried three times and reported with its last words; others are told all the same")
    func failing() async throws {
        bench.hook("run.start", "echo try >>tries; echo 'no such host' >&2; echo 'giving up' >&2; exit 3")
        bench.hook("any", Self.tell)
        let service = bench.service()
        service.note(bench.entries([.start, .opened]), of: run, upTo: bench.head)
        await service.drain(within: Self.drainLimit)
        #expect(bench.lines("tries") == ["try", "try", "try"])
        #expect(bench.lines("told") == ["1 run.start", "2 wait.opened"])
        let failure = HookFailure(
            hook: "run.start", event: "run.start", run: run, seq: 1, attempts: 3,
            message: "exit code 3 after 3 attempts: no such host / giving up", at: bench.clock.now())
        #expect(service.failures == [failure])
        #expect(HookService.recordedFailures(in: bench.tree) == [failure])
        #expect(try bench.files("spool") == [])
    }

    @Test("a hook that cannot be executed is reported")
    func notExecutable() async throws {
        bench.hook("run.start", "")
        bench.folder.write("hooks/run.start", "#!/nowhere/interpreter\n", mode: 0o700)
        let service = bench.service()
        service.note(bench.entries([.start]), of: run, upTo: bench.head)
        await service.drain(within: Self.drainLimit)
        #expect(service.failures.map(\.hook) == ["run.start"])
        #expect(service.failures.first?.message.contains("after 3 attempts") == true)
    }

    @Test("a hook that hangs is killed at its timeout, and others are told meanwhile")
    func hanging() async throws {
        bench.hook("run.start", "trap '' TERM; while :; do sleep 1000; done")
        bench.hook("any", Self.tell)
        let impatient = ImpatientLauncher(bench.launcher, with: "run.start")
        let service = HookService(tree: bench.tree, launcher: impatient, timer: ManualClock())
        service.note(bench.entries([.start, .opened]), of: run, upTo: bench.head)
        await service.drain(within: Self.drainLimit)
        #expect(service.failures.map(\.hook) == ["run.start"])
        #expect(service.failures.first?.message.hasPrefix("timed out (SIG") == true)
        #expect(bench.lines("told") == ["1 run.start", "2 wait.opened"])
        #expect(try bench.files("spool") == [])
    }

    @Test("what was spooled and not delivered is delivered by the next process")
    func recovery() async throws {
        bench.hook("any", Self.tell)
        let first = bench.service()
        await first.drain(within: Self.drainLimit)
        first.note(bench.entries([.start, .opened]), of: run, upTo: bench.head)
        #expect(bench.lines("told") == [])
        #expect(try bench.files("spool").count == 2)
        let second = bench.service()
        second.recover()
        await second.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == ["1 run.start", "2 wait.opened"])
        #expect(try bench.files("spool") == [])
    }

    @Test("more events than memory takes wait in the spool and come in order")
    func backlog() async throws {
        bench.hook("wait.opened", Self.tell)
        var limits = HookLimits()
        limits.queued = 4
        let service = bench.service(limits)
        for _ in 1...15 { service.note(bench.entries([.opened]), of: run, upTo: bench.head) }
        await service.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == (1...15).map { "\($0) wait.opened" })
    }

    @Test("events that an earlier process did not spool are found in the ledger, once")
    func catchUp() async throws {
        bench.hook("any", Self.tell)
        // The run is younger than the hook.
        bench.clock.advance(by: .seconds(60))
        try bench.startRun([[.start], [.opened]])
        let first = bench.service()
        first.catchUp(run, upTo: bench.head)
        await first.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == ["1 run.start", "2 wait.opened"])

        try bench.append([.closed])
        let second = bench.service()
        second.catchUp(run, upTo: bench.head)
        second.catchUp(run, upTo: bench.head)
        await second.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == ["1 run.start", "2 wait.opened", "3 wait.closed"])

        let third = bench.service()
        third.catchUp(run, upTo: bench.head)
        third.forget(run)
        await third.drain(within: Self.drainLimit)
        #expect(bench.lines("told").count == 3)
        #expect(try bench.files("cursor") == [])
    }

    @Test("what another process wrote into a run meanwhile is told too")
    func anotherProcess() async throws {
        bench.hook("any", Self.tell)
        bench.clock.advance(by: .seconds(60))
        try bench.startRun([[EntryDraft(.checkpoint)]])
        let daemon = bench.service()
        daemon.catchUp(run, upTo: bench.head)
        // A command tells of the entry it writes; another one is killed before it can.
        try bench.append([.opened])
        let command = bench.service()
        command.catchUp(run, upTo: bench.head)
        await command.drain(within: Self.drainLimit)
        try bench.append([.closed])
        daemon.catchUp(run, upTo: bench.head)
        await daemon.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == ["2 wait.opened", "3 wait.closed"])
    }

    @Test("a hook hears nothing of what happened before it was there")
    func youngHook() async throws {
        try bench.startRun([[.start]], at: bench.clock.now() - .seconds(3600))
        bench.hook("any", Self.tell)
        bench.clock.advance(by: .seconds(60))
        try bench.append([.opened])
        let service = bench.service()
        service.catchUp(run, upTo: bench.head)
        await service.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == ["2 wait.opened"])
    }

    @Test("a cursor of a ledger that was cut and continued is no obstacle")
    func cutLedger() async throws {
        bench.hook("any", Self.tell)
        bench.clock.advance(by: .seconds(60))
        try bench.startRun([[.start], [.opened]])
        let foreign = LedgerHead(seq: 1, digest: .zero, ts: bench.clock.now(), length: 10)
        try HookSpool(caches: bench.tree.caches).setCursor(of: run, to: foreign)
        let service = bench.service()
        service.catchUp(run, upTo: bench.head)
        await service.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == ["2 wait.opened"])
    }

    @Test("a machine that cannot start a process keeps the event for later")
    func noResources() async throws {
        bench.hook("any", Self.tell)
        let launcher = RefusingLauncher(LaunchError(code: .shutDown, message: "the launcher was shut down"))
        let first = HookService(
            tree: bench.tree, launcher: launcher, timer: ManualClock(), limits: HookLimits())
        first.note(bench.entries([.start]), of: run, upTo: bench.head)
        await first.drain(within: Self.drainLimit)
        #expect(first.failures == [])
        #expect(try bench.files("spool") == ["\(run).1.run.start.json"])
        let second = bench.service()
        second.recover()
        await second.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == ["1 run.start"])
    }

    @Test("a spool that takes no more is said once, and the cursor stays before what is missing")
    func fullSpool() async throws {
        bench.hook("any", Self.tell)
        bench.clock.advance(by: .seconds(60))
        try bench.startRun([[.start], [.opened]])
        var limits = HookLimits()
        limits.spooled = 0
        let first = bench.service(limits)
        first.catchUp(run, upTo: bench.head)
        await first.drain(within: Self.drainLimit)
        #expect(first.failures.map(\.event) == ["run.start"])
        #expect(bench.lines("told") == [])
        let second = bench.service()
        second.catchUp(run, upTo: bench.head)
        await second.drain(within: Self.drainLimit)
        #expect(bench.lines("told") == ["1 run.start", "2 wait.opened"])
    }
}
