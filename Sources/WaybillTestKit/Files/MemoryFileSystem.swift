internal import Synchronization
package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// Files in memory that forget what POSIX allows a machine to forget.
///
/// Content and names exist twice: as running processes see them, and as a power loss would leave them.
/// Every call passes one `step`, where a plan may make it fail, cut it short, or stop the world.
package final class MemoryFileSystem: FileSystem {
    /// Asked before every operation; what it answers happens instead. It is called with the file system
    /// locked, so it decides on what it is given and touches no files.
    package typealias Plan = @Sendable (Operation) -> Fault?

    let state: Mutex<MemoryVolume>

    package init() {
        state = Mutex(MemoryVolume())
    }

    /// The clock that new times of files are taken from.
    package var now: Timestamp {
        get { state.withLock { $0.now } }
        set { state.withLock { $0.now = newValue } }
    }

    /// How many operations were asked for since the beginning.
    package var operationCount: Int { state.withLock { $0.operationCount } }

    /// Decides over all operations from here on; nil lets them pass.
    package func setPlan(_ plan: Plan?) { state.withLock { $0.plan = plan } }

    package func openDirectory(_ path: FilePath) throws(FileSystemError) -> (any Directory)? {
        let (found, lifetime) = try state.withLock { (volume) throws(FileSystemError) in
            try volume.step(.openFolder, path)
            return (try volume.find(path.components, from: volume.root, "open", path), volume.lifetime)
        }
        guard let found else { return nil }
        return MemoryDirectory(self, node: found, lifetime: lifetime, path: path)
    }

    package func createDirectories(_ path: FilePath) throws(FileSystemError) {
        let root = MemoryDirectory(self, node: MemoryVolume.rootNode, lifetime: nil, path: "/")
        try root.createDirectories(FilePath(root: nil, path.components))
    }

    /// Puts something there that no operation of the port makes: a link, a FIFO, a device, a socket, or a
    /// second name of a file. Its folder has to exist.
    package func place(_ kind: FileKind, at path: FilePath) throws(FileSystemError) {
        try state.withLock { (volume) throws(FileSystemError) in
            let folder = try volume.folder(path.removingLastComponent().components, from: volume.root, "place", path)
            guard let name = path.lastComponent else { throw FileSystemError(.escapes, "place", path) }
            volume.link(volume.makeNode(kind, permissions: 0o777), as: name, in: folder)
        }
    }

    /// Gives the file at `path` one more name.
    package func link(_ path: FilePath, as newPath: FilePath) throws(FileSystemError) {
        try state.withLock { (volume) throws(FileSystemError) in
            let folder = try volume.folder(newPath.removingLastComponent().components, from: volume.root, "link", path)
            guard let node = try volume.find(path.components, from: volume.root, "link", path),
                let name = newPath.lastComponent
            else { throw FileSystemError(.notFound, "link", path) }
            volume.link(node, as: name, in: folder)
        }
    }

    /// The power fails and comes back. What was not synced is decided name by name and file by file; locks and
    /// handles are gone, and handles from before answer `.closed`.
    package func crash(_ choose: (Unsynced) -> Survival = { _ in .lost }) {
        state.withLock { $0.crash(choose) }
    }
}

extension MemoryFileSystem {
    /// One call to the port.
    package struct Operation: Sendable {
        package enum Kind: String, Sendable, CaseIterable {
            case openFolder, open, create, status, list, makeFolder, rename, remove, removeFolder, syncFolder
            case read, write, cut, sync, lock, unlock, mark, clone, inspectFileSystem, setAccess

            /// Whether it can change what a crash leaves behind.
            package var isMutating: Bool {
                switch self {
                case .create, .makeFolder, .rename, .remove, .removeFolder, .syncFolder, .write, .cut, .sync: true
                default: false
                }
            }
        }
        package var kind: Kind
        package var path: FilePath
        /// Counts from 1 over the life of the file system.
        package var number: Int
    }

    /// What happens instead of an operation.
    package enum Fault: Sendable {
        /// Nothing is done, and the caller gets this error. A failed sync loses what it was to make durable,
        /// while readers go on seeing it, as on Linux.
        case fail(FileSystemError.Code)
        /// A read or write moves at most so many bytes.
        case short(Int)
        /// This and every later operation fails, until `crash` brings the machine back.
        case halt
    }

    /// Something a crash may lose.
    package enum Unsynced: Sendable {
        /// A name made, removed or moved, in the order in which it happened.
        case name(FilePath.Component)
        /// Content beyond or instead of what was synced; both lengths in bytes.
        case content(synced: Int, live: Int)
    }

    package enum Survival: Sendable {
        case lost
        case kept
        /// Of appended content, so many bytes of the file remain; otherwise as `kept`.
        case torn(length: Int)
    }
}
