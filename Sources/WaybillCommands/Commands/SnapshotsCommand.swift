import ArgumentParser
import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct SnapshotsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots", abstract: "List the bookmarks of a run, or of all runs.",
        discussion: "With --json every line is one snapshot, as in snapshots/<name>.json.")

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp("Only those of this run: an id, or the beginning of one.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String?
    @Option(help: "Only those with this text in their name or description, whatever its case.")
    var query: String?
    @Option(help: "Only those with this tag; may be repeated.")
    var tag: [String] = []

    func run() throws {
        let tree = try options.tree()
        let reader = GlanceReader(tree)
        let console = options.console
        let now = tree.clock.now()
        var table = Table("RUN", "NAME", "AT ENTRY", "TAKEN", "TAGS", "DESCRIPTION")
        for folder in try folders(tree) {
            for snapshot in snapshots(folder, reader) where holds(snapshot) {
                if console.isJSON {
                    console.output.json(.object(snapshot))
                    continue
                }
                let tags = (snapshot["tags"]?.listValue ?? []).compactMap(\.stringValue).joined(separator: ",")
                let taken = snapshot["at"]?.stringValue
                table.add(
                    .plain(folder.run.text), .plain(snapshot["name"]?.stringValue ?? ""),
                    .plain(snapshot["seq"]?.intValue.map(String.init) ?? ""),
                    .plain(console.terminal.isInteractive ? Text.distance(taken, from: now) : Text.time(taken)),
                    .plain(tags), .faint(snapshot["description"]?.stringValue ?? ""))
            }
        }
        guard !console.isJSON else { return }
        console.output.write(Array(table.text(for: console.terminal).utf8))
        if table.isEmpty, console.terminal.isInteractive { console.note("no snapshots") }
    }

    private func folders(_ tree: Tree) throws -> [RunFolder] {
        if let runName { return [try tree.run(named: runName)] }
        return try tree.runIDs().compactMap { id in try? tree.runs.open(id) }
    }

    private func snapshots(_ folder: RunFolder, _ reader: GlanceReader) -> [Object] {
        let names = ((try? folder.names(in: RunFolder.snapshots)) ?? []).filter { $0.hasSuffix(".json") }
        return names.compactMap { name in
            guard let bytes = try? folder.read(RunFolder.snapshots.appending(name), limit: 16 << 20) else { return nil }
            return (try? JSON.parse(bytes))?.objectValue
        }.sorted { ($0["seq"]?.intValue ?? 0) < ($1["seq"]?.intValue ?? 0) }
    }

    private func holds(_ snapshot: Object) -> Bool {
        let tags = (snapshot["tags"]?.listValue ?? []).compactMap(\.stringValue)
        guard tag.allSatisfy(tags.contains) else { return false }
        guard let query = query?.lowercased() else { return true }
        return ["name", "description"].contains { snapshot[$0]?.stringValue?.lowercased().contains(query) ?? false }
    }
}
