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
    /// The workflows that may run, by name, with the capabilities they use resolved.
    package internal(set) var workflows: [String: WorkflowDefinition] = [:]
    /// Sorted by name.
    package internal(set) var policies: [PolicyDefinition] = []
    /// Sorted by name, then by version.
    package internal(set) var capabilities: [CapabilityDefinition] = []
    /// Sorted by name.
    package internal(set) var tests: [TestDefinition] = []
    /// Sorted by name.
    package internal(set) var declarations: [RunDeclaration] = []
    package internal(set) var settings = SettingsDefinition()
    /// The names of workflows that are there and cannot run: their file has an error, their name is taken, or what
    /// they use or call is missing or set aside itself.
    package internal(set) var setAside: Set<String> = []
    /// Files whose policies or settings are set aside, or may be: what they forbid is not known, so nothing may start.
    package internal(set) var brokenRules: Set<String> = []
    /// Sorted by place.
    package var diagnostics: [Diagnostic] = []
    /// What it was made of; nil where it cannot be revised.
    var basis: CatalogBasis?

    package init() {}

    /// Reads all manifests of a tree. A file with an error is set aside as a whole, a document that refers to what is
    /// not there alone; the others stand. A name that two documents claim belongs to neither.
    ///
    /// - Parameters:
    ///   - files: every `*.yaml` and `*.yml` below `workflows/`, in any order.
    ///   - exists: whether a file stands at a path relative to the tree's root.
    ///   - workers: who reads the files; what comes out is the same.
    ///   - cache: what was read of them before; what comes out is the same.
    ///   - isKept: whether the cache is to know these files, and no others, afterwards.
    package static func load(
        _ files: [SourceFile], exists: @escaping @Sendable (String) -> Bool, workers: Workers = .here,
        cache: ManifestCache? = nil, isKept: Bool = true
    ) -> Catalog {
        var catalog = Catalog()
        var basis = catalog.read(files, exists: exists, workers, known: cache?.known ?? [:])
        catalog.link(&basis)
        catalog.diagnostics.sort(by: Diagnostic.isBefore)
        if let cache, isKept {
            cache.keep(basis.manifests)
            catalog.basis = basis
        }
        return catalog
    }

    /// The workflows that a run of one may come to call, itself included, by name.
    package func closure(of workflow: WorkflowDefinition) -> [String: WorkflowDefinition] {
        var found = [workflow.name: workflow]
        var open = [workflow]
        while let caller = open.popLast() {
            for name in caller.calledWorkflows {
                guard found[name] == nil, let callee = workflows[name] else { continue }
                found[name] = callee
                open.append(callee)
            }
        }
        return found
    }

    // MARK: - Reading

    private mutating func read(
        _ files: [SourceFile], exists: @escaping @Sendable (String) -> Bool, _ workers: Workers,
        known: [String: ReadManifest]
    ) -> CatalogBasis {
        let begun = workers.map(files.sorted { $0.path.precedesInCodePoints($1.path) }) { file in
            if let manifest = known[file.path], manifest.holds(for: file, exists: exists) { return manifest }
            return ReadManifest(file, exists: exists)
        }
        let capabilities = CapabilityIndex(begun)
        let outputs = Self.outputs(begun)
        let manifests = workers.map(begun) { begun in
            var manifest = begun
            if manifest.isWhole {
                if manifest.holds(capabilities, outputs) { return manifest }
                // Its report speaks of what is no more.
                manifest = ReadManifest(manifest.file, exists: exists)
            }
            manifest.complete(capabilities, outputs)
            return manifest
        }
        for manifest in manifests {
            let reader = manifest.reader
            diagnostics += reader.report.diagnostics
            if reader.documents.isEmpty, reader.report.hasErrors, Self.speaksOfRules(manifest.file) {
                brokenRules.insert(manifest.file.path)
            }
        }
        return CatalogBasis(manifests, capabilities, outputs)
    }

    /// What the workflows say they give, by name, for those that call them.
    private static func outputs(_ manifests: [ReadManifest]) -> [String: [String]] {
        var found: [String: [String]] = [:]
        for manifest in manifests {
            for document in manifest.reader.documents where document.kind == .workflow {
                if let name = document.name { found[name] = document.outputs }
            }
        }
        return found
    }

    /// Whether a file that is no YAML looks as if it held a policy or the settings.
    private static func speaksOfRules(_ file: SourceFile) -> Bool {
        ["kind: Policy", "kind: Settings"].contains { file.bytes.firstRange(of: Array($0.utf8)) != nil }
    }

    private mutating func link(_ basis: inout CatalogBasis) {
        let readers = basis.paths.compactMap { basis.manifests[$0]?.reader }
        let documents = readers.flatMap(\.documents)
        let ambiguous = refuseDuplicates(documents)
        take(documents, ambiguous)
        basis.served = CapabilityIndex(documents, ambiguous: ambiguous)
        for document in documents where document.kind == .test {
            if let name = document.fields.text("workflow") { basis.tested.insert(name) }
        }
        WorkflowLinker.link(&self, basis.served)
        for reader in readers { DocumentLinker(reader: reader, ambiguous: ambiguous).link(&self) }
    }

    private mutating func take(_ documents: [ManifestDocument], _ ambiguous: Set<String>) {
        for document in documents {
            let isClaimed = document.key.map { !ambiguous.contains($0) } ?? false
            if document.kind == .workflow, let name = document.name, !isClaimed || document.content == nil {
                setAside.insert(name)
            }
            if document.kind == .policy || document.kind == .settings, !isClaimed || document.content == nil {
                brokenRules.insert(document.place.file)
            }
            guard isClaimed else { continue }
            switch document.content {
            case .workflow(let workflow)?: workflows[workflow.name] = workflow
            case .policy(let policy)?: policies.append(policy)
            case .capability(let capability)?: capabilities.append(capability)
            case .settings(let settings)?: self.settings = settings
            case .run(let run)?: declarations.append(run)
            case .test(let test)?: tests.append(test)
            case nil: break
            }
        }
        policies.sort { $0.name.precedesInCodePoints($1.name) }
        capabilities.sort { $0.name == $1.name ? $0.version < $1.version : $0.name.precedesInCodePoints($1.name) }
        tests.sort { $0.name.precedesInCodePoints($1.name) }
        declarations.sort { $0.name.precedesInCodePoints($1.name) }
    }

    /// The keys that more than one document has.
    private mutating func refuseDuplicates(_ documents: [ManifestDocument]) -> Set<String> {
        var first: [String: ManifestDocument] = [:]
        var ambiguous: Set<String> = []
        for document in documents {
            guard let key = document.key else { continue }
            guard let other = first[key] else {
                first[key] = document
                continue
            }
            ambiguous.insert(key)
            let what =
                switch document.kind {
                case .settings: "a tree has one `kind: Settings`, and there is one"
                case .capability: "the version `\(document.claim)` is taken"
                default: "the name `\(document.claim)` is taken"
                }
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
    static func isBefore(_ left: Diagnostic, _ right: Diagnostic) -> Bool {
        guard let leftPlace = left.place, let rightPlace = right.place else {
            return left.place == nil && right.place != nil
        }
        if leftPlace.file != rightPlace.file { return leftPlace.file.precedesInCodePoints(rightPlace.file) }
        return (leftPlace.line, leftPlace.column) < (rightPlace.line, rightPlace.column)
    }
}
