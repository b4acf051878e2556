import WaybillCore

/// The name of an answer or control file: `<key>[--anything].(json|yaml|yml|txt)`.
package struct AnswerName: Sendable, Hashable {
    package enum Format: String, Sendable {
        case json
        case yaml
        case text
    }

    /// The whole name, as dropped.
    package var file: String
    /// The wait's key, or `@cancel` and so on.
    package var key: String
    /// Nil where the extension is none of those.
    package var format: Format?

    package init(file: String) {
        self.file = file
        let parts = Self.split(file)
        format = parts.format
        key = Self.key(of: parts.stem)
    }

    /// The name in a common inbox, `<run-id>.<key>...`: the run's id, and the rest as a name of its own.
    /// Nil without a dot in the stem: that is a start request or an event.
    package static func addressed(_ file: String) -> (run: String, name: AnswerName)? {
        let parts = split(file)
        guard let dot = parts.stem.firstIndex(of: ".") else { return nil }
        var name = AnswerName(file: file)
        name.key = key(of: parts.stem[parts.stem.index(after: dot)...])
        return (String(parts.stem[..<dot]), name)
    }

    private static func split(_ file: String) -> (stem: Substring, format: Format?) {
        guard let dot = file.lastIndex(of: ".") else { return (file[...], nil) }
        let stem = file[..<dot]
        switch file[file.index(after: dot)...] {
        case "json": return (stem, .json)
        case "yaml", "yml": return (stem, .yaml)
        case "txt": return (stem, .text)
        default: return (stem, nil)
        }
    }

    private static func key(of stem: Substring) -> String {
        var search = stem.startIndex
        while let dash = stem[search...].firstIndex(of: "-") {
            let next = stem.index(after: dash)
            if next < stem.endIndex, stem[next] == "-" { return String(stem[..<dash]) }
            search = next
        }
        return String(stem)
    }

    package var isControl: Bool { key.hasPrefix("@") }
}

/// The control files this version acts on.
package enum ControlKind: String, Sendable, CaseIterable {
    case cancel
    case pause
    case resume
    case retry
    case snapshot

    package var key: String { "@" + rawValue }

    package init?(key: String) {
        guard key.hasPrefix("@") else { return nil }
        self.init(rawValue: String(key.dropFirst()))
    }
}
