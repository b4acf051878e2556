import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore
import WaybillTestKit

/// What must hold in every world at its end, whatever happened in it.
struct Invariants {
    let world: World
    var found: [String] = []

    init(_ world: World) { self.world = world }

    /// - Returns: what does not hold, in words.
    func check(_ rest: World.Rest) -> [String] {
        var checks = self
        if case .stuck(let how) = rest { checks.found.append("not everything ends: \(how)") }
        do {
            let tree = try world.tree(world.hands)
            try checks.checkPromises(tree)
            let journal = try checks.readJournal(tree)
            var books: [String: RunBook] = [:]
            for run in world.runNames(in: tree.runsDirectory) {
                books[run] = try checks.checkRun(run, tree, journal)
            }
            checks.checkLaunches(books)
            checks.checkRequests(books)
            if case .done = rest { checks.checkDrops(tree, journal, books) }
        } catch {
            checks.found.append("cannot be checked: \(error)")
        }
        return checks.found
    }

    // MARK: - Promises

    /// Nothing that was synced is gone.
    private mutating func checkPromises(_ tree: Tree) throws {
        guard let promises = world.disk.withVolume({ $0.promises }) else { return }
        let runs = Set(promises.names.values.joined().map(\.text).filter { RunID($0) != nil })
        func counts(_ names: [String]) -> Bool {
            names.count == 4 && names[1] == "runs" && runs.contains(names[2])
                || names == ["tree", "runs", "journal.jsonl"]
        }
        for (path, content) in promises.contents {
            let names = path.map(\.text)
            guard counts(names) else { continue }
            let place = FilePath(names.dropFirst().joined(separator: "/"))
            let now = try tree.root.read(place, limit: .max)
            if now?.starts(with: content) != true {
                found.append("\(place) lost what was synced: \(content.count) bytes then, \(now?.count ?? -1) now")
            }
        }
        for names in promises.broken.map({ $0.map(\.text) }) where counts(names) {
            found.append("\(names.joined(separator: "/")) lost what was synced, and was synced again since")
        }
        for run in runs where try tree.runsDirectory.status(FilePath(run)) == nil {
            found.append("the folder of run \(run) is gone")
        }
        for run in world.outside.people.started where try tree.runsDirectory.status(FilePath(run)) == nil {
            found.append("run \(run) was said to be started, and is not there")
        }
    }

    // MARK: - The journal

    private mutating func readJournal(_ tree: Tree) throws -> JournalBook {
        var book = JournalBook()
        guard case .whole = try tree.journal.verify(knownHeads: [:]) else {
            found.append("the journal does not verify")
            return book
        }
        _ = try tree.journal.read(from: .beginning) { book.take($0.entry) }
        found += book.problems
        for run in world.outside.people.started where book.started[run] == nil {
            found.append("run \(run) was said to be started, and the journal does not know")
        }
        return book
    }

    // MARK: - Runs

    private mutating func checkRun(_ name: String, _ tree: Tree, _ journal: JournalBook) throws -> RunBook {
        var book = RunBook(run: name)
        guard let run = RunID(name), let folder = try tree.runs.open(run) else { return book }
        let genesis = try tree.runs.definition(of: run).digest
        let verdict = try tree.ledgers.scan(run, from: .start(genesis: genesis), knownHeads: [:]) {
            book.take($0.entry)
        }
        guard case .whole(let head) = verdict else {
            found.append("the ledger of \(name) does not verify: \(verdict)")
            return book
        }
        found += book.problems
        if let end = journal.ended[name], end != head.digest.hex {
            found.append("the journal's end of \(name) is not its ledger's")
        }
        if journal.started[name] == nil { found.append("the journal does not know that \(name) started") }
        try checkProjections(run, folder, tree, genesis)
        return book
    }

    private mutating func checkProjections(
        _ run: RunID, _ folder: RunFolder, _ tree: Tree, _ genesis: Digest
    ) throws {
        let definition = try world.definition(of: run, in: tree, genesis)
        let rebuild = RunRebuild(tree: tree, folder: folder, definition: definition.workflow, genesis: genesis)
        var wrong: [String] = []
        var waits: Set<String> = []
        let report = try rebuild.everything { projection in
            let present = (try? folder.read(projection.path, limit: 1 << 24)) ?? nil
            if projection.path.starts(with: RunFolder.waits) {
                waits.insert(projection.path.lastComponent?.string ?? "")
            }
            if present != projection.bytes {
                let shown = projection.path == RunFolder.glance ? "" : present == nil ? " (missing)" : ""
                wrong.append("\(projection.path)\(shown)")
            }
        }
        if let fault = report.fault { found.append("the ledger of \(run) does not fold: \(fault.message)") }
        for name in (try? folder.names(in: RunFolder.waits)) ?? [] where !waits.contains(name) {
            wrong.append("waits/\(name) (nothing waits)")
        }
        if !wrong.isEmpty { found.append("projections of \(run) are not those of its ledger: \(wrong.sorted())") }
        if report.state.status == .quarantined { found.append("\(run) is quarantined") }
    }

    // MARK: - Effects

    /// Every program was meant, ran once, and completed what the ledger says it did.
    private mutating func checkLaunches(_ books: [String: RunBook]) {
        for (path, launch) in world.outside.launches {
            if launch.count != 1 { found.append("\(path) was launched \(launch.count) times") }
            guard let attempt = AttemptName(path) else { continue }
            guard let book = books[attempt.run] else {
                found.append("\(path) ran for a run that is gone")
                continue
            }
            guard book.starts.contains(attempt.name) else {
                found.append("\(path) ran without a recorded intent")
                continue
            }
            if let completed = book.completed[attempt.visitName] {
                if attempt.attempt > completed { found.append("\(path) ran after attempt \(completed) had completed") }
                if attempt.attempt == completed, launch.exitCode != 0, !book.isDeclared.contains(attempt.name) {
                    found.append("\(path) is recorded as completed, and ended with \(launch.exitCode ?? -1)")
                }
            }
        }
    }

    /// A server never gets more requests of one step than attempts are recorded.
    private mutating func checkRequests(_ books: [String: RunBook]) {
        guard !world.outside.received.isEmpty else { return }
        var recorded: [String: Int] = [:]
        for book in books.values {
            for name in book.starts {
                let key = IdempotencyKey.make(run: book.run, address: name.step, visit: name.visit)
                recorded[key, default: 0] += 1
            }
        }
        for (key, count) in world.outside.received where count > recorded[key] ?? 0 && !key.isEmpty {
            found.append("a server got \(count) requests of \(recorded[key] ?? 0) attempts")
        }
    }
}

extension World {
    /// A run's definition; worlds of one workload share what they compiled.
    func definition(of run: RunID, in tree: Tree, _ genesis: Digest) throws -> RunDefinition {
        if let known = definitions.known[genesis] { return known }
        let definition = try DefinitionCache().definition(of: run, in: tree)
        definitions.known[genesis] = definition
        return definition
    }
}

/// Definitions by their digest, and what was read of manifests.
final class SharedDefinitions: @unchecked Sendable {
    // One thread has all the worlds that share it.
    var known: [Digest: RunDefinition] = [:]
    let manifests = ManifestCache()
}
