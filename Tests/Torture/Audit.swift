import Harness
import SystemPackage
import WaybillCore

/// What must hold of a tree whose runs have all ended. It reads ledgers and the lines that steps wrote by itself.
struct Audit {
    private struct Attempt: Hashable {
        let step: String
        let visit: Int64
        let number: Int64
    }

    private static let mostProblems = 30

    private let tree: TortureTree
    private let wanted: Int

    /// - Parameter wanted: how many runs were started.
    init(_ tree: TortureTree, wanted: Int) {
        self.tree = tree
        self.wanted = wanted
    }

    func problems() -> [String] {
        var problems: [String] = []
        let runs = Disk.names(in: tree.runs).filter { Disk.exists(tree.folder(of: $0).appending("ledger.jsonl")) }
        let roots = runs.filter { $0.hasPrefix("order-") || $0.hasPrefix("review-") }
        if roots.count != wanted { problems.append("\(roots.count) runs are there, and \(wanted) were started") }
        for inbox in [tree.runs.appending("inbox")] + runs.map({ tree.folder(of: $0).appending("inbox") }) {
            problems += leftovers(in: inbox)
        }
        var completed = 0
        for run in runs.sorted() { problems += check(run, &completed) }
        say("\(runs.count) runs with those that were called, \(completed) completed steps that had an effect")
        return Array(problems.prefix(Self.mostProblems))
    }

    private func leftovers(in inbox: FilePath) -> [String] {
        let names = Disk.names(in: inbox).filter { !$0.hasPrefix(".") && $0 != "accepted" && $0 != "rejected" }
        let claimed = Disk.names(in: inbox.appending(".claimed"))
        return (names + claimed).map { "\(inbox) still holds \($0)" }
    }

    // MARK: - One run

    private func check(_ run: String, _ completed: inout Int) -> [String] {
        var entries = Disk.lines(tree.folder(of: run).appending("ledger.jsonl")).map { line in
            (try? JSON.parse([UInt8](line.utf8))) ?? .null
        }
        var problems = checkEnd(of: run, entries)
        // A run that undoes another one begins with a copy of its past.
        if let fork = entries.firstIndex(where: { $0["type"]?.stringValue == "FORKED" }) {
            entries.removeFirst(fork + 1)
        }
        var launched: Set<Attempt> = []
        // What a check looks for is the effect of the step that it checks.
        var keys: [Attempt: String] = [:]
        var done: Set<Attempt> = []
        for entry in entries {
            guard let step = entry["step"]?.stringValue, let visit = entry["visit"]?.intValue,
                let number = entry["attempt"]?.intValue
            else { continue }
            let attempt = Attempt(step: step, visit: visit, number: number)
            let visited = Attempt(step: step, visit: visit, number: 0)
            switch entry["type"]?.stringValue {
            case "TASK_START" where entry["data"]?["action"]?.stringValue == "run":
                if done.contains(visited) { problems.append("\(run): \(step) starts again after it completed") }
                if !launched.insert(attempt).inserted { problems.append("\(run): \(attempt) starts twice") }
                let key = Digest.sha256("\(run)/\(step)/\(visit)").hex
                keys[visited] = entry["data"]?["idempotencyKey"]?.stringValue ?? key
            case "TASK_END" where entry["data"]?["status"]?.stringValue == "completed":
                if done.contains(visited) { problems.append("\(run): \(step) completes twice") }
                done.insert(visited)
            default: continue
            }
        }
        let effective = launched.map { Attempt(step: $0.step, visit: $0.visit, number: 0) }
        let finished = done.intersection(effective)
        completed += finished.count
        return problems + checkEffects(of: run, keys, finished) + checkAttempts(of: run, launched)
    }

    private func checkEnd(of run: String, _ entries: [Value]) -> [String] {
        let ends = entries.filter { $0["type"]?.stringValue == "RUN_END" }
        guard ends.count == 1, let end = ends.first?["data"] else { return ["\(run) has \(ends.count) ends"] }
        let glance = Disk.bytes(tree.folder(of: run).appending("run.json")).flatMap { try? JSON.parse($0) }
        guard glance?["status"] == end["status"] else { return ["\(run): run.json does not say how it ended"] }
        guard end["status"]?.stringValue != "completed", !run.hasSuffix("-undo") else { return [] }
        // What was seen to die is not asked for again where that could be twice; nothing else may fail.
        let step = glance?["error"]?["step"]?.stringValue ?? ""
        return ["veto", "charge", "book", "ship"].contains(step)
            ? []
            : ["\(run) \(end["status"]?.stringValue ?? "?"): \(glance?["error"].map(String.init(describing:)) ?? "")"]
    }

    private func checkEffects(of run: String, _ keys: [Attempt: String], _ finished: Set<Attempt>) -> [String] {
        var effects: [String: Int] = [:]
        for key in Disk.lines(tree.effects(of: run)) { effects[key, default: 0] += 1 }
        var problems: [String] = []
        let steps = Dictionary(keys.map { ($0.value, $0.key.step) }, uniquingKeysWith: { first, _ in first })
        for (key, count) in effects {
            guard let step = steps[key] else {
                problems.append("\(run): an effect belongs to no step that started: \(key)")
                continue
            }
            if count > 1 { problems.append("\(run): the effect of \(step) happened \(count) times") }
        }
        for attempt in finished {
            let count = keys[attempt].flatMap { effects[$0] } ?? 0
            if count != 1 {
                problems.append("\(run): \(attempt.step) completed, and its effect happened \(count) times")
            }
        }
        return problems
    }

    /// No attempt runs twice, and none that is not in the ledger.
    private func checkAttempts(of run: String, _ launched: Set<Attempt>) -> [String] {
        var problems: [String] = []
        var seen: Set<String> = []
        let known = Set(
            launched.map { "\($0.step) \(Digest.sha256("\(run)/\($0.step)/\($0.visit)").hex) \($0.number)" })
        for line in Disk.lines(tree.attempts(of: run)) {
            if !seen.insert(line).inserted { problems.append("\(run): an attempt ran twice: \(line)") }
            if !known.contains(line) { problems.append("\(run): an attempt ran that is not in the ledger: \(line)") }
        }
        return problems
    }
}
