import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore

extension Tree {
    /// All ids, sorted.
    func runIDs() throws(CommandError) -> [RunID] {
        var ids: [RunID] = []
        do throws(StoreError) {
            try runs.forEach { if $0.text != "inbox" { ids.append($0) } }
        } catch {
            throw CommandError(error)
        }
        return ids.sorted()
    }

    /// The run with this id, or the only one whose id begins so.
    func run(named text: String) throws(CommandError) -> RunFolder {
        // A path from the shell's completion is an id with something around it.
        let name = FilePath(text).lastComponent?.string ?? text
        if let id = RunID(name), let folder = try folder(of: id) { return folder }
        let ids = try runIDs()
        let matches = name.isEmpty ? [] : ids.filter { $0.text.utf8.starts(with: name.utf8) }
        if matches.count == 1, let folder = try folder(of: matches[0]) { return folder }
        guard matches.isEmpty else {
            let shown = matches.suffix(5).map(\.text).joined(separator: ", ")
            throw CommandError(
                "ambiguous-run", "\(matches.count) runs begin with '\(name)'",
                hint: "say more of it: \(shown)\(matches.count > 5 ? " and others" : "")", status: .usage)
        }
        throw CommandError(
            "unknown-run", "there is no run '\(name)'", place: layout.runs.string,
            hint: Suggestion.hint(for: name, among: ids.map(\.text)) ?? "`waybill list` names all runs", status: .usage)
    }

    private func folder(of id: RunID) throws(CommandError) -> RunFolder? {
        do throws(StoreError) {
            return try runs.open(id)
        } catch {
            throw CommandError(error)
        }
    }
}

/// What shells complete names with. They must be quick and quiet: whatever goes wrong gives no names.
enum Completions {
    static let limit = 1_000

    static func runs(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        guard let root = try? TreeSearch.root(directory(in: words)),
            let folder = try? LocalFileSystem().openDirectory(TreeLayout(root: root).runs),
            let entries = try? folder.entries(FilePath(), limit: 100_000)
        else { return [] }
        let names = entries.filter { $0.kind == .directory }.map(\.name.string)
            .filter { $0 != "inbox" && !$0.hasPrefix(".") && $0.hasPrefix(prefix) }
        return Array(names.sorted().suffix(limit))
    }

    private static func directory(in words: [String]) -> String? {
        guard let flag = words.lastIndex(of: "-C"), flag + 1 < words.count else { return nil }
        return words[flag + 1]
    }
}
