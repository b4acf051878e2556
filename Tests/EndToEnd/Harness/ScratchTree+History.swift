import Foundation
import Testing
import WaybillCore

// History as somebody would edit it who knows how it is made.

extension ScratchTree {
    /// A tree that signs with a key of its own, `key` beside it, and trusts it.
    static func signing(_ files: [String: String]) async throws -> ScratchTree {
        let tree = try ScratchTree(files)
        try await tree.expect(0, "keys", "generate", "--out", tree["key"].path(), "--name", "test")
        try tree.write(
            "kind: Settings\nname: default\nkeys: {sign: key, trust: [key.pub]}\n", to: "workflows/settings.yaml")
        return tree
    }

    /// Changes the lines of a ledger or of the journal, and keeps the file as it is otherwise.
    func edit(_ path: String, _ change: (inout [String]) -> Void) throws {
        var lines = lines(path)
        change(&lines)
        try write(lines.map { $0 + "\n" }.joined(), to: path)
    }

    /// Changes lines, and then numbers and chains them anew from the first one on: a whole rewrite without the key.
    func rewrite(_ path: String, _ change: (inout [String]) -> Void) throws {
        try edit(path) { lines in
            let mark = #""prev":""#
            var head =
                lines.first.flatMap {
                    $0.ranges(of: mark).last.map { range in
                        String(lines[0][range.upperBound...].prefix(64))
                    }
                } ?? ""
            change(&lines)
            for index in lines.indices {
                guard let comma = lines[index].firstIndex(of: ","), let prev = lines[index].ranges(of: mark).last else {
                    continue
                }
                let middle = lines[index][comma..<prev.upperBound]
                lines[index] = #"{"seq":\#(index + 1)"# + middle + head + #""}"#
                head = Digest.sha256(lines[index]).hex
            }
        }
    }

    /// Takes away what lies in a run's folder and knows a head.
    func forgetHeads(of run: String) {
        try? FileManager.default.removeItem(at: self["runs/\(run)/run.json"])
        try? FileManager.default.removeItem(at: self["runs/\(run)/checkpoints"])
    }

    /// The kinds of errors that `verify` finds, with the entry, by chain: `["r": ["signature 7"]]`.
    func verify(_ arguments: String...) async throws -> (status: Int32, errors: [String: [String]]) {
        let finished = try await start(["verify", "--json"] + arguments).finish()
        let value = try JSON.parse([UInt8](finished.output.utf8))
        var reports = [value]
        if case .list(let runs)? = value.member("runs") { reports = runs }
        if let journal = value.member("journal") { reports.append(journal) }
        var found: [String: [String]] = [:]
        for report in reports {
            guard let name = report.member("run")?.stringValue, case .list(let errors)? = report.member("errors"),
                !errors.isEmpty
            else { continue }
            found[name] = errors.map { error in
                let seq = error.member("seq")?.intValue.map { " \($0)" } ?? ""
                return (error.member("kind")?.stringValue ?? "?") + seq
            }
        }
        return (finished.status, found)
    }

    /// The files of the tree, outputs of commands aside, that hold a text.
    func files(holding text: String) -> [String] {
        let needle = Data(text.utf8)
        let paths = FileManager.default.enumerator(atPath: root.path())?.compactMap { $0 as? String } ?? []
        return paths.filter { path in
            !path.hasPrefix(".outputs") && (try? Data(contentsOf: self[path]))?.range(of: needle) != nil
        }.sorted()
    }
}
