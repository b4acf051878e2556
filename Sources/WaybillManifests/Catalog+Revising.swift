import WaybillCore

/// What a catalog was made of, for as long as one file after the other changes.
struct CatalogBasis: Sendable {
    /// By path.
    fileprivate(set) var manifests: [String: ReadManifest]
    /// In the order of their paths.
    let paths: [String]
    /// What the files that were read resolved references with.
    fileprivate let capabilities: CapabilityIndex
    /// The names of the outputs of each workflow.
    fileprivate let outputs: [String: [String]]
    /// What workflows are linked with.
    var served = CapabilityIndex()
    /// The names of the workflows that tests look into.
    var tested: Set<String> = []

    /// - Parameter manifests: in the order of their paths.
    init(_ manifests: [ReadManifest], _ capabilities: CapabilityIndex, _ outputs: [String: [String]]) {
        paths = manifests.map(\.file.path)
        self.manifests = Dictionary(uniqueKeysWithValues: manifests.map { ($0.file.path, $0) })
        self.capabilities = capabilities
        self.outputs = outputs
    }
}

extension Catalog {
    /// Takes in a file that changed, where no other file can tell: it held workflows and holds them still, each takes and
    /// gives and calls what it did before, and nothing is or was wrong with their ties. That spares a tree of 10,000
    /// manifests the linking of the others, which takes nine tenths of the time.
    ///
    /// - Parameters: as for `load`, which made this catalog with the same cache. What files others ask about are there as
    ///   they were.
    /// - Returns: false, and nothing has changed, where everything has to be loaded again.
    package mutating func revise(
        _ file: SourceFile, exists: @escaping @Sendable (String) -> Bool, cache: ManifestCache
    ) -> Bool {
        guard let basis, let before = basis.manifests[file.path] else { return false }
        var manifest = ReadManifest(file, exists: exists)
        guard before.capabilities.isEmpty, manifest.capabilities.isEmpty else { return false }
        manifest.complete(basis.capabilities, basis.outputs)
        guard let revised = manifest.reader.workflows, let known = before.reader.workflows,
            revised.map(\.name) == known.map(\.name),
            revised.allSatisfy({ workflows[$0.name]?.sourcePath == file.path && !basis.tested.contains($0.name) }),
            // What linking found is among them, and would have to be found again.
            diagnostics.count(where: { $0.place?.file == file.path }) == before.reader.report.diagnostics.count
        else { return false }
        let surroundings = WorkflowTies.Surroundings(self, basis.served)
        for (revised, known) in zip(revised, known) {
            let ties = WorkflowTies(of: revised, in: surroundings)
            guard ties.problems.isEmpty, revised.looksFromOutside(like: known),
                ties.calls.elementsEqual(WorkflowTies(of: known, in: surroundings).calls, by: WorkflowTies.leadAlike)
            else { return false }
        }
        take(manifest, revised, instead: before)
        cache.keep(manifest)
        return true
    }

    private mutating func take(_ manifest: ReadManifest, _ revised: [WorkflowDefinition], instead before: ReadManifest)
    {
        for workflow in revised { workflows[workflow.name] = workflow }
        basis?.manifests[manifest.file.path] = manifest
        let news = manifest.reader.report.diagnostics
        guard !news.isEmpty || !before.reader.report.diagnostics.isEmpty else { return }
        diagnostics.removeAll { $0.place?.file == manifest.file.path }
        diagnostics += news
        diagnostics.sort(by: Diagnostic.isBefore)
    }
}

extension ManifestReader {
    /// Those of a file that holds workflows and nothing else; nil for any other, and where anything is wrong in it.
    fileprivate var workflows: [WorkflowDefinition]? {
        var found: [WorkflowDefinition] = []
        for document in documents {
            guard case .workflow(let workflow)? = document.content else { return nil }
            found.append(workflow)
        }
        return report.hasErrors ? nil : found
    }
}

extension WorkflowDefinition {
    /// Whether it takes and gives what the other one does.
    fileprivate func looksFromOutside(like other: WorkflowDefinition) -> Bool {
        outputs.map(\.name) == other.outputs.map(\.name)
            && inputs.elementsEqual(other.inputs) {
                $0.name.isIdenticalUTF8(to: $1.name) && $0.schemaValue == $1.schemaValue
                    && $0.defaultValue == $1.defaultValue
            }
    }
}

extension WorkflowTies {
    /// Whether two calls are the same to whoever looks for circles.
    fileprivate static func leadAlike(_ left: Call, _ right: Call) -> Bool {
        left.callee == right.callee && left.isConditional == right.isConditional && left.isDetached == right.isDetached
    }
}
