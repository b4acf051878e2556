import Foundation

/// One text file of the repository, with the lines a rule looks at.
struct TextFile: Sendable {
    /// The path from the repository's root, with slashes: `Sources/WaybillCore/Value.swift`.
    let path: String
    let lines: [String]

    var name: String { String(path.split(separator: "/").last ?? "") }

    /// The folder below `Sources/`, which is the target's name; nil for a file that lies elsewhere.
    var room: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    /// Lines that compile: what follows `//` is cut off, so that a comment may name what the code must not do.
    var code: [(number: Int, text: String)] {
        lines.enumerated().map { index, line in
            guard let comment = line.range(of: "//") else { return (index + 1, line) }
            return (index + 1, String(line[..<comment.lowerBound]))
        }
    }

    /// `path:line: text` for each line of code that `pattern` matches: what a failing rule shows.
    func matches(of pattern: Regex<Substring>) -> [String] {
        code.filter { $0.text.contains(pattern) }
            .map { "\(path):\($0.number): \($0.text.trimmingCharacters(in: .whitespaces))" }
    }
}

/// The repository this test was compiled from.
struct Tree: Sendable {
    let root: URL

    /// The tree that holds this source file, two folders up.
    static let current = Tree(
        root: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent())

    /// Names at the top that `ls` shows.
    func visibleEntries() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: root.path()).filter { !$0.hasPrefix(".") })
    }

    /// The text files below one top-level folder, or that file itself, sorted by path.
    ///
    /// Hidden files are left out, as is whatever is not UTF-8 (there is nothing of that kind to read in it).
    func files(in entry: String, suffix: String = "") throws -> [TextFile] {
        let start = root.appending(path: entry)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: start.path(), isDirectory: &isFolder) else { return [] }
        guard isFolder.boolValue else { return try read(entry).map { [$0] } ?? [] }
        let below = FileManager.default.enumerator(atPath: start.path())
        var found: [TextFile] = []
        while let path = below?.nextObject() as? String {
            guard path.hasSuffix(suffix), !path.split(separator: "/").contains(where: { $0.hasPrefix(".") })
            else { continue }
            if let file = try read("\(entry)/\(path)") { found.append(file) }
        }
        return found.sorted { $0.path < $1.path }
    }

    private func read(_ path: String) throws -> TextFile? {
        let file = root.appending(path: path)
        guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true,
            let text = String(data: try Data(contentsOf: file), encoding: .utf8)
        else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return TextFile(path: path, lines: lines)
    }
}
