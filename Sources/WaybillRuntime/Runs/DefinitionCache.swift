import Synchronization
package import WaybillCore
package import WaybillEngine
import WaybillExpressions
package import WaybillManifests
import WaybillStore

/// Compiled definitions of runs, by the digest of their index: 10,000 runs of one workflow compile it once.
package final class DefinitionCache: Sendable {
    /// How many definitions are kept.
    private static let limit = 256

    /// A reference, so that nobody waits while somebody else copies a definition.
    private final class Entry: Sendable {
        let definition: RunDefinition
        let lastUse: Atomic<Int>

        init(_ definition: RunDefinition, lastUse: Int) {
            self.definition = definition
            self.lastUse = Atomic(lastUse)
        }
    }

    private let entries = Mutex<[Digest: Entry]>([:])
    private let uses = SharedCounter()
    private let policies = Mutex<[PolicyDefinition]>([])
    private let changes = Atomic(0)
    private let secretSources = Mutex<[String: SecretSource]>([:])
    private let manifests: ManifestCache?

    /// - Parameter manifests: what was read of the tree's manifests, which the frozen ones were when their run started.
    package init(manifests: ManifestCache? = nil) { self.manifests = manifests }

    /// The tree's present policies that bind running runs.
    package var running: [PolicyDefinition] {
        get { policies.withLock { $0 } }
        set {
            policies.withLock { $0 = newValue.filter { $0.binding == .running } }
            changes.add(1, ordering: .releasing)
        }
    }

    /// Grows whenever they change: whoever has them need not ask again before.
    var policyChanges: Int { changes.load(ordering: .acquiring) }

    /// Where the tree's secrets are at present.
    package var secrets: [String: SecretSource] {
        get { secretSources.withLock { $0 } }
        set { secretSources.withLock { $0 = newValue } }
    }

    /// The definition of a run, from its own `definition/` folder.
    ///
    /// - Throws: `quarantined` if a frozen source is not the one the run was started with, or cannot be understood.
    package func definition(of run: RunID, in tree: Tree) throws(RuntimeError) -> RunDefinition {
        do {
            guard let folder = try tree.runs.open(run) else {
                throw RuntimeError(.unknownRun, "there is no run \(run)")
            }
            return try definition(of: folder, in: tree)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    /// As above, of a run whose folder is open.
    func definition(of folder: RunFolder, in tree: Tree) throws(RuntimeError) -> RunDefinition {
        let run = folder.run
        do {
            guard let index = try folder.read(RunFolder.index, limit: RunFolders.largestSource) else {
                throw RuntimeError(.quarantined, "run \(run) has no definition/index.json")
            }
            let digest = Digest.sha256(index)
            if let known = known(digest) { return known }
            return try self.definition(try tree.runs.definition(of: run), run, zones: tree.zones)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    /// The definition that frozen sources make.
    func definition(
        _ frozen: FrozenDefinition, _ run: RunID, zones: any TimeZoneSource
    ) throws(RuntimeError) -> RunDefinition {
        if let known = known(frozen.digest) { return known }
        let definition = try Self.compile(frozen, run, zones: zones, manifests)
        keep(definition)
        return definition
    }

    private func known(_ digest: Digest) -> RunDefinition? {
        guard let entry = entries.withLock({ $0[digest] }) else { return nil }
        entry.lastUse.store(uses.increment(), ordering: .relaxed)
        return entry.definition
    }

    func keep(_ definition: RunDefinition) {
        let entry = Entry(definition, lastUse: uses.increment())
        entries.withLock { entries in
            if entries.count >= Self.limit,
                let oldest = entries.min(by: {
                    $0.value.lastUse.load(ordering: .relaxed) < $1.value.lastUse.load(ordering: .relaxed)
                })
            {
                entries[oldest.key] = nil
            }
            entries[definition.digest] = entry
        }
    }

    /// Reads frozen sources the way the tree's own are read.
    static func compile(
        _ frozen: FrozenDefinition, _ run: RunID, zones: any TimeZoneSource, _ manifests: ManifestCache? = nil
    ) throws(RuntimeError) -> RunDefinition {
        let sources = frozen.sources.filter { $0.path.hasSuffix(".yaml") || $0.path.hasSuffix(".yml") }
        let catalog = Catalog.load(
            sources.map { SourceFile(path: $0.path, bytes: $0.bytes) },
            exists: { path in frozen.source(path) != nil }, cache: manifests, isKept: false)
        guard let workflow = catalog.workflows[frozen.workflow] else {
            throw RuntimeError(
                .quarantined, "the frozen workflow of run \(run) cannot be read by this version",
                diagnostics: catalog.diagnostics)
        }
        return RunDefinition(workflow: workflow, of: catalog, digest: frozen.digest, zones: zones)
    }
}
