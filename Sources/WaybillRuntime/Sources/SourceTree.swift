import SystemPackage
import WaybillCore
package import WaybillManifests
package import WaybillPorts
import WaybillStore

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

    let root: any Directory
    private var read: [String: ReadFile] = [:]
    /// What looks like manifests and is none that can be read, or a folder that cannot be, with the reason.
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
        catalog = Catalog.load(
            files, exists: { path in (try? root.status(FilePath(path))) != nil }, workers: .threads)
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
        }
    }

    /// What a manifest held when it was read; nil where there is none that could be.
    func bytes(of path: String) -> [UInt8]? {
        guard let file = read[path], file.problem == nil else { return nil }
        return file.bytes
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
