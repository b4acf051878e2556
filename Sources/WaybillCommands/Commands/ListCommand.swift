import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List runs, the newest first.",
        discussion: "With --json every line is one run, as in its run.json.")

    @OptionGroup var options: GlobalOptions
    @Option(help: "Only runs with this status; may be repeated.")
    var status: [String] = []
    @Option(help: "Only runs of this workflow; may be repeated.")
    var workflow: [String] = []
    @Option(help: ArgumentHelp("Only runs with this label; may be repeated.", valueName: "key=value"))
    var label: [String] = []
    @Option(help: "Only runs started since a time (2026-11-20T10:00:00Z), or in the last 2h, 3d, ...")
    var since: String?
    @Option(help: ArgumentHelp("Only the newest so many.", valueName: "count"))
    var limit: Int?

    func run() throws {
        let tree = try options.tree()
        let now = tree.clock.now()
        let filter = try RunFilter(
            statuses: status, workflows: workflow, labels: label, since: since, now: now)
        for word in filter.unknownStatuses {
            options.console.note(
                "note: no status is called '\(word)'; "
                    + (Suggestion.hint(for: word, among: RunFilter.knownStatuses)
                        ?? "there are \(RunFilter.knownStatuses.joined(separator: ", "))"))
        }
        let reader = GlanceReader(tree)
        var glances = try tree.runIDs().map { reader.glance($0) }.filter(filter.holds)
        glances.sort(by: Self.isNewer)
        if let limit { glances = Array(glances.prefix(max(0, limit))) }

        let console = options.console
        if console.isJSON {
            for glance in glances { console.output.json(.object(glance.object)) }
            return
        }
        console.output.write(Array(Self.table(glances, now: now).text(for: console.terminal).utf8))
        if glances.isEmpty, console.terminal.isInteractive { console.note("no runs") }
    }

    /// What has no start, as it cannot be read, comes first: it needs attention.
    static func isNewer(_ left: Glance, _ right: Glance) -> Bool {
        switch (left.startedAt, right.startedAt) {
        case (let first?, let second?) where first != second: first > second
        case (nil, .some): true
        case (.some, nil): false
        default: right.run < left.run
        }
    }

    static func table(_ glances: [Glance], now: Timestamp) -> Table {
        var table = Table("RUN", "WORKFLOW", "STATUS", "STARTED", "TIME", "STEPS", "DETAIL")
        for glance in glances {
            let (done, total) = glance.progress
            let time = glance.startedAt.map { Text.span((glance.endedAt ?? now) - $0) } ?? ""
            table.add(
                .plain(glance.run.text), .plain(glance.workflow), .status(glance.status),
                .plain(glance.startedAt.map { Text.time($0.description) } ?? ""), .plain(time),
                .plain(glance.problem == nil ? "\(done)/\(total)" : ""),
                .faint(glance.errorText ?? glance.waitingFor))
        }
        return table
    }
}

/// Which runs a listing shows.
struct RunFilter {
    private let statuses: Set<String>
    private let workflows: Set<String>
    private let labels: [(key: String, value: String)]
    private let since: Timestamp?

    init(statuses: [String], workflows: [String], labels: [String], since: String?, now: Timestamp) throws(CommandError)
    {
        // Also `--status waiting,failed`. A status that this version does not know may be in a newer run.json.
        self.statuses = Set(statuses.flatMap { $0.split(separator: ",").map(String.init) })
        self.workflows = Set(workflows)
        var pairs: [(key: String, value: String)] = []
        for label in labels { pairs.append(try KeyValue.split(label, option: "--label")) }
        self.labels = pairs
        self.since = try Self.time(since: since, now: now)
    }

    /// What `--since` says: a time, or how long ago it was.
    static func time(since: String?, now: Timestamp) throws(CommandError) -> Timestamp? {
        guard let since else { return nil }
        if let duration = Duration(text: since) { return now - duration }
        if let time = Timestamp(rfc3339: since) { return time }
        throw .usage(
            "--since: '\(since)' is neither a time nor a duration", hint: "write 90s, 2h, 3d, or 2026-11-20T10:00:00Z")
    }

    /// What this version shows as a run's status.
    static let knownStatuses = RunStatus.allCases.map(\.rawValue) + ["unreadable"]

    /// Asked for, and of no meaning to this version: a slip, or of a newer one.
    var unknownStatuses: [String] { statuses.subtracting(Self.knownStatuses).sorted() }

    func holds(_ glance: Glance) -> Bool {
        if !statuses.isEmpty, !statuses.contains(glance.status) { return false }
        if !workflows.isEmpty, !workflows.contains(glance.workflow) { return false }
        if let since, (glance.startedAt ?? .latest) < since { return false }
        return labels.allSatisfy { label in glance.labels[label.key].map(Text.value) == label.value }
    }
}

/// `key=value` on the command line.
enum KeyValue {
    static func split(_ text: String, option: String) throws(CommandError) -> (key: String, value: String) {
        guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
            throw .usage("\(option): '\(text)' is not of the form key=value")
        }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }
}
