import WaybillCore

/// The capabilities of a tree by name and version.
///
/// References resolve to the newest version that serves, whether or not it is sound: an older one in its place would
/// change what a workflow does without a word.
struct CapabilityIndex {
    struct Entry {
        let version: SemanticVersion
        /// Nil where its file has an error.
        let definition: CapabilityDefinition?
        /// Whether its file has an error, or another document claims the same version.
        let isSetAside: Bool
        /// Of its file; 0 where nobody tells readings apart.
        let reading: UInt64
    }

    /// By version, ascending.
    private var entries: [String: [Entry]] = [:]

    init() {}

    /// Of files whose other documents may not be read yet.
    init(_ manifests: [ReadManifest]) {
        for manifest in manifests { add(manifest.capabilities, ambiguous: [], reading: manifest.reading) }
        sort()
    }

    /// - Parameter ambiguous: the keys that more than one document has.
    init(_ documents: [ManifestDocument], ambiguous: Set<String>) {
        add(documents, ambiguous: ambiguous, reading: 0)
        sort()
    }

    private mutating func add(_ documents: [ManifestDocument], ambiguous: Set<String>, reading: UInt64) {
        for document in documents where document.kind == .capability {
            guard let name = document.name, let version = document.version, let key = document.key else { continue }
            var definition: CapabilityDefinition?
            if case .capability(let capability)? = document.content { definition = capability }
            entries[name, default: []].append(
                Entry(
                    version: version, definition: definition,
                    isSetAside: definition == nil || ambiguous.contains(key), reading: reading))
        }
    }

    private mutating func sort() {
        for name in entries.keys { entries[name]?.sort { $0.version < $1.version } }
    }

    var isEmpty: Bool { entries.isEmpty }

    /// The newest version that serves a reference.
    func resolve(_ reference: CapabilityReference) -> Entry? {
        entries[reference.name]?.last { reference.matches($0.version) }
    }

    /// Advice where a reference leads nowhere.
    func hint(for reference: CapabilityReference) -> String? {
        guard let versions = entries[reference.name] else {
            return Suggestion.hint(for: reference.name, among: entries.keys.sorted())
        }
        let known = versions.suffix(10).map { $0.version.description }
        return known.count == 1
            ? "there is version `\(known[0])`" : "there are the versions \(Phrase.enumeration(known))"
    }
}
