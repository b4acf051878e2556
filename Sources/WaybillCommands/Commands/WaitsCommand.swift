import ArgumentParser
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct WaitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waits", abstract: "Show the open questions, and how to answer them.",
        discussion: "With --json every line is one wait, as in waits/<key>.json.")

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp(
            "Only those of this run and its sub-runs: an id, or the beginning of one.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String?
    @Flag(help: "Also what only the clock ends.")
    var all = false

    func run() throws {
        let tree = try options.tree()
        let reader = GlanceReader(tree)
        let console = options.console
        let now = tree.clock.now()
        var isFirst = true
        for folder in try folders(tree) {
            for wait in reader.waits(folder) where all || wait.isQuestion {
                if console.isJSON {
                    console.output.json(.object(wait.object))
                } else {
                    if !isFirst { console.output.line("") }
                    console.output.line(WaitPage.text(wait, now: now, for: console.terminal))
                }
                isFirst = false
            }
        }
        if isFirst, console.terminal.isInteractive { console.note("nothing waits for an answer") }
    }

    private func folders(_ tree: Tree) throws -> some Sequence<RunFolder> {
        // Those of a run's sub-runs are its own as well: somebody has to answer them before it goes on.
        if let runName { return GlanceReader(tree).family(of: try tree.run(named: runName)) }
        return try tree.runIDs().compactMap { id in try? tree.runs.open(id) }
    }
}

/// One open wait for people.
enum WaitPage {
    static func text(_ wait: OpenWait, now: Timestamp, for terminal: Terminal) -> String {
        var head = "\(terminal.paint(wait.run, .bold))  \(terminal.paint(wait.key, .yellow))"
        if let since = wait.since { head += "  since \(Text.distance(since, from: now))" }
        return ([head] + lines(wait, now: now).map { "  " + $0 }).joined(separator: "\n")
    }

    /// What is asked, until when, and how to answer.
    static func lines(_ wait: OpenWait, now: Timestamp) -> [String] {
        var lines: [String] = []
        if let prompt = wait.prompt {
            lines += Text.printable(prompt).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            while lines.last?.isEmpty == true { lines.removeLast() }
        } else if !wait.isQuestion {
            if let called = wait.called {
                lines.append("waits for the sub-run \(called)")
            } else {
                lines.append(wait.event.map { "waits for an event \(Text.oneLine($0))" } ?? "waits for \(wait.reason)")
            }
        }
        if let choices = wait.choices { lines.append("choices: \(choices.map(Text.oneLine).joined(separator: ", "))") }
        if let schema = wait.schema, !wait.isApproval { lines.append("schema: \(Text.value(schema))") }
        if let from = wait.from { lines.append("from: \(Text.value(.object(from)))") }
        if let missing = wait.missing {
            let approved = wait.answeredBy.isEmpty ? "" : ", approved by \(wait.answeredBy.joined(separator: ", "))"
            lines.append("\(Text.count(missing, "approval")) missing\(approved)")
        }
        if let until = wait.until {
            var line = "until \(Text.time(until)) (\(Text.distance(until, from: now)))"
            if let answer = wait.object["default"], !answer.isNull { line += ", then \(Text.value(answer))" }
            lines.append(line)
        }
        if let command = wait.command ?? wait.emit { lines.append("$ \(Text.oneLine(command))") }
        return lines
    }
}
