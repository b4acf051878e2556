import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List runs, the newest first.",
        discussion:
            "Runs that other runs called are listed with --tree, below those. With --json every line is one run, as in its run.json."
    )

    @OptionGroup var options: GlobalOptions
    @Option(help: "Only runs with this status; may be repeated.")
    var status: [String] = []
    @Option(help: "Only runs of this workflow; may be repeated.")
    var workflow: [String] = []
    @Option(help: ArgumentHelp("Only runs with this label; may be repeated.", valueName: "key=value"))
    var label: [String] = []
    @Option(help: "Only runs started since a time (2026-11-20T10:00:00Z), or in the last 2h, 3d, ...")
    var since: String?
    @Flag(help: "Also runs that other runs called.")
    var tree = false
    @Option(help: ArgumentHelp("Only the newest so many.", valueName: "count"))
    var limit: Int?

    func run() throws {
        let directory = try options.tree()
        let now = directory.clock.now()
        let filter = try RunFilter(
            statuses: status, workflows: workflow, labels: label, since: since, now: now)
        for word in filter.unknownStatuses {
            options.console.note(
                "note: no status is called '\(word)'; "
                    + (Suggestion.hint(for: word, among: RunFilter.knownStatuses)
                        ?? Suggestion.list(RunFilter.knownStatuses)))
        }
        let reader = GlanceReader(directory)
        let found = try directory.runIDs().map { reader.glance($0) }.filter(filter.holds)
        let family = RunFamily(found)
        var roots = tree ? family.tops : found.filter { $0.parent == nil }
        roots.sort(by: Self.isNewer)
        if let limit { roots = Array(roots.prefix(max(0, limit))) }
        let glances = tree ? roots.flatMap { family.below($0) } : roots.map { ($0, 0) }

        let console = options.console
        if console.isJSON {
            for (glance, _) in glances { console.output.json(.object(glance.object)) }
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

    static func table(_ glances: [(Glance, depth: Int)], now: Timestamp) -> Table {
        var table = Table("RUN", "WORKFLOW", "STATUS", "STARTED", "TIME", "STEPS", "DETAIL")
        for (glance, depth) in glances {
            let (done, total) = glance.progress
            let time = glance.startedAt.map { Text.span((glance.endedAt ?? now) - $0) } ?? ""
            table.add(
                .plain(String(repeating: "  ", count: depth) + glance.run.text), .plain(glance.workflow),
                .status(glance.status),
                .plain(glance.startedAt.map { Text.time($0.description) } ?? ""), .plain(time),
                .plain(glance.problem == nil ? "\(done)/\(total)" : ""),
                .faint(glance.errorText ?? glance.waitingFor))
        }
        return table
    }
}

/// Runs and those they called.
struct RunFamily {
    /// Those whose parent is not among them.
    let tops: [Glance]
    private let children: [RunID: [Glance]]

    init(_ glances: [Glance]) {
        let known = Set(glances.map(\.run))
        var tops: [Glance] = []
        var children: [RunID: [Glance]] = [:]
        for glance in glances {
            if let parent = glance.parent, parent != glance.run, known.contains(parent) {
                children[parent, default: []].append(glance)
            } else {
                tops.append(glance)
            }
        }
        self.tops = tops
        self.children = children
    }

    /// A run and those below it, the oldest first, each with how deep it is.
    func below(_ top: Glance) -> [(Glance, depth: Int)] {
        var found: [(Glance, depth: Int)] = []
        var next: [(Glance, depth: Int)] = [(top, 0)]
        var seen: Set<RunID> = []
        while let (glance, depth) = next.popLast() {
            guard seen.insert(glance.run).inserted else { continue }
            found.append((glance, depth))
            // The last one is taken first.
            let called = (children[glance.run] ?? []).sorted(by: ListCommand.isNewer)
            next += called.map { ($0, depth + 1) }
        }
        return found
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
