import Dispatch
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

    /// - Parameter drivers: attends to the lanes of runs; threads do where nil.
    private static func reconciler(
        _ tree: Tree, _ clock: ManualClock, drivers: (any LaneAttendant)? = nil
    ) -> Reconciler {
        var services = RuntimeServices(
            launcher: NothingStarts(), performer: NothingStarts(), secrets: NothingStarts(),
            watcher: ManualWatcher(), timers: clock, hookTimers: ManualClock())
        if let drivers {
            services.makeLane = { $0 == "waybill-tree" ? Lane(name: $0) : Lane(attendant: drivers) }
        }
        return Reconciler(tree: tree, services: services, options: ReconcilerOptions())
    }

    @Test("a run that fails again and again for a reason of its own is set aside until its file is removed")
    func setAside() async throws {
        let run = try #require(RunID("r1"))
        try await reconciler.start()
        reconciler.post { $0.records[run] = RunRecord() }
        for _ in 0..<4 { await reconciler.take(.failing("nobody knows why"), of: run, after: 0) }
        #expect(tree.runsSetAside.isEmpty)
        await reconciler.take(.failing("nobody knows why"), of: run, after: 0)
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

    private static let glance = RunGlance(
        status: .waiting, deadline: nil, lookAgainAt: nil, openWaits: 0, isQueued: false, parent: nil,
        uncountedRejections: 0, heldCommonNames: HeldNames(), events: [], requests: 0, ledger: .start(genesis: .zero))

    @Test("a driver that was woken while it came to rest has the run for itself until it says so again")
    func wokenWhileComingToRest() async throws {
        let run = try #require(RunID("r1"))
        let reconciler = Self.reconciler(tree, clock, drivers: NobodyAttends())
        try await reconciler.start()
        await reconciler.register(run, Wake())
        await reconciler.take(.working(Self.glance, projectAt: nil), of: run, after: 1)
        let driver = try #require(await reconciler.records[run]?.driver)
        // A file comes while the driver's word of its rest is under way.
        await reconciler.wake(run, Wake(completeNames: ["q.txt"]))
        await reconciler.take(.dormant(Self.glance), of: run, after: 1)
        #expect(await reconciler.records[run]?.phase == .busy)
        #expect(await reconciler.records[run]?.driver === driver)
        #expect(await reconciler.placesTaken == 1)

        await reconciler.take(.dormant(Self.glance), of: run, after: 2)
        #expect(await reconciler.records[run]?.phase == .dormant)
        #expect(await reconciler.records[run]?.driver == nil)
        #expect(await reconciler.placesTaken == 0)
    }

    @Test("what a driver gave back before it was woken again is done after that")
    func givenBackWhileWoken() async throws {
        let run = try #require(RunID("r1"))
        let reconciler = Self.reconciler(tree, clock, drivers: NobodyAttends())
        try await reconciler.start()
        await reconciler.register(run, Wake())
        await reconciler.take(.working(Self.glance, projectAt: nil), of: run, after: 1)
        await reconciler.wake(run, Wake(completeNames: ["q.txt"]))
        await reconciler.keep(Wake(commonNames: ["r1.q.txt"]), for: run)
        await reconciler.take(.stalled("the disk is full"), of: run, after: 1)
        #expect(await reconciler.records[run]?.phase == .busy)
        #expect(await reconciler.records[run]?.pending?.commonNames == ["r1.q.txt"])
        #expect(await reconciler.records[run]?.returned == nil)
    }

    @Test("a place is given back once, and taken again by a run that goes on by itself")
    func places() async throws {
        let run = try #require(RunID("r1"))
        let reconciler = Self.reconciler(tree, clock, drivers: NobodyAttends())
        try await reconciler.start()
        await reconciler.register(run, Wake())
        #expect(await reconciler.placesTaken == 1)
        for _ in 0..<2 {
            await reconciler.take(.busy("somebody has it"), of: run, after: 1)
            #expect(await reconciler.placesTaken == 0)
        }
        for _ in 0..<2 {
            await reconciler.take(.working(Self.glance, projectAt: nil), of: run, after: 1)
            #expect(await reconciler.placesTaken == 1)
        }
        await reconciler.take(.ended(Self.glance), of: run, after: 1)
        #expect(await reconciler.placesTaken == 0)
    }

    @Test("who settles a tree returns once it is at rest, whatever executor they prefer")
    func settleFromElsewhere() async throws {
        // As many as are looked at in three turns: between them the settling task looks, and waits.
        for number in 1...300 {
            let run = try #require(RunID("r\(number)"))
            let head = LedgerHead(seq: 1, digest: .zero, ts: .earliest, length: 1)
            try tree.journal.append([.runEnded(run, status: "completed", head: head)], at: clock.now())
            try system.createDirectories(FilePath("/tree/runs/\(run.text)/inbox"))
            try tree.runsDirectory.write([], toNew: FilePath("\(run.text)/run.json"), durability: .relaxed)
        }
        try tree.caches.write(Array(tree.boot.utf8), toNew: "boot", durability: .relaxed)
        let again = Self.reconciler(tree, clock)
        // Ends one that hangs, long after all tests together are over, however busy the machine.
        let watchdog = DispatchWorkItem {
            Issue.record("it still waits for rest")
            Task { await again.stop() }
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + 1_800, execute: watchdog)
        let report = try await Task(executorPreference: Elsewhere()) { try await again.settle(.everything) }.value
        watchdog.cancel()
        #expect(report.problems.isEmpty)
        await again.stop()
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

/// A thread that tasks prefer.
private final class Elsewhere: TaskExecutor {
    private let lane = Lane(name: "elsewhere")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        lane.submit { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Runs no driver.
private struct NobodyAttends: LaneAttendant {
    func attend(_ lane: Lane) {}
}
