package import SystemPackage
import WaybillCore
import WaybillExpressions
package import WaybillManifests
package import WaybillPorts
package import WaybillStore

/// The desired state: what stands under `workflows/`, read and checked.
///
/// It is read anew as a whole when something changed; files whose inode, size and times are as before are not
/// opened again.
package struct SourceTree: Sendable {
    /// The largest manifest that is read, in bytes.
    package static let largestManifest = 4 << 20
    /// How many manifests a tree may hold.
    package static let fileLimit = 100_000
    private static let folder: FilePath = "workflows"

    private let root: any Directory
    private var read: [String: ReadFile] = [:]
    /// Folders that cannot be read, with the reason.
    private var unreadable: [String: String] = [:]
    package private(set) var catalog: Catalog

    private struct ReadFile {
        var status: FileStatus
        var bytes: [UInt8]
        /// Why it could not be read: the file is set aside, the others stand.
        var problem: String?
    }

    /// - Parameter root: the tree's root.
    package init(root: any Directory) throws(RuntimeError) {
        self.root = root
        catalog = Catalog.load([], exists: { _ in false })
        try refresh()
    }

    /// Reads what changed.
    ///
    /// - Returns: whether anything did.
    @discardableResult
    package mutating func refresh() throws(RuntimeError) -> Bool {
        var found: [String: FileStatus] = [:]
        let unreadableBefore = unreadable
        unreadable = [:]
        do throws(FileSystemError) {
            try find(Self.folder, &found)
            var isChanged = read.count != found.count || unreadable != unreadableBefore
            for (path, status) in found where read[path]?.status != status {
                isChanged = true
                read[path] = readFile(path, status)
            }
            guard isChanged || read.isEmpty else { return false }
        } catch {
            throw RuntimeError(StoreError(error))
        }
        for path in read.keys where found[path] == nil { read[path] = nil }
        let readable = read.filter { $0.value.problem == nil }
        let files = readable.keys.sorted { $0.precedesInCodePoints($1) }
            .map { SourceFile(path: $0, bytes: readable[$0]?.bytes ?? []) }
        let root = self.root
        catalog = Catalog.load(files, exists: { path in (try? root.status(FilePath(path))) != nil })
        let problems = read.compactMapValues(\.problem).merging(unreadable) { file, _ in file }
        for (path, problem) in problems.sorted(by: { $0.key.precedesInCodePoints($1.key) }) {
            let place = SourcePlace(file: path, line: 1, column: 1)
            catalog.diagnostics.append(
                Diagnostic(level: .error, kind: .manifest, message: problem, place: place, hint: nil))
        }
        return true
    }

    private func readFile(_ path: String, _ status: FileStatus) -> ReadFile {
        do throws(FileSystemError) {
            let bytes = try root.read(FilePath(path), limit: Self.largestManifest)
            return ReadFile(status: status, bytes: bytes ?? [], problem: bytes == nil ? "is gone" : nil)
        } catch {
            return ReadFile(status: status, bytes: [], problem: "cannot be read: \(error.description)")
        }
    }

    private mutating func find(_ folder: FilePath, _ found: inout [String: FileStatus]) throws(FileSystemError) {
        guard let listing = try root.listing(folder) else { return }
        while found.count < Self.fileLimit {
            let batch = try listing.next(limit: 1_024)
            if batch.isEmpty { return }
            for entry in batch {
                let name = entry.name.string
                guard !name.hasPrefix("."), String(validating: name.utf8, as: UTF8.self) != nil else { continue }
                let path = folder.appending(entry.name)
                if entry.kind == .directory {
                    findBeneath(path, &found)
                } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml"), let status = try root.status(path),
                    status.kind == .file
                {
                    found[path.string] = status
                }
            }
        }
    }

    /// A folder that cannot be read is set aside with a diagnostic; what stands beside it stands.
    private mutating func findBeneath(_ folder: FilePath, _ found: inout [String: FileStatus]) {
        do throws(FileSystemError) {
            try find(folder, &found)
        } catch {
            unreadable[folder.string] = "cannot be read: \(error.description)"
        }
    }

    // MARK: - Freezing

    /// What a run of a workflow is started with: its file, the policies that match it, the settings, its scripts.
    ///
    /// - Parameter commit: gives the commit that has exactly the files at these paths; nil if none has.
    package func freeze(
        _ workflow: WorkflowDefinition, commit: ([String]) -> String?
    ) throws(RuntimeError) -> FrozenDefinition {
        var paths: Set<String> = [workflow.sourcePath]
        for policy in catalog.policies
        where policy.match.matches(workflow: workflow.name, labels: workflow.labels) {
            paths.insert(policy.sourcePath)
        }
        if let settings = catalog.settings.place { paths.insert(settings.file) }
        var sources = paths.compactMap { path in
            read[path].map { FrozenDefinition.Source(path: path, bytes: $0.bytes) }
        }
        do throws(FileSystemError) {
            for path in try scripts(of: workflow) where !paths.contains(path) {
                guard let file = try root.open(FilePath(path), .read) else { continue }
                defer { file.close() }
                let status = try file.status()
                guard status.kind == .file else { continue }
                sources.append(
                    FrozenDefinition.Source(
                        path: path, bytes: try file.readAll(limit: RunFolders.largestSource),
                        isExecutable: status.permissions & 0o111 != 0))
            }
        } catch {
            throw RuntimeError(StoreError(error))
        }
        return FrozenDefinition(workflow: workflow.name, commit: commit(sources.map(\.path)), sources: sources)
    }

    /// The files that belong to a workflow, relative to the tree's root: each relative `argv[0]`, and `files`.
    private func scripts(of workflow: WorkflowDefinition) throws(FileSystemError) -> Set<String> {
        let folder = FilePath(workflow.sourcePath).removingLastComponent()
        var paths: Set<String> = []
        for step in workflow.plan.steps {
            guard case .run(let action) = step.action, case .argv(let arguments) = action.command,
                case .constant(.string(let program))? = arguments.first, let file = SourceTree.frozenPath(of: program)
            else { continue }
            paths.insert(folder.pushing(file).lexicallyNormalized().string)
        }
        guard !workflow.files.isEmpty, let directory = try root.openDirectory(folder) else { return paths }
        for pattern in workflow.files {
            guard let glob = try? Glob(pattern) else { continue }
            for file in try glob.files(in: directory) { paths.insert(folder.pushing(FilePath(file)).string) }
        }
        return paths
    }

    /// The path of a program that is frozen with a run, relative to the workflow file's folder; nil for names that are
    /// looked up in `PATH` and for absolute paths.
    package static func frozenPath(of program: String) -> FilePath? {
        guard program.utf8.contains(UInt8(ascii: "/")), !program.hasPrefix("/") else { return nil }
        return FilePath(program).lexicallyNormalized()
    }
}
