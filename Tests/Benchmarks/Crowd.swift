import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// A tree with as many runs as an installation has after years: made in minutes, of a few that were really run.
struct Crowd {
    private static let manifest = """
        kind: Workflow
        name: bench
        inputs:
          asks: {type: boolean}
          listens: {type: boolean, default: false}
        steps:
          - {id: build, set: {version: 1}}
          - {id: approve, if: inputs.asks, ask: {prompt: "Ship it?", approval: true}}
          - {id: listen, if: inputs.listens, wait: {event: {type: go}}}
          - {id: ship, set: {shipped: "${{ steps.build.output.version }}"}}
        """
    /// Runs of one kind are numbered with so many digits: their ids must be of one length.
    private static let digits = 7

    let tree: BenchTree

    init(at root: FilePath) throws { tree = try BenchTree(at: root, manifest: Self.manifest) }

    private static func id(_ kind: String, _ number: Int) throws -> RunID {
        let text = String(number)
        guard let run = RunID("\(kind)-" + String(repeating: "0", count: digits - text.utf8.count) + text) else {
            throw BenchmarkError(description: "\(kind) makes no run id")
        }
        return run
    }

    /// Adds runs that have just been started and that nobody has taken up.
    func addStarted(_ count: Int) throws -> [RunID] {
        let first = try Self.id("new", 0)
        try tree.start(first, inputs: ["asks": true])
        return try add(count, like: first, kind: "new")
    }

    /// Adds runs that wait for an answer.
    func addWaiting(_ count: Int) async throws -> [RunID] {
        let first = try Self.id("open", 0)
        try tree.start(first, inputs: ["asks": true])
        try await tree.settle()
        return try add(count, like: first, kind: "open")
    }

    /// Adds runs that wait for one event of the type `go`.
    func addListening(_ count: Int) async throws -> [RunID] {
        let first = try Self.id("hear", 0)
        try tree.start(first, inputs: ["asks": false, "listens": true])
        try await tree.settle()
        return try add(count, like: first, kind: "hear")
    }

    /// How many of the runs have ended, as the journal says.
    func countEnded() throws -> Int {
        try tree.tree.journal.query(following: true) { index in index.runs.count { $0.value.ended != nil } }
    }

    /// Adds runs that have ended.
    func addFinished(_ count: Int) async throws -> [RunID] {
        let first = try Self.id("done", 0)
        try tree.start(first, inputs: ["asks": false])
        try await tree.settle()
        return try add(count, like: first, kind: "done")
    }

    private func add(_ count: Int, like first: RunID, kind: String) throws -> [RunID] {
        let mould = try RunMould(first, of: tree)
        let runs = tree.root.at("runs")
        var made = [first]
        var drafts: [EntryDraft] = []
        for number in 1..<max(1, count) {
            let run = try Self.id(kind, number)
            drafts += try mould.cast(run, in: runs)
            made.append(run)
        }
        try append(drafts)
        return made
    }

    /// Each entry is a decision of its own, as starts and ends come. They bear the time of the last real one: an end that
    /// the journal dates long before `run.json` would not be genuine.
    private func append(_ drafts: [EntryDraft]) throws {
        var head = try tree.tree.journal.read(from: .beginning) { _ in }.head
        let file = try FileDescriptor.open(tree.root.at("runs/journal.jsonl"), .writeOnly, options: .append)
        try file.closeAfter {
            var lines: [UInt8] = []
            for draft in drafts {
                for (_, line) in head.append([draft], at: head.ts) { lines += line }
                guard lines.count >= 1 << 20 else { continue }
                _ = try file.writeAll(lines)
                lines.removeAll(keepingCapacity: true)
            }
            _ = try file.writeAll(lines)
        }
    }
}
