import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a run: its steps, what it waits for, what came of it.",
        discussion: "With --json: run.json, with the steps and the open waits beside it.")

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp("The run's id, or the beginning of it.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String

    func run() throws {
        let tree = try options.tree()
        let folder = try tree.run(named: runName)
        let reader = GlanceReader(tree)
        let glance = reader.glance(folder)
        let (steps, seq) = Self.history(of: folder, in: tree)
        let waits = reader.waits(folder)
        let console = options.console
        if console.isJSON {
            var object = glance.object
            object["steps"] = .list(steps.map(\.value))
            object["waits"] = .list(waits.map { .object($0.object) })
            console.output.prettyJSON(.object(object))
        } else {
            let page = RunPage(glance: glance, steps: steps, waits: waits, now: tree.clock.now())
            console.output.write(Array(page.text(for: console.terminal).utf8))
        }
        if seq < glance.ledgerSeq {
            console.note(
                "warning: the ledger verifies up to entry \(seq), and run.json knows entry \(glance.ledgerSeq); "
                    + "`waybill verify \(folder.run)` says more")
        }
        // A ledger that cannot be read any more is a reason to fail, also for a page.
        if glance.problem != nil || seq < glance.ledgerSeq { throw ExitStatus.failed.exit }
    }

    /// What the ledger says of each step, and those of the definition that have not come up yet; with the number of the
    /// last entry that verifies.
    static func history(of folder: RunFolder, in tree: Tree) -> (steps: [StepHistory.Step], seq: Int) {
        var history = StepHistory()
        let genesis = (try? folder.read(RunFolder.index, limit: RunFolders.largestSource))?.map { Digest.sha256($0) }
        let verdict = try? tree.ledgers.scan(folder.run, from: .start(genesis: genesis ?? .zero), knownHeads: [:]) {
            history.take($0.entry)
        }
        let seq = verdict?.head.seq ?? 0
        var steps = history.steps
        guard let workflow = try? DefinitionCache().definition(of: folder.run, in: tree).workflow else {
            return (steps, seq)
        }
        let known = Set(steps.map(\.id))
        steps += workflow.plan.steps.map(\.id).filter { !known.contains($0) }.map { StepHistory.Step(id: $0) }
        // In the order of the file: that is the one its author knows. Members stand below their group or loop.
        return (AddressOrder(workflow).sorted(steps) { $0.id }, seq)
    }
}

/// A run on one page.
struct RunPage {
    /// No more lines of one kind: the rest is in --json.
    private static let limit = 200
    let glance: Glance
    let steps: [StepHistory.Step]
    let waits: [OpenWait]
    let now: Timestamp

    func text(for terminal: Terminal) -> String {
        var parts = [heading(terminal)]
        if !steps.isEmpty { parts.append(table(terminal)) }
        for wait in waits where !glance.isEnded { parts.append(WaitPage.text(wait, now: now, for: terminal) + "\n") }
        if let outputs = glance.object["outputs"]?.objectValue, !outputs.isEmpty {
            parts.append(members("outputs", outputs, terminal))
        }
        if let error = glance.errorText {
            parts.append(
                "\(terminal.paint("error", .red))  \(Text.indented(Text.printable(error), by: 7).dropFirst(7))\n")
        }
        return parts.joined(separator: "\n")
    }

    private func heading(_ terminal: Terminal) -> String {
        let object = glance.object
        var lines = ["\(terminal.paint(glance.run.text, .bold))  \(terminal.paint(status: glance.status))"]
        func add(_ name: String, _ text: String?) {
            guard let text, !text.isEmpty else { return }
            lines.append("  \(terminal.paint(Text.pad(name, to: 10), .dim))\(text)")
        }
        add("workflow", workflow)
        add("goal", object["goal"]?["summary"]?.stringValue.map(Text.oneLine))
        add("started", started)
        add("ended", glance.endedAt.map { "\(Text.time($0.description)), after \(duration)" })
        add("inputs", object["inputs"]?.objectValue.map(pairs))
        add("labels", pairs(glance.labels))
        add("progress", progress)
        if glance.ledgerSeq > 0 {
            add("ledger", "\(Text.count(glance.ledgerSeq, "entry", "entries")), head \(glance.head.prefix(16))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var workflow: String {
        var text = Text.oneLine(glance.workflow)
        if let commit = glance.object["commit"]?.stringValue { text += ", commit \(commit.prefix(12))" }
        if let definition = glance.object["definition"]?.stringValue { text += ", definition \(definition.prefix(12))" }
        return text
    }

    private var started: String? {
        guard let startedAt = glance.startedAt else { return nil }
        let trigger = glance.object["trigger"]
        var text = "\(Text.time(startedAt.description)), \(Text.distance(startedAt.description, from: now))"
        if let by = trigger?["by"]?.stringValue { text += ", by \(Text.oneLine(by))" }
        if let type = trigger?["type"]?.stringValue { text += " (\(Text.oneLine(type)))" }
        return text
    }

    private var duration: String {
        guard let start = glance.startedAt, let end = glance.endedAt else { return "" }
        return Text.span(end - start)
    }

    private var progress: String? {
        guard glance.problem == nil else { return nil }
        let progress = glance.object["progress"]
        let names = ["completed", "running", "waiting", "failed", "skipped"]
        let counts = names.compactMap { name -> String? in
            guard let count = progress?[name]?.intValue, count > 0 else { return nil }
            return "\(count) \(name)"
        }
        return counts.isEmpty
            ? "0 of \(glance.progress.total) steps"
            : "\(counts.joined(separator: ", ")) of \(glance.progress.total) steps"
    }

    private func table(_ terminal: Terminal) -> String {
        var table = Table("STEP", "STATUS", "TIME", "DETAIL")
        let shown = shownSteps
        for step in shown {
            let time = step.status == "skipped" ? "" : step.duration(now: now).map(Text.span) ?? ""
            let indent = String(repeating: "  ", count: AddressOrder.depth(of: step.id))
            table.add(.plain(indent + step.id), .status(step.status), .plain(time), .faint(step.detail))
        }
        // A page has its columns wherever it is read.
        let more = steps.count > shown.count ? "... and \(steps.count - shown.count) more steps\n" : ""
        return table.aligned(for: terminal) + more
    }

    /// Of very many steps those of the workflow itself, and of what is inside of them what is not simply done.
    private var shownSteps: [StepHistory.Step] {
        guard steps.count > Self.limit else { return steps }
        let isTelling = { (step: StepHistory.Step) in
            AddressOrder.depth(of: step.id) == 0 || !["completed", "skipped", "pending"].contains(step.status)
        }
        let telling = steps.filter(isTelling).prefix(Self.limit)
        var room = Self.limit - telling.count
        let kept = Set(telling.map(\.id))
        return steps.filter { step in
            if kept.contains(step.id) { return true }
            guard room > 0, !isTelling(step) else { return false }
            room -= 1
            return true
        }
    }

    private func pairs(_ object: Object) -> String {
        object.map { "\($0.key)=\(Text.cut(Text.value($0.value), to: 120))" }.joined(separator: "  ")
    }

    private func members(_ name: String, _ object: Object, _ terminal: Terminal) -> String {
        let width = object.map { Text.width($0.key) }.max() ?? 0
        let lines = object.prefix(Self.limit).map { "  \(Text.pad($0.key, to: width))  \(Text.value($0.value))" }
        return "\(terminal.paint(name, .dim))\n\(lines.joined(separator: "\n"))\n"
    }
}
