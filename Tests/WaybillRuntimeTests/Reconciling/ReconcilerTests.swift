import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

@testable import WaybillRuntime

@Suite("The reconciler")
struct ReconcilerTests {
    private let system = MemoryFileSystem()
    private let clock = ManualClock()
    private let tree: Tree
    private let reconciler: Reconciler

    init() throws {
        try system.createDirectories("/tree/workflows")
        tree = try Tree.open("/tree", fileSystem: system, clock: clock)
        reconciler = Self.reconciler(tree, clock)
    }

    private static func reconciler(_ tree: Tree, _ clock: ManualClock) -> Reconciler {
        let services = RuntimeServices(
            launcher: NothingStarts(), performer: NothingStarts(), secrets: NothingStarts(),
            watcher: ManualWatcher(), timers: clock, hookTimers: ManualClock())
        return Reconciler(tree: tree, services: services, options: ReconcilerOptions())
    }

    @Test("a run that fails again and again for a reason of its own is set aside until its file is removed")
    func setAside() async throws {
        let run = try #require(RunID("r1"))
        try await reconciler.start()
        reconciler.post { $0.records[run] = RunRecord() }
        for _ in 0..<4 { await reconciler.take(.failing("nobody knows why"), of: run) }
        #expect(tree.runsSetAside.isEmpty)
        await reconciler.take(.failing("nobody knows why"), of: run)
        #expect(tree.runsSetAside.map(\.run) == [run])
        #expect(tree.runsSetAside.map(\.reason) == ["nobody knows why"])
        #expect(await reconciler.records[run]?.isAside == true)

        #expect(try tree.caches.remove("aside/r1.json"))
        await reconciler.take(.due(key: "pass", deadline: clock.now()))
        #expect(await reconciler.records[run]?.isAside == false)
        await reconciler.stop()
    }

    @Test("where the clock is set back, what was planned comes as soon as it would have come")
    func clockSetBack() async throws {
        try await reconciler.start()
        let passes = await reconciler.passes
        let past = clock.now() + .seconds(-700 * 86_400)
        clock.step(to: past)
        // Behind what the clock itself posted.
        #expect(await reconciler.passes == passes + 1)
        #expect(clock.nextDeadline == past + .seconds(30))
        await reconciler.stop()
    }

    @Test("a run whose starter was killed before the journal knew of it is taken up by a pass")
    func unknownRun() async throws {
        try await reconciler.start()
        let run = try #require(RunID("r1"))
        #expect(try tree.runsDirectory.createDirectory("r1", permissions: 0o700))
        await reconciler.take(.due(key: "pass", deadline: clock.now()))
        #expect(await reconciler.records[run] != nil)
        await reconciler.stop()
    }

    @Test("an answer that comes together with the request of its run is not refused while the run is being made")
    func answerWithRequest() async throws {
        let workflow = "kind: Workflow\nname: w\nsteps: [{id: q, ask: {prompt: Go on?, choices: [yes, no]}}]\n"
        try tree.root.write(Array(workflow.utf8), toNew: "workflows/w.yaml", durability: .relaxed)
        try await reconciler.start()
        let inbox = try #require(try tree.runsDirectory.openDirectory("inbox"))
        try inbox.write(Array(#"{"workflow":"w","id":"r1"}"#.utf8), toNew: "start.json", durability: .relaxed)
        try inbox.write(Array("yes".utf8), toNew: "r1.q.txt", durability: .relaxed)
        await reconciler.takeFromCommonInbox(["start.json", "r1.q.txt"])
        // It ends once the run is made.
        await reconciler.stop()
        #expect(try tree.runsDirectory.status("r1") != nil)
        #expect(try inbox.status("start.json") == nil)
        #expect(try inbox.status("rejected") == nil)
    }

    @Test("of the runs that ended before, those are taken up that have a file to refuse, or no glance")
    func endedRuns() async throws {
        let runs = try (1...300).map { try #require(RunID("r\($0)")) }
        for run in runs {
            let head = LedgerHead(seq: 1, digest: .zero, ts: .earliest, length: 1)
            try tree.journal.append([.runEnded(run, status: "completed", head: head)], at: clock.now())
            try system.createDirectories(FilePath("/tree/runs/\(run.text)/inbox/.claimed"))
            if run != runs[9] {
                try tree.runsDirectory.write([], toNew: FilePath("\(run.text)/run.json"), durability: .relaxed)
            }
        }
        try tree.runsDirectory.write([], toNew: "r20/inbox/approve.json", durability: .relaxed)
        try tree.runsDirectory.write([], toNew: "r30/inbox/.hidden", durability: .relaxed)
        try tree.runsDirectory.write([], toNew: "r290/inbox/.claimed/1-approve.json", durability: .relaxed)
        // The first start on a machine looks at the newest ends in any case.
        try tree.caches.write(Array(tree.boot.utf8), toNew: "boot", durability: .relaxed)

        // Whether this is a new boot is read when it is made.
        let again = Self.reconciler(tree, clock)
        try await again.start()
        // They come in turns, and whoever asks has its own between them.
        while await !again.endedRuns.isEmpty {}
        #expect(await Set(again.records.keys.map(\.text)) == ["r10", "r20", "r290"])
        await again.stop()
    }
}

/// A machine that starts nothing, sends nothing, and knows no secrets.
private struct NothingStarts: ProcessLauncher, HTTPPerformer, SecretReader {
    private struct Call: HTTPCall { func cancel() {} }

    func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> any RunningProcess { throw LaunchError(code: .shutDown, message: "nothing starts") }

    func adopt(
        exitFile: FilePath, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> Adoption { .neverBegan }

    func perform(_ request: HTTPRequestSpec, ended: @escaping @Sendable (HTTPOutcome) -> Void) -> any HTTPCall {
        Call()
    }

    func read(_ source: SecretSource) throws(SecretError) -> String { throw SecretError(.missing, "no secrets") }

    func shutDown() {}
}
