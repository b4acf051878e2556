import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "List the events that were accepted, the oldest first.",
        discussion: "With --json every line is one event with its number and time in the journal.")

    /// Between two looks at what is new.
    private static let interval = Duration.milliseconds(100)

    @OptionGroup var options: GlobalOptions
    @Option(help: "Only events of this type; may be repeated.")
    var type: [String] = []
    @Option(help: "Only events with this key; may be repeated.")
    var key: [String] = []
    @Option(help: "Only events accepted since a time (2026-11-20T10:00:00Z), or in the last 2h, 3d, ...")
    var since: String?
    @Option(help: ArgumentHelp("Only the newest so many.", valueName: "count"))
    var limit: Int?
    @Flag(name: [.customShort("f"), .long], help: "Go on and show events as they come.")
    var follow = false

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit: expected a number from 0.") }
    }

    func run() async throws {
        let tree = try options.tree()
        let filter = try EventFilter(
            types: Set(type), keys: Set(key), since: RunFilter.time(since: since, now: tree.clock.now()))
        var cursor = try showPast(tree, filter)
        while follow, !options.console.output.isUnread {
            cursor = try tree.journal.read(from: cursor) { item in
                if filter.holds(item.entry) { show(item.entry) }
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// - Returns: where the journal ended.
    private func showPast(_ tree: Tree, _ filter: EventFilter) throws -> JournalCursor {
        let console = options.console
        var table = EventTable()
        var newest = Newest<Entry>(limit: limit)
        let cursor = try tree.journal.read(from: .beginning) { item in
            guard filter.holds(item.entry) else { return }
            if limit != nil {
                newest.add(item.entry)
            } else if console.isJSON {
                show(item.entry)
            } else {
                table.add(item.entry)
            }
        }
        for entry in newest.all {
            if console.isJSON { show(entry) } else { table.add(entry) }
        }
        if !console.isJSON { console.output.write(Array(table.text(for: console.terminal).utf8)) }
        if table.isEmpty, !follow, console.terminal.isInteractive { console.note("no events") }
        return cursor
    }

    private func show(_ entry: Entry) {
        let console = options.console
        guard console.isJSON else { return console.output.line(EventTable.line(entry)) }
        console.output.json([
            "seq": .int(Int64(entry.seq)), "ts": .string(entry.ts.description), "actor": .string(entry.actor.rawValue),
            "by": entry.by.map(Value.string) ?? .null, "event": entry.data["event"] ?? .null,
        ])
    }
}

/// Which entries of the journal `waybill events` shows.
struct EventFilter {
    var types: Set<String>
    var keys: Set<String>
    var since: Timestamp?

    func holds(_ entry: Entry) -> Bool {
        guard entry.type == .eventAccepted, let event = entry.data["event"] else { return false }
        if let since, entry.ts < since { return false }
        return Self.holds(types, event["type"]) && Self.holds(keys, event["key"])
    }

    private static func holds(_ wanted: Set<String>, _ value: Value?) -> Bool {
        wanted.isEmpty || value?.stringValue.map(wanted.contains) ?? false
    }
}

/// The last so many of what comes; all of it without a limit.
struct Newest<Element> {
    let limit: Int?
    private var elements: [Element] = []
    /// Of the oldest, once there are as many as wanted.
    private var start = 0

    init(limit: Int?) { self.limit = limit }

    mutating func add(_ element: Element) {
        guard let limit, elements.count >= limit else { return elements.append(element) }
        if limit == 0 { return }
        elements[start] = element
        start = (start + 1) % limit
    }

    var all: [Element] { Array(elements[start...] + elements[..<start]) }
}

/// Events for people.
private struct EventTable {
    private var table = Table("ENTRY", "TIME", "TYPE", "KEY", "SOURCE", "ID", "DATA")

    var isEmpty: Bool { table.isEmpty }

    mutating func add(_ entry: Entry) {
        let cells = Self.cells(entry)
        table.add(
            .plain(cells[0]), .plain(cells[1]), .plain(cells[2]), .plain(cells[3]), .plain(cells[4]), .plain(cells[5]),
            .faint(cells[6]))
    }

    func text(for terminal: Terminal) -> String { table.text(for: terminal) }

    /// One event as a line of its own, as they come.
    static func line(_ entry: Entry) -> String { cells(entry).map(Text.oneLine).joined(separator: "\t") }

    private static func cells(_ entry: Entry) -> [String] {
        let event = entry.data["event"]
        let texts = ["type", "key", "source", "id"].map { event?[$0]?.stringValue ?? "" }
        let data = event?["data"].map { Text.cut(Text.value($0), to: dataWidth) } ?? ""
        return [String(entry.seq), Text.time(entry.ts.description)] + texts + [data]
    }

    /// Columns of the data that are shown: a look, not the whole.
    private static let dataWidth = 200
}
