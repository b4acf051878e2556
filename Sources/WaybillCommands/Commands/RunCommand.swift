import ArgumentParser
import SystemPackage
import WaybillCore
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Start a run of a workflow.",
        discussion: """
            Without a daemon the run is driven until nothing of it is due; the exit status says how it stands then: 0 \
            completed, 1 failed, 3 waiting, 4 cancelled. With a daemon the command ends once the start is durable. The same \
            --id with the same inputs is the same run, however often it is asked for.

            `--retry maxAttempts=5,initial=2s,on=[exit,timeout]` goes, field by field, before the `retry` of steps, \
            workflow and capabilities; runs that this one calls are not touched.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The workflow's name.")
    var workflow: String
    @Option(
        help: ArgumentHelp("An input; its schema decides about the type. May be repeated.", valueName: "name=value"))
    var input: [String] = []
    @Option(
        help: ArgumentHelp("Inputs from a JSON or YAML file, or - for the standard input.", valueName: "file"),
        completion: .file())
    var inputsFile: String?
    @Option(help: "The run's id, to start it at most once.")
    var id: String?
    @Option(help: ArgumentHelp("A label; may be repeated.", valueName: "key=value"))
    var label: [String] = []
    @Option(
        help: ArgumentHelp(
            "The run's own retry, before what its steps say; may be repeated. Fields as in a manifest, or all as JSON.",
            valueName: "field=value,...|json"))
    var retry: [String] = []
    @Flag(help: "Stay until the run has ended.")
    var wait = false

    func run() async throws {
        let tree = try options.tree()
        let sources = try SourceTree(root: tree.root)
        let request = try request(sources)
        let hasDaemon = tree.hasDaemon
        let started: (run: RunID, isNew: Bool)
        if hasDaemon, !isThere(request, tree) {
            // Checked here first, so that a mistake is told with all that is known about it.
            if let workflow = sources.catalog.workflows[request.workflow] {
                _ = try RunStarter.check(request.inputs, of: workflow)
                _ = try RunStarter.check(retry: request.retry, of: workflow)
            }
            started = (try await StartDelivery(tree: tree, request: request).deliver(), true)
        } else {
            let direct = try start(request, RunStarter(tree: tree, sources: sources), tree)
            started = (direct.run, direct.isNew)
        }
        guard let folder = try tree.runs.open(started.run) else {
            throw CommandError("unknown-run", "the run \(started.run) is gone again")
        }
        let attendance = RunAttendance(
            tree: tree, folder: folder, console: options.console, isNew: started.isNew, manifests: sources.manifests)
        try await attend(attendance, started, hasDaemon)
    }

    /// Starts a run here, and keeps in the journal what policies and groups refuse.
    private func start(
        _ request: StartRequest, _ starter: RunStarter, _ tree: Tree
    ) throws(RuntimeError) -> StartedRun {
        do throws(RuntimeError) {
            return try starter.start(request)
        } catch {
            if error.code == .policy || error.code == .skipped {
                try RunStarter.recordRefusal(of: request, error, in: tree)
            }
            throw error
        }
    }

    private func attend(_ attendance: RunAttendance, _ started: (run: RunID, isNew: Bool), _ hasDaemon: Bool)
        async throws
    {
        let console = options.console
        let word = started.isNew ? "started" : "was started before"
        if hasDaemon, !wait {
            // What ended before says how: the start is asked for again to learn it.
            let glance = GlanceReader(attendance.tree).glance(attendance.folder)
            if !started.isNew, glance.isEnded { return try attendance.conclude() }
            return console.print(
                ["run": .string(started.run.text), "isNew": .bool(started.isNew)], text: "\(started.run) \(word)")
        }
        console.note("\(started.run) \(word)")
        try await attendance.attend(drives: !hasDaemon, stays: wait)
        try attendance.conclude()
    }

    private func request(_ sources: SourceTree) throws -> StartRequest {
        if let id, !RunID.isValid(id) || id == "inbox" {
            throw CommandError.usage(
                "--id: '\(id)' is no run id",
                hint: "1 to 128 letters, digits, '_' or '-', beginning with a letter or digit, and not `inbox`")
        }
        let inputs = try InputReader.inputs(input, file: inputsFile, of: sources.catalog.workflows[workflow])
        var labels = Object()
        for pair in label {
            let (key, value) = try KeyValue.split(pair, option: "--label")
            labels[key] = .string(value)
        }
        var request = StartRequest(workflow: workflow, inputs: inputs, id: id, labels: labels)
        request.retry = try RetryOption.read(retry)
        return request
    }

    private func isThere(_ request: StartRequest, _ tree: Tree) -> Bool {
        guard let id = request.id else { return false }
        return (try? tree.runsDirectory.status(FilePath(id))) != nil
    }
}

/// Hands a start request to the daemon, as a file like anybody's, and waits for what becomes of it.
struct StartDelivery: Sendable {
    let tree: Tree
    let request: StartRequest

    func deliver() async throws -> RunID {
        var request = request
        let random = UInt64.random(in: 0 ... .max)
        let run =
            request.id.flatMap(RunID.init)
            ?? RunID.make(workflow: request.workflow, at: tree.clock.now(), random: random)
        request.id = run.text
        guard let inbox = try tree.runsDirectory.openDirectory("inbox") else {
            throw CommandError("no-tree", "runs/inbox is gone")
        }
        // No dot in the stem: that would make it an answer.
        let name = "\(run.text.prefix(120))--\(String(random, radix: 36)).json"
        try Mailbox.drop(name, JSON.pretty(request.value), into: inbox)
        let outcome = try await Patience.poll(limit: Patience.forDaemon) { () -> RunID? in
            if let refusal = try Receipts(inbox).rejected(name) { throw refusal.startError }
            let isTaken = try inbox.status(FilePath(name)) == nil
            let ledger = FilePath(run.text).pushing(RunFolder.ledger)
            let isThere = try tree.runsDirectory.status(ledger) != nil
            return isTaken && isThere ? run : nil
        }
        if let outcome { return outcome }
        throw CommandError(
            "busy", "the daemon has not started \(run) in \(Text.span(Patience.forDaemon))",
            place: "runs/inbox/\(name)", hint: "the request stays there, and is started as soon as a daemon reads it",
            status: .tryAgain)
    }
}
