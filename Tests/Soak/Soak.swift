import Glibc
import Harness
import SystemPackage
import WaybillTestKit

/// Keeps runs in flight, looks at the daemon meanwhile, and has everything checked at the end.
struct Soak {
    /// Start requests that the daemon has not taken up yet.
    private static let mostPending = 64
    /// Without any news for so long, something is stuck.
    private static let patienceSeconds = 60.0
    private static let readyWords = "attending"

    private let options: Options
    private let tree: SoakTree
    private var random: SeededGenerator
    private var post: Post
    private let watch: LedgerWatch
    private var agenda = Agenda()
    private var live: [String: LiveRun] = [:]
    private var requested = 0
    private var begun = 0
    private var ended = 0
    private var latencies: [Double] = []
    private var samples: [Sample] = []
    private var problems: [String] = []
    private var lastNews = Seconds.now

    init(_ options: Options) throws {
        self.options = options
        let bin = FilePath(CommandLine.arguments[0]).removingLastComponent()
        let waybill = try Disk.absolute(options.waybill ?? bin.appending("waybill"))
        let directory = try Disk.absolute(options.directory ?? bin)
        tree = try SoakTree(in: directory, waybill: waybill, seed: options.seed)
        random = SeededGenerator(options.seed)
        post = Post(tree)
        watch = try LedgerWatch(tree.runs)
    }

    /// - Returns: whether everything held.
    mutating func run() throws -> Bool {
        say("again: \(options.command)")
        let program = try Program(tree.command(["daemon"]), output: tree.log)
        do {
            try untilReady(program)
            try fill()
            try hold(Probe(program.pid, tree))
            kill(program.pid, SIGTERM)
            let end = program.wait()
            if end != .exited(0) { problems.append("the daemon that was told to stop ended with \(end)") }
            problems += try Audit(tree, requested: requested).problems()
        } catch let problem as Problem {
            problems.append(problem.description)
            for pid in ProcessTable(of: tree.root, daemons: []).others + [program.pid] { kill(pid, SIGKILL) }
        }
        return try conclude()
    }

    // MARK: - Work

    private func untilReady(_ program: Program) throws {
        let begin = Seconds.now
        while !(Disk.text(tree.log)?.contains(Self.readyWords) ?? false) {
            guard program.ended() == nil, Seconds.now - begin < Self.patienceSeconds else {
                throw Problem("the daemon does not attend: \(Disk.text(tree.log) ?? "")")
            }
            poll(nil, 0, 20)
        }
    }

    /// Brings so many runs in flight. The first ones are somewhere within their lives, so that they do not end together.
    private mutating func fill() throws {
        let begin = Seconds.now
        while begun < options.runs { try turn(until: Seconds.now + 0.1) }
        say(
            "\(Text.count(options.runs)) runs are in flight after \(Text.fixed(Seconds.now - begin, decimals: 1)) s;"
                + " about \(Text.number(Double(options.runs) / options.life, decimals: 1)) are to end in a second")
    }

    private mutating func hold(_ probe: Probe) throws {
        say(Sample.head)
        let begin = Seconds.now
        latencies = []
        var before = (at: begin, look: try probe.look(), own: Probe.ownProcessorSeconds, ended: ended)
        var number = 1
        while Double(number) * options.every <= options.seconds + 0.001 {
            let due = begin + Double(number) * options.every
            while Seconds.now < due { try turn(until: due) }
            let (now, look, own) = (Seconds.now, try probe.look(), Probe.ownProcessorSeconds)
            let seconds = now - before.at
            samples.append(
                Sample(
                    at: now - begin, inFlight: begun - ended, ended: ended,
                    endedPerSecond: Double(ended - before.ended) / seconds, look: look,
                    processor: (look.processorSeconds - before.look.processorSeconds) / seconds * 100,
                    ownProcessor: (own - before.own) / seconds * 100,
                    machineProcessor: (look.machineSeconds - before.look.machineSeconds) / seconds * 100,
                    journalBytes: Disk.size(tree.journal),
                    latencies: latencies))
            (before, latencies, number) = ((now, look, own, ended), [], number + 1)
            if let sample = samples.last { say(sample.row) }
            try checkForStandstill()
        }
    }

    /// Does what is due, and sleeps until there is news or something else is due.
    private mutating func turn(until end: Double) throws {
        try feed()
        watch.wait(seconds: min(end, agenda.nextDue ?? end) - Seconds.now)
        let changes = watch.read()
        for id in changes.begun where live[id].map({ !$0.hasBegun }) ?? false {
            try watch.add(id, tree.ledger(of: id))
            begun += 1
            try look(id)
        }
        for id in changes.isIncomplete ? Array(live.keys) : Array(changes.grown) { try look(id) }
        while let task = agenda.next(at: Seconds.now) { try carryOut(task) }
    }

    /// Starts as many runs as there is room for.
    private mutating func feed() throws {
        while requested - ended < options.runs, requested - begun < Self.mostPending {
            let kind = random.pick(Kind.allCases)
            let stretch = requested < options.runs ? Double.random(in: 0..<1, using: &random) : 1
            requested += 1
            let run = LiveRun("\(kind.rawValue)-\(requested)", kind, stretch: stretch, in: tree)
            live[run.id] = run
            try post.start(run, pauseSeconds: seconds(kind.shares.pause, stretch))
        }
    }

    /// A time around a share of a life.
    private mutating func seconds(_ share: Double, _ stretch: Double) -> Double {
        options.life * share * stretch * Double.random(in: 0.5..<1.5, using: &random)
    }

    private mutating func look(_ id: String) throws {
        guard var run = live[id] else { return }
        let news = run.look()
        live[id] = run
        if !news.isEmpty { lastNews = Seconds.now }
        for item in news {
            switch item {
            case .asks(let key):
                let delay = seconds(run.kind.shares.answer, run.stretch)
                agenda.add(.answer(run: id, key: key), at: Seconds.now + delay)
            case .awaitsEvent:
                agenda.add(.event(run: id), at: Seconds.now + seconds(run.kind.shares.event, run.stretch))
            case .wentOn(let after): latencies.append(after)
            case .ended(let status):
                ended += 1
                live[id] = nil
                watch.remove(id)
                if status != "completed" { problems.append("\(id) \(status)") }
            }
        }
    }

    private mutating func carryOut(_ task: Agenda.Task) throws {
        switch task {
        case .answer(let id, let key):
            guard var run = live[id] else { return }
            try post.answer(&run, key: key)
            live[id] = run
        case .event(let id):
            if let run = live[id] { try post.emit(for: run) }
        }
    }

    /// - Throws: ``Problem`` where an answer has no effect, or a run does nothing for longer than its waits are.
    private func checkForStandstill() throws {
        let now = Seconds.now
        for run in live.values {
            if let answered = run.answered, now - answered > Self.patienceSeconds {
                throw Problem("\(run.id) does not go on, \(Int(now - answered)) s after its answer")
            }
            guard now - run.lastNews < options.life * 1.5 + Self.patienceSeconds else {
                throw Problem("nothing is heard of \(run.id) for \(Int(now - run.lastNews)) s")
            }
        }
    }

    // MARK: - The result

    private mutating func conclude() throws -> Bool {
        let flatness = Flatness(samples, runs: options.runs)
        say("\(Text.count(requested)) runs were started, \(Text.count(ended)) of them have ended")
        for line in flatness.lines { say(line) }
        if let path = options.json { try Report(options, samples, flatness, problems).write(to: path) }
        if let path = options.svg { try Disk.write(Plot.soak(samples, runs: options.runs).text, to: path) }
        let found = problems + flatness.problems
        for problem in found.prefix(30) { say("  \(problem)") }
        guard found.isEmpty else {
            say("FAILED: \(found.count) problems; the tree is kept: \(tree.root)")
            return false
        }
        if !options.isKept { Disk.remove(tree.root) }
        let verdict = flatness.isJudged ? "memory, open files, threads and latency are flat" : "too short for a verdict"
        say("ok: no run failed, none was lost, every ledger verifies; \(verdict)")
        return true
    }
}
