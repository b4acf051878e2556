package import WaybillCore

/// A file of a tree, as its reader found it.
package struct SourceFile: Hashable, Sendable {
    /// Relative to the tree's root, e.g. `workflows/release.yaml`.
    package let path: String
    package let bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// What the manifests of a tree say, and everything that is wrong with them.
///
/// The same files always give the same catalog, so a run that kept its sources keeps its definition.
package struct Catalog: Sendable {
    /// The workflows that may run, by name.
    package var workflows: [String: WorkflowDefinition] = [:]
    /// Sorted by name.
    package var policies: [PolicyDefinition] = []
    package var settings = SettingsDefinition()
    /// The names of workflows that are there and cannot run, because their file has an error or their name is taken.
    package var setAside: Set<String> = []
    /// Sorted by place.
    package var diagnostics: [Diagnostic] = []

    package init() {}

    /// Reads all manifests of a tree. A file with an error is set aside as a whole; the others stand.
    /// A name that two documents claim belongs to neither.
    ///
    /// - Parameters:
    ///   - files: every `*.yaml` and `*.yml` below `workflows/`, in any order.
    ///   - exists: whether a file stands at a path relative to the tree's root.
    package static func load(_ files: [SourceFile], exists: (String) -> Bool) -> Catalog {
        var catalog = Catalog()
        var documents: [ManifestDocument] = []
        withoutActuallyEscaping(exists) { exists in
            for file in files.sorted(by: { $0.path.precedesInCodePoints($1.path) }) {
                let reader = ManifestReader(file: file, exists: exists)
                documents += reader.read()
                catalog.diagnostics += reader.diagnostics
            }
        }
        catalog.take(documents)
        catalog.diagnostics.sort(by: Diagnostic.isBefore)
        return catalog
    }

    private mutating func take(_ documents: [ManifestDocument]) {
        let ambiguous = refuseDuplicates(documents)
        for document in documents where document.kind == .workflow {
            if document.content == nil || ambiguous.contains(document.key) { setAside.insert(document.name) }
        }
        for document in documents where !ambiguous.contains(document.key) {
            switch document.content {
            case .workflow(let workflow)?: workflows[workflow.name] = workflow
            case .policy(let policy)?: policies.append(policy)
            case .settings(let settings)?: self.settings = settings
            case nil: break
            }
        }
        policies.sort { $0.name.precedesInCodePoints($1.name) }
    }

    /// The keys that more than one document has.
    private mutating func refuseDuplicates(_ documents: [ManifestDocument]) -> Set<String> {
        var first: [String: ManifestDocument] = [:]
        var ambiguous: Set<String> = []
        for document in documents {
            guard let other = first[document.key] else {
                first[document.key] = document
                continue
            }
            ambiguous.insert(document.key)
            let what =
                document.kind == .settings
                ? "a tree has one `kind: Settings`, and there is one" : "the name `\(document.name)` is taken"
            diagnostics.append(
                Diagnostic(
                    message: "\(what) at \(other.place)", place: document.place,
                    hint: document.kind == .settings ? "merge the two" : "rename one of the two"))
        }
        return ambiguous
    }
}

extension Diagnostic {
    /// By file, line and column; what has no place comes first.
    fileprivate static func isBefore(_ left: Diagnostic, _ right: Diagnostic) -> Bool {
        guard let leftPlace = left.place, let rightPlace = right.place else {
            return left.place == nil && right.place != nil
        }
        if leftPlace.file != rightPlace.file { return leftPlace.file.precedesInCodePoints(rightPlace.file) }
        return (leftPlace.line, leftPlace.column) < (rightPlace.line, rightPlace.column)
    }
}
