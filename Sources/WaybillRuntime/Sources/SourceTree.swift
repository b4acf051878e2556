import SystemPackage
import WaybillCore
package import WaybillManifests
package import WaybillPorts
import WaybillStore

/// The desired state: what stands under `workflows/`, read and checked.
///
/// It is looked through as a whole when something changed; files whose inode, size and times are as before are not
/// opened again, and what they say is not read again unless it depends on others that changed.
package struct SourceTree: Sendable {
    /// The largest manifest that is read, in bytes.
    package static let largestManifest = 4 << 20
    /// How many manifests a tree may hold.
    package static let fileLimit = 100_000
    private static let folder: FilePath = "workflows"

    let root: any Directory
    /// What is known of manifests from before; who reads the same tree again may have it.
    package let manifests: ManifestCache
    private var read: [String: ReadFile] = [:]
    /// What looks like manifests and is none that can be read, or a folder that cannot be, with the reason.
    private var unreadable: [String: String] = [:]
    /// How many of those that were read have a problem.
    private var unsoundFiles = 0
    package private(set) var catalog: Catalog
    /// Whether the disk, and nothing about the files, kept some of them from being read: later there may be more
    /// workflows, and nobody should be told that one does not exist.
    private(set) var isIncomplete = false

    private struct ReadFile: Equatable {
        var status: FileStatus
        var bytes: [UInt8]
        /// Why it could not be read: the file is set aside, the others stand.
        var problem: String?
        /// Whether it may be readable a moment later.
        var isPassing = false
    }

    /// - Parameters:
    ///   - root: the tree's root.
    ///   - manifests: what was read of them before.
    package init(root: any Directory, manifests: ManifestCache = ManifestCache()) throws(RuntimeError) {
        self.root = root
        self.manifests = manifests
        catalog = Catalog.load([], exists: { _ in false })
        try refresh()
    }

    /// Reads files that changed, and looks at no other where none of the others can tell.
    ///
    /// Whoever names them has heard of them, and may not have heard of all: from time to time `refresh()` finds the rest.
    ///
    /// - Parameter changed: relative to the tree's root.
    /// - Returns: whether anything did change.
    package mutating func refresh(changed: Set<String>) throws(RuntimeError) -> Bool {
        guard !isIncomplete, unreadable.isEmpty, unsoundFiles == 0 else { return try refresh() }
        var isChanged = false
        for path in changed {
            guard let before = read[path], let found = try? root.status(FilePath(path)), found.kind == .file else {
                return try refresh() || isChanged
            }
            if before.status == found { continue }
            let file = readFile(path, found)
            guard file.problem == nil,
                file.bytes == before.bytes
                    || catalog.revise(
                        SourceFile(path: path, bytes: file.bytes), exists: exists, cache: manifests)
            else { return try refresh() || isChanged }
            isChanged = isChanged || file.bytes != before.bytes
            read[path] = file
        }
        return isChanged
    }

    /// Reads what changed.
    ///
    /// - Returns: whether anything did.
    @discardableResult
    package mutating func refresh() throws(RuntimeError) -> Bool {
        var found: [String: FileStatus] = [:]
        let unreadableBefore = unreadable
        unreadable = [:]
        isIncomplete = false
        do throws(FileSystemError) {
            try find(Self.folder, &found)
            var isChanged = read.count != found.count || unreadable != unreadableBefore
            // What could not be read is tried again although it has not changed: perhaps the disk has.
            for (path, status) in found where read[path]?.status != status || read[path]?.problem != nil {
                let file = readFile(path, status)
                if file != read[path] { isChanged = true }
                if file.isPassing { isIncomplete = true }
                read[path] = file
            }
            guard isChanged || read.isEmpty else { return false }
        } catch {
            throw RuntimeError(StoreError(error))
        }
        for path in read.keys where found[path] == nil { read[path] = nil }
        let readable = read.filter { $0.value.problem == nil }
        let files = readable.keys.sorted { $0.precedesInCodePoints($1) }
            .map { SourceFile(path: $0, bytes: readable[$0]?.bytes ?? []) }
        catalog = Catalog.load(files, exists: exists, workers: .threads, cache: manifests)
        unsoundFiles = read.count - readable.count
        let problems = read.compactMapValues(\.problem).merging(unreadable) { file, _ in file }
        for (path, problem) in problems.sorted(by: { $0.key.precedesInCodePoints($1.key) }) {
            let place = SourcePlace(file: path, line: 1, column: 1)
            catalog.diagnostics.append(
                Diagnostic(level: .error, kind: .manifest, message: problem, place: place, hint: nil))
        }
        return true
    }

    /// Where the disk does not say, nobody says that a file is missing; freezing it will tell.
    private var exists: @Sendable (String) -> Bool {
        { [root] path in
            do throws(FileSystemError) {
                return try root.status(FilePath(path)) != nil
            } catch {
                return true
            }
        }
    }

    private func readFile(_ path: String, _ status: FileStatus) -> ReadFile {
        do throws(FileSystemError) {
            let bytes = try root.read(FilePath(path), limit: Self.largestManifest)
            let isGone = bytes == nil
            return ReadFile(
                status: status, bytes: bytes ?? [], problem: isGone ? "is gone" : nil, isPassing: isGone)
        } catch {
            return ReadFile(
                status: status, bytes: [], problem: "cannot be read: \(error.description)",
                isPassing: error.isPassing)
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
                } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml"), let status = try root.status(path) {
                    if status.kind == .file {
                        found[path.string] = status
                    } else if status.kind != .directory {
                        unreadable[path.string] = status.kind.refusal
                    }
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
            if error.isPassing { isIncomplete = true }
        }
    }

    /// What a manifest held when it was read; nil where there is none that could be.
    func bytes(of path: String) -> [UInt8]? {
        guard let file = read[path], file.problem == nil else { return nil }
        return file.bytes
    }
}

extension FileSystemError {
    /// Whether it is the trouble of disk or process, which passes, and none of the file's own.
    fileprivate var isPassing: Bool {
        switch code {
        case .noSpace, .tooManyOpenFiles, .interrupted, .io, .closed, .notFound: true
        default: false
        }
    }
}

extension FileKind {
    /// Why something of this kind is no manifest.
    fileprivate var refusal: String {
        let what =
            switch self {
            case .link: "a symbolic link"
            case .fifo: "a FIFO"
            case .socket: "a socket"
            case .device: "a device"
            case .file, .directory, .unknown: "no file"
            }
        return "is \(what); manifests are read from plain files only"
    }
}
