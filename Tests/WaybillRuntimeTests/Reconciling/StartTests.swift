import Synchronization
import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

@testable import WaybillRuntime

@Suite("Runs that the common inbox asks for")
struct StartTests {
    /// More than are made at once.
    private static let many = 40

    private final class Seen: Sendable {
        private let all = Mutex<[String]>([])
        var names: [String] { all.withLock { $0 } }
        func insert(_ name: String) { all.withLock { $0.append(name) } }
    }

    private let system = MemoryFileSystem()
    private let clock = ManualClock()
    private let tree: Tree
    private let reconciler: Reconciler
    private let inbox: any Directory
    private let launches = LaunchesSeen()
    private let watcher = ManualWatcher()
    private let reports = SharedCounter()

    init() throws {
        try system.createDirectories("/tree/workflows")
        tree = try Tree.open("/tree", fileSystem: system, clock: clock)
        let services = RuntimeServices(
            launcher: launches, performer: NothingStarts(), secrets: NothingStarts(),
            watcher: watcher, timers: clock, hookTimers: ManualClock())
        var options = ReconcilerOptions()
        options.onReport = { [reports] _ in _ = reports.increment() }
        reconciler = Reconciler(tree: tree, services: services, options: options)
        inbox = try #require(try tree.runsDirectory.openDirectory("inbox"))
    }

    private func add(_ workflow: String) throws {
        try tree.root.write(Array(workflow.utf8), toNew: "workflows/w.yaml", durability: .relaxed)
    }

    private func drop(_ text: String, as name: FilePath.Component) throws -> FilePath.Component {
        try inbox.write(Array(text.utf8), toNew: FilePath(root: nil, [name]), durability: .relaxed)
        return name
    }

    /// Drops a request, and stops when all that follows from it is done.
    private func settle(_ request: String, as name: FilePath.Component) async throws {
        await reconciler.takeFromCommonInbox([try drop(request, as: name)])
        await reconciler.untilRest()
        await reconciler.stop()
    }

    /// Of runs that are numbered, so that names and numbers have one order.
    private func requests(_ data: String = "") throws -> [FilePath.Component] {
        try (100..<100 + Self.many).map { number in
            let name = try #require(FilePath.Component("r\(number).json"))
            return try drop(#"{"workflow":"w","id":"r\#(number)"\#(data)}"#, as: name)
        }
    }

    private func rejected() throws -> [String] {
        try (inbox.entries("rejected", limit: 1_000) ?? []).map(\.name.string).sorted()
    }

    private func start(of run: RunID) throws -> Entry { try #require(try RunStarter.firstEntry(of: run, in: tree)) }

    @Test("answers wait behind the requests for their runs, however many these are")
    func answersBehindRequests() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: q, ask: {prompt: Go on?, choices: [yes, no]}}]\n")
        try await reconciler.start()
        let names = try requests()
        let answers = try names.map { try drop("yes", as: #require(FilePath.Component("\($0.stem).q.txt"))) }
        await reconciler.takeFromCommonInbox(names + answers)
        await reconciler.untilRest()
        await reconciler.stop()
        #expect(try rejected() == [])
        #expect(try tree.journal.query(following: true) { $0.runs.values.count { $0.ended != nil } } == Self.many)
    }

    @Test("a run that was just made stays open, and shows all of itself")
    func justMade() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: a, set: {b: 1}}, {id: q, ask: {prompt: Go on?}}]\n")
        try await reconciler.start()
        let openings = SharedCounter()
        system.setPlan { operation in
            if operation.kind == .open, operation.path.string.hasSuffix("/r1/ledger.jsonl") { _ = openings.increment() }
            return nil
        }
        try await settle(#"{"workflow":"w","id":"r1"}"#, as: "r1.json")
        #expect(openings.increment() == 0)
        #expect(try shown(by: "r1") == ["checkpoints/5.json", "waits/q.json", "run.json"])
    }

    @Test("a run shows all of itself from the moment at which it is there, and is never written anew for that")
    func shownAtOnce() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: a, snapshot: {name: s}}, {id: q, ask: {prompt: Go on?}}]\n")
        let started = try RunStarter(tree: tree, sources: SourceTree(root: tree.root)).start(
            StartRequest(workflow: "w", id: "r1"))
        #expect(started.isNew)
        #expect(try shown(by: "r1") == ["checkpoints/6.json", "waits/q.json", "snapshots/s.json", "run.json"])
        try await reconciler.start()
        let replaced = Seen()
        system.setPlan { operation in
            if operation.kind == .rename { replaced.insert(operation.path.lastComponent?.string ?? "") }
            return nil
        }
        try await settle(#"{"workflow":"w","id":"r2"}"#, as: "r2.json")
        #expect(try shown(by: "r2") == ["checkpoints/6.json", "waits/q.json", "snapshots/s.json", "run.json"])
        #expect(replaced.names.filter { $0.contains("run.json") || $0.contains("q.json") } == [])
    }

    @Test("a run that is over as it is made is not watched")
    func overAtOnce() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: a, set: {b: 1}}]\n")
        try await reconciler.start()
        let before = watcher.beginnings
        try await settle(#"{"workflow":"w","id":"r1"}"#, as: "r1.json")
        #expect(watcher.beginnings == before)
        let run = try #require(RunID("r1"))
        #expect(try tree.journal.query(following: true) { $0.runs[run]?.ended != nil })
        #expect(try shown(by: "r1") == ["checkpoints/3.json", "run.json"])
    }

    /// The files that follow from a run's ledger, all of them compared with what is there.
    private func shown(by id: String) throws -> [String] {
        let run = try #require(RunID(id))
        let folder = try #require(try tree.runs.open(run))
        let definition = try DefinitionCache().definition(of: run, in: tree)
        let rebuild = RunRebuild(
            tree: tree, folder: folder, definition: definition.workflow, genesis: definition.digest)
        var shown: [String] = []
        _ = try rebuild.everything { projection in
            shown.append(projection.path.string)
            #expect((try? folder.read(projection.path, limit: 1 << 20)) == projection.bytes, "\(projection.path)")
        }
        let waits = shown.filter { $0.hasPrefix("waits/") }.map { String($0.dropFirst(6)) }
        #expect(try folder.names(in: RunFolder.waits) == waits)
        return shown
    }

    @Test("a run that is being made is left to its maker, though the journal tells of it already")
    func beingMade() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: q, ask: {prompt: Go on?}}]\n")
        try await reconciler.start()
        let reconciler = reconciler
        let (news, openings) = (SharedCounter(), SharedCounter())
        system.setPlan { operation in
            if operation.kind == .rename, operation.path.string.contains("/.building/") {
                _ = news.increment()
                reconciler.post { $0.takeUpNewRuns() }
            }
            if operation.kind == .open, operation.path.string.hasSuffix("/r1/ledger.jsonl") { _ = openings.increment() }
            return nil
        }
        try await settle(#"{"workflow":"w","id":"r1"}"#, as: "r1.json")
        #expect(news.increment() == 1)
        #expect(openings.increment() == 0)
        #expect(reports.increment() == 1)
    }

    @Test("a run that somebody else makes while it is asked for in another way is taken up all the same")
    func madeByOthers() async throws {
        try add("kind: Workflow\nname: w\ninputs: {n: {default: 1}}\nsteps: [{id: q, ask: {prompt: Go on?}}]\n")
        try await reconciler.start()
        _ = try RunStarter(tree: tree, sources: SourceTree(root: tree.root)).start(
            StartRequest(workflow: "w", id: "r1"))
        let reconciler = reconciler
        let news = SharedCounter()
        system.setPlan { operation in
            // The moment at which the request has a claim that names the run.
            if operation.kind == .rename, operation.path.string.contains("/.claimed/"), news.increment() == 0 {
                reconciler.post { $0.takeUpNewRuns() }
            }
            return nil
        }
        try await settle(#"{"workflow":"w","id":"r1","inputs":{"n":2}}"#, as: "one.json")
        #expect(news.increment() > 0)
        #expect(try rejected() == ["2-one.json", "2-one.json.reason.json"])
        let run = try #require(RunID("r1"))
        let folder = try #require(try tree.runs.open(run))
        #expect(try folder.names(in: RunFolder.waits) == ["q.json"])
    }

    @Test("a run that ended daemons is opened with care, also where somebody asks for it in another way meanwhile")
    func suspect() async throws {
        try add("kind: Workflow\nname: w\ninputs: {n: {default: 1}}\nsteps: [{id: q, ask: {prompt: Go on?}}]\n")
        let run = try RunStarter(tree: tree, sources: SourceTree(root: tree.root)).start(
            StartRequest(workflow: "w", id: "r1")
        ).run
        do {
            let marks = OpeningMarks(in: tree.caches)
            marks.begin()
            marks.enter(run)
        }
        _ = try drop(#"{"workflow":"w","id":"r1","inputs":{"n":2}}"#, as: "one.json")
        let openings = SharedCounter()
        system.setPlan { operation in
            if operation.kind == .open, operation.path.string.hasSuffix("/r1/ledger.jsonl") { _ = openings.increment() }
            return nil
        }
        try await reconciler.start()
        await reconciler.untilRest()
        await reconciler.stop()
        #expect(try rejected() == ["2-one.json", "2-one.json.reason.json"])
        #expect(openings.increment() > 0)
        let after = OpeningMarks(in: tree.caches)
        after.begin()
        #expect(after.suspects.isEmpty)
    }

    @Test("the first step of a run finds everything that the run shows")
    func firstStepLooks() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: q, ask: {prompt: Go on?}}, {id: a, needs: [], run: [x]}]\n")
        let tree = tree
        launches.look {
            let folders: [FilePath] = ["r1", "r1/waits"]
            return try Set(folders.flatMap { try tree.runsDirectory.entries($0, limit: 99)?.map(\.name.string) ?? [] })
        }
        try await reconciler.start()
        try await settle(#"{"workflow":"w","id":"r1"}"#, as: "r1.json")
        let seen = try #require(launches.seen.first)
        #expect(seen.isSuperset(of: ["run.json", "q.json"]), "\(seen)")
    }

    @Test("runs of one group stand in line in the order of their requests")
    func inLine() async throws {
        try add(
            """
            kind: Workflow
            name: w
            concurrency: {group: all, limit: 200}
            steps: [{id: q, ask: {prompt: Go on?}}]
            """)
        try await reconciler.start()
        let names = try requests()
        await reconciler.takeFromCommonInbox(names)
        await reconciler.untilRest()
        await reconciler.stop()
        let line = try tree.journal.query(following: true) { $0.groups["all"] ?? [] }
        #expect(line.map(\.text) == names.map(\.stem))
    }

    @Test("a run hears of the events that were dropped after its request, and of none before")
    func eventsBehindRequests() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: q, wait: {event: {type: go}}}]\n")
        try await reconciler.start()
        func event(_ number: Int) throws -> FilePath.Component {
            try drop(
                #"{"specversion":"1.0","type":"go","source":"/here","id":"\#(number)"}"#,
                as: #require(FilePath.Component("event\(number).json")))
        }
        let before = try event(1)
        let names = try requests()
        let after = try event(2)
        await reconciler.takeFromCommonInbox([before] + names + [after])
        await reconciler.untilRest()
        await reconciler.stop()
        let ended = try tree.journal.query(following: true) { $0.runs.values.count { $0.ended != nil } }
        #expect(ended == Self.many)
        var last = 0
        for name in names {
            let seq = try start(of: #require(RunID(name.stem))).data["journal"]?.intValue
            last = max(last, Int(try #require(seq)))
        }
        let arrival = try #require(try tree.events.arrivals(after: 0, limit: 10, following: true).last)
        #expect(last < arrival.seq)
    }

    @Test("an answer to a run that could not be made is refused with its request")
    func answerToNothing() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: q, ask: {prompt: Go on?, choices: [yes, no]}}]\n")
        try await reconciler.start()
        let names = [
            try drop(#"{"workflow":"other","id":"r1"}"#, as: "one.json"), try drop("yes", as: "r1.q.txt"),
            try drop(#"{"workflow":"w","id":"r2"}"#, as: "two.json"),
        ]
        await reconciler.takeFromCommonInbox(names)
        await reconciler.untilRest()
        await reconciler.stop()
        #expect(try tree.runsDirectory.status("r1") == nil)
        #expect(try tree.runsDirectory.status("r2") != nil)
        var refused: [String] = []
        _ = try tree.journal.read(from: .beginning) { item in
            guard item.entry.data["kind"] != nil else { return }
            refused.append("\(item.entry.type) \(item.entry.data["file"]?.stringValue ?? "")")
        }
        #expect(refused.sorted() == ["ANSWER_REFUSED r1.q.txt", "START_REFUSED one.json"])
    }

    @Test("what was claimed before the door was lost is judged again: requests first, then answers to their runs")
    func leftovers() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: q, ask: {prompt: Go on?, choices: [yes, no]}}]\n")
        let door = InboxDoor(inbox)
        for name in try requests() {
            _ = try door.claim(drop("yes", as: #require(FilePath.Component("\(name.stem).q.txt"))))
            var request = try #require(try door.claim(name))
            try door.rename(&request, as: name)
        }
        try await reconciler.start()
        await reconciler.untilRest()
        await reconciler.stop()
        #expect(try rejected() == [])
        #expect(try tree.journal.query(following: true) { $0.runs.values.count { $0.ended != nil } } == Self.many)
        #expect(try door.leftovers() == [])
    }

    @Test("a request has its run's name for good before there is the run, whoever gave it that name")
    func sureName() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: a, set: {b: 1}}]\n")
        let door = InboxDoor(inbox)
        var claimed = try #require(try door.claim(drop(#"{"workflow":"w"}"#, as: "one.json")))
        // Renamed by a daemon that was killed just then.
        for folder in ["/", "/tree", "/tree/runs", "/tree/runs/inbox", "/tree/runs/inbox/.claimed"] as [FilePath] {
            try #require(try system.openDirectory(folder)).synchronize()
        }
        try door.rename(&claimed, as: "r1.json")
        try await reconciler.start()
        await reconciler.untilRest()
        await reconciler.stop()
        system.crash()
        let runs = try #require(try system.openDirectory("/tree/runs"))
        #expect(try runs.status("r1") != nil)
        #expect(try runs.entries("inbox/.claimed", limit: 9)?.map(\.name.string) == ["r1.json"])
    }

    @Test("an answer that was refused before its run was asked for stays refused, whenever the daemon was killed")
    func refusedBefore() async throws {
        try add("kind: Workflow\nname: w\nsteps: [{id: q, ask: {prompt: Go on?, choices: [yes, no]}}]\n")
        let door = InboxDoor(inbox)
        let answer = try #require(try door.claim(drop("yes", as: "r1.q.txt")))
        // What stood in the journal when the file was about to be moved.
        let data: Object = [
            "file": "r1.q.txt", "changedAt": .string(answer.changed.description), "kind": "unknown-run",
            "sha256": .string(try #require(answer.sha256).hex), "message": "there is no run 'r1'",
        ]
        try tree.journal.append([EntryDraft(.answerRefused, actor: .user, data: data)], at: clock.now())
        var request = try #require(try door.claim(drop(#"{"workflow":"w","id":"r1"}"#, as: "r1.json")))
        try door.rename(&request, as: "r1.json")
        try await reconciler.start()
        await reconciler.untilRest()
        await reconciler.stop()
        #expect(try rejected().count == 2)
        let ends = try tree.journal.query(following: true) { $0.runs.values.map { $0.ended != nil } }
        #expect(ends == [false])
    }
}
