internal import SystemPackage
package import WaybillPorts

/// Says whether a daemon attends a tree. Any number of daemons may; the mark goes with the process that set it,
/// however it ends.
package struct TreeLock: Sendable {
    private static let presence: FilePath = "daemon.lock"
    private static let door: FilePath = "door.lock"
    private let file: any File

    /// Marks the tree as attended by this process, until the last reference to the lock goes.
    /// - Parameter caches: `.waybill/`, open.
    package init(attending caches: any Directory) throws(FileSystemError) {
        file = try Self.open(Self.presence, in: caches)
        try file.markPresence()
    }

    /// Makes this process the one that takes files from the tree's common inbox, until the last reference goes. What
    /// lies in its `.claimed/` is then this process's own, or was left by one that is gone.
    /// - Throws: `.locked` if another process does.
    package init(keepingDoorOf caches: any Directory) throws(FileSystemError) {
        file = try Self.open(Self.door, in: caches)
        try file.lock()
    }

    /// Calls `body` once, on a thread of its own, when no process keeps the door any more; false where nobody can wait for
    /// that, and then nothing is called.
    package static func whenDoorIsFree(
        of caches: any Directory, _ body: @escaping @Sendable () -> Void
    ) throws(FileSystemError) -> Bool {
        try open(door, in: caches).whenUnlocked(body)
    }

    /// Whether any daemon attends the tree at this moment. Asking takes no lock, so it disturbs nobody.
    package static func isAttended(_ caches: any Directory) throws(FileSystemError) -> Bool {
        guard let file = try caches.open(presence, .read) else { return false }
        defer { file.close() }
        return try file.hasPresence()
    }

    package func release() { file.close() }

    private static func open(_ name: FilePath, in caches: any Directory) throws(FileSystemError) -> any File {
        while true {
            if let file = try caches.open(name, .readWrite) { return file }
            do throws(FileSystemError) {
                return try caches.create(name, permissions: Permissions.file)
            } catch  where error.code == .exists {
                continue
            }
        }
    }
}
