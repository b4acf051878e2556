internal import Synchronization
package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// Files in memory that forget what POSIX allows a machine to forget.
///
/// Content and names exist twice: as running processes see them, and as a power loss would leave them.
/// Every call passes one `step`, where a plan may make it fail, cut it short, or stop the world.
///
/// One of these is what one process sees of a disk (`MemoryDisk`); a process can be killed by itself.
package final class MemoryFileSystem: FileSystem {
    /// Asked before every operation; what it answers happens instead. It is called with the file system
    /// locked, so it decides on what it is given and touches no files.
    package typealias Plan = @Sendable (Operation) -> Fault?

    /// Sees the disk before an operation, or in the middle of a write. It is called with the disk locked, and may copy it.
    package typealias Recorder = @Sendable (_ volume: MemoryVolume, Operation, _ isTorn: Bool) -> Void

    package let disk: MemoryDisk
    /// Tells the process apart from all others that the disk has seen.
    package let process: Int
    /// Whether its operations pass the step; those of people and of steps do not.
    let isCounted: Bool
    private let mark: String
    private let marks = Atomic<Int>(0)

    /// - Parameters:
    ///   - process: whose handles these are.
    ///   - mark: what its temporary names begin with; the process id, which may come back after a restart.
    ///   - isCounted: false for what happens beside the system under test: nothing of it is counted, fails or is seen.
    package init(_ disk: MemoryDisk = MemoryDisk(), process: Int = 0, mark: String = "1", isCounted: Bool = true) {
        self.isCounted = isCounted
        self.disk = disk
        self.process = process
        self.mark = mark
    }

    func nextMark() -> String { "\(mark)-\(marks.wrappingAdd(1, ordering: .relaxed).newValue)" }

    /// Whether the process lives.
    package var isAlive: Bool { disk.withVolume { !$0.dead.contains(process) } }

    /// The process is killed: its locks are gone, and nothing it still asks for happens.
    package func kill() { disk.withVolume { $0.kill(process) } }

    /// The clock that new times of files are taken from.
    package var now: Timestamp {
        get { disk.withVolume { $0.now } }
        set { disk.withVolume { $0.now = newValue } }
    }

    /// How many operations were asked for since the beginning.
    package var operationCount: Int { disk.withVolume { $0.operationCount } }

    /// Decides over all operations from here on; nil lets them pass.
    package func setPlan(_ plan: Plan?) { disk.withVolume { $0.plan = plan } }

    package func openDirectory(_ path: FilePath) throws(FileSystemError) -> (any Directory)? {
        let (found, lifetime) = try disk.withVolume { (volume) throws(FileSystemError) in
            try volume.check(nil, process, path)
            if isCounted { try volume.step(.openFolder, { path }, process) }
            return (try volume.find(MemoryPath(path).names, from: volume.root, "open", path), volume.lifetime)
        }
        guard let found else { return nil }
        return MemoryDirectory(self, node: found, lifetime: lifetime, base: path, relative: FilePath())
    }

    package func createDirectories(_ path: FilePath) throws(FileSystemError) {
        let root = MemoryDirectory(self, node: MemoryVolume.rootNode, lifetime: nil, base: "/", relative: FilePath())
        try root.createDirectories(FilePath(root: nil, path.components))
    }

    /// Puts something there that no operation of the port makes: a link, a FIFO, a device, a socket, or a
    /// second name of a file. Its folder has to exist.
    package func place(_ kind: FileKind, at path: FilePath) throws(FileSystemError) {
        try disk.withVolume { (volume) throws(FileSystemError) in
            let folder = try volume.folder(MemoryPath(path).names.dropLast(), from: volume.root, "place", path)
            guard let name = MemoryPath(path).names.last else { throw FileSystemError(.escapes, "place", path) }
            volume.link(volume.makeNode(kind, permissions: 0o777), as: name, in: folder)
        }
    }

    /// Gives the file at `path` one more name.
    package func link(_ path: FilePath, as newPath: FilePath) throws(FileSystemError) {
        try disk.withVolume { (volume) throws(FileSystemError) in
            let folder = try volume.folder(MemoryPath(newPath).names.dropLast(), from: volume.root, "link", path)
            guard let node = try volume.find(MemoryPath(path).names, from: volume.root, "link", path),
                let name = MemoryPath(newPath).names.last
            else { throw FileSystemError(.notFound, "link", path) }
            volume.link(node, as: name, in: folder)
        }
    }

    /// The power fails and comes back. What was not synced is decided name by name and file by file; locks and
    /// handles are gone, and handles from before answer `.closed`.
    package func crash(_ choose: (Unsynced) -> Survival = { _ in .lost }) {
        disk.withVolume { $0.crash(choose) }
    }
}

extension MemoryFileSystem {
    /// One call to the port.
    package struct Operation: Sendable {
        package enum Kind: String, Sendable, CaseIterable {
            case openFolder, open, create, status, list, makeFolder, rename, remove, removeFolder, syncFolder
            case read, write, cut, allocate, sync, lock, unlock, mark, clone, inspectFileSystem, setAccess

            /// Whether it can change what a crash leaves behind.
            package var isMutating: Bool {
                switch self {
                case .create, .makeFolder, .rename, .remove, .removeFolder, .syncFolder, .write, .cut, .allocate, .sync:
                    true
                default: false
                }
            }
        }
        package var kind: Kind
        /// Put together when it is asked for.
        let location: @Sendable () -> FilePath
        package var path: FilePath { location() }
        /// Counts from 1 over the life of the file system.
        package var number: Int
        /// The process that asks for it.
        package var process: Int
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
        /// The process that asks is killed.
        case kill
    }

    /// Something a crash may lose.
    package enum Unsynced: Sendable {
        /// A name made, removed or moved, in the order in which it happened.
        case name(String)
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
