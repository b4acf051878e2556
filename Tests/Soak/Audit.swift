import Glibc
import Harness
import SystemPackage
import WaybillCore

/// What must hold of the tree once the daemon has stopped. It reads ledgers by itself, and has Waybill verify them.
struct Audit {
    private static let mostProblems = 30
    /// How long steps and their monitors may take to end after the daemon did.
    private static let patienceSeconds = 60.0

    private let tree: SoakTree
    private let requested: Int

    /// - Parameter requested: how many runs were asked for.
    init(_ tree: SoakTree, requested: Int) {
        self.tree = tree
        self.requested = requested
    }

    func problems() throws -> [String] {
        var problems = checkRuns()
        let begin = Seconds.now
        let end = try Program(tree.command(["verify"]), output: tree.root.appending("verify.log")).wait()
        if end != .exited(0) { problems.append("waybill verify: \(end)") }
        say("verified all of them and the journal in \(Text.fixed(Seconds.now - begin, decimals: 1)) s")
        problems += checkProcesses()
        return Array(problems.prefix(Self.mostProblems))
    }

    private func checkRuns() -> [String] {
        var problems: [String] = []
        let runs = Disk.names(in: tree.runs).filter { !$0.hasPrefix(".") && $0 != "inbox" && !$0.hasPrefix("journal") }
        let waiting = (Disk.names(in: tree.inbox) + Disk.names(in: tree.inbox.appending(".claimed"))).filter(isStart)
        var open = 0
        for run in runs {
            guard let last = Disk.lines(tree.ledger(of: run)).last, let entry = try? JSON.parse(last) else {
                problems.append("\(run) has no ledger")
                continue
            }
            if entry["type"]?.stringValue != "RUN_END" {
                open += 1
            } else if entry["data"]?["status"]?.stringValue != "completed" {
                problems.append("\(run) \(entry["data"]?["status"]?.stringValue ?? "ended somehow")")
            }
            problems += refused(in: tree.folder(of: run).appending("inbox"))
        }
        let roots = runs.count { !$0.hasPrefix("shipment-") }
        if roots + waiting.count != requested {
            problems.append("\(requested) runs were asked for, \(roots) are there and \(waiting.count) wait to be")
        }
        say("\(Text.count(runs.count)) runs with those that were called, \(Text.count(open)) of them still open")
        return problems + refused(in: tree.inbox)
    }

    /// Whether a file is a start request; an answer names a run, too, and then its key.
    private func isStart(_ name: String) -> Bool {
        let name = name.split(separator: "~").last ?? ""
        return name.hasSuffix(".json")
            && Kind.allCases.contains { kind in
                name.hasPrefix("\(kind.rawValue)-") && Int(name.dropLast(5).dropFirst(kind.rawValue.count + 1)) != nil
            }
    }

    private func refused(in inbox: FilePath) -> [String] {
        Disk.names(in: inbox.appending("rejected")).map { "\(inbox) has refused \($0)" }
    }

    private func checkProcesses() -> [String] {
        let deadline = Seconds.now + Self.patienceSeconds
        var left = ProcessTable(of: tree.root, daemons: []).others
        while !left.isEmpty, Seconds.now < deadline {
            poll(nil, 0, 100)
            left = ProcessTable(of: tree.root, daemons: []).others
        }
        return left.isEmpty ? [] : ["processes are left: \(left)"]
    }
}
