import Glibc
import Harness
import SystemPackage
import WaybillTestKit

/// Keeps runs under way and daemons at work, kills one process after the other, and has everything checked at the end.
struct Torture {
    /// Without any news for so long, nobody will end any more.
    private static let patienceSeconds = 60.0
    private static let reportEverySeconds = 10.0
    private static let weights: [(Victim, Int)] = [(.daemon, 40), (.supervisor, 15), (.monitor, 20), (.step, 25)]
    /// How often one of the picked kind is looked for, before it is any other: steps are short.
    private static let mostMisses = 20
    /// About as many entries has a run: only how kills are spread depends on it.
    private static let entriesPerRun = 60.0

    let options: Options
    let tree: TortureTree
    private var random: SeededGenerator
    private var staff: Staff
    private var people: People
    private var live: [String: WatchedRun] = [:]
    private var started = 0
    private var ended = 0
    private var killed: [Victim: Int] = [:]
    /// Who is to be killed next, once one of that kind is there.
    private var next: Victim?
    private var misses = 0
    private var lastNews = Seconds.now
    private var lastReport = Seconds.now

    init(_ options: Options) throws {
        self.options = options
        let bin = FilePath(CommandLine.arguments[0]).removingLastComponent()
        let waybill = try Disk.absolute(options.waybill ?? bin.appending("waybill"))
        let directory = try Disk.absolute(options.directory ?? bin)
        tree = try TortureTree(in: directory, waybill: waybill, seed: options.seed)
        random = SeededGenerator(options.seed)
        staff = Staff(tree)
        people = People(tree, SeededGenerator(options.seed &+ 1))
    }

    private var kills: Int { killed.values.reduce(0, +) }

    /// - Returns: whether everything held.
    mutating func run() throws -> Bool {
        say("seed \(options.seed): \(options.runs) runs, \(options.kills) kills, in \(tree.root)")
        let begin = Seconds.now
        var problems: [String] = []
        do {
            try work()
            say("all runs ended, after \(Int(Seconds.now - begin)) s; \(count())")
            problems += try staff.dismiss()
            problems += Audit(tree, wanted: options.runs).problems()
        } catch let problem as Problem {
            problems.append(problem.description)
            staff.killAll()
        }
        if kills < options.kills { problems.append("only \(kills) of \(options.kills) kills were made") }
        for problem in problems { say("  \(problem)") }
        guard problems.isEmpty else {
            say("FAILED: \(problems.count) problems with seed \(options.seed); the tree is kept: \(tree.root)")
            return false
        }
        if !options.isKept { Disk.remove(tree.root) }
        say("ok: each run ended, each completed step had its effect exactly once, every ledger verifies")
        return true
    }

    private mutating func work() throws {
        try staff.hire()
        while ended < options.runs {
            try feed()
            let news = try look()
            if news > 0 { lastNews = Seconds.now }
            if news > 0 || next != nil { try killWhatIsDue() }
            try staff.tend(&random)
            report()
            if Seconds.now - lastNews > Self.patienceSeconds { throw Problem(standstill()) }
            poll(nil, 0, 2)
        }
    }

    /// Starts runs, by a file each.
    private mutating func feed() throws {
        while started < options.runs, live.values.count(where: \.isRoot) < options.atOnce {
            started += 1
            let isOrder = random.chance(70)
            let id = "\(isOrder ? "order" : "review")-\(started)"
            let inputs = isOrder ? #","inputs":{"vetoed":\#(random.chance(20))}"# : ""
            let request = #"{"workflow":"\#(isOrder ? "order" : "review")","id":"\#(id)"\#(inputs)}"#
            try Disk.drop(request, at: tree.runs.appending("inbox").appending("\(id).json"))
            live[id] = WatchedRun(id, isRoot: true, in: tree)
        }
    }

    /// Reads what is new, and has questions answered.
    ///
    /// - Returns: how many entries there were.
    private mutating func look() throws -> Int {
        var entries = 0
        for id in live.keys.sorted() {
            guard var run = live[id] else { continue }
            let hadBegun = run.hasBegun
            let news = run.look()
            entries += news.entries
            live[id] = run.isEnded ? nil : run
            if run.isEnded, run.isRoot { ended += 1 }
            for child in news.children where child != id && live[child] == nil {
                live[child] = WatchedRun(child, isRoot: false, in: tree)
            }
            if run.hasBegun, !hadBegun { try people.answerEarly(id) }
            for question in news.questions { try people.answer(question) }
        }
        return entries
    }

    // MARK: - Kills

    private mutating func killWhatIsDue() throws {
        let underWay = live.values.filter(\.isRoot).reduce(0.0) { $0 + min(1, Double($1.entries) / Self.entriesPerRun) }
        // Somewhat ahead, so that the last one comes before the last run ends.
        let progress = (Double(ended) + underWay) / Double(max(options.runs, 1)) * 1.05
        let due = min(options.kills, Int((Double(options.kills) * progress).rounded(.up)))
        guard kills < due else { return }
        let victim = next ?? pick()
        // Not only at the very moment at which an entry is written.
        if next == nil { poll(nil, 0, Int32(random.number(0..<20))) }
        next = victim
        guard let pid = ProcessTable(of: tree.root, daemons: staff.pids).kill(victim, &random) else {
            misses += 1
            if misses > Self.mostMisses { (next, misses) = (.daemon, 0) }
            return
        }
        (next, misses) = (nil, 0)
        killed[victim, default: 0] += 1
        if victim == .daemon { staff.mourn(pid, &random) }
    }

    private mutating func pick() -> Victim {
        var number = random.number(0..<Self.weights.reduce(0) { $0 + $1.1 })
        for (victim, weight) in Self.weights {
            if number < weight { return victim }
            number -= weight
        }
        return .daemon
    }

    // MARK: - Reports

    private func count() -> String {
        let kinds = Victim.allCases.map { "\(killed[$0] ?? 0) \($0.rawValue)s" }.joined(separator: ", ")
        return "\(ended) of \(options.runs) runs ended, \(kills) of \(options.kills) killed (\(kinds))"
    }

    private mutating func report() {
        guard Seconds.now - lastReport > Self.reportEverySeconds else { return }
        lastReport = Seconds.now
        say(count())
    }

    private func standstill() -> String {
        let runs = live.values.filter { $0.hasBegun || $0.isRoot }.map { run in
            let last = Disk.lines(tree.folder(of: run.id).appending("ledger.jsonl")).last?.prefix(160) ?? "not started"
            return "\n    \(run.id): \(last)"
        }
        return "nothing happened for \(Int(Self.patienceSeconds)) s; \(count())\(runs.sorted().joined())"
    }
}
