import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
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
        let services = RuntimeServices(
            launcher: NothingStarts(), performer: NothingStarts(), secrets: NothingStarts(),
            watcher: ManualWatcher(), timers: clock, hookTimers: ManualClock())
        reconciler = Reconciler(tree: tree, services: services, options: ReconcilerOptions())
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
