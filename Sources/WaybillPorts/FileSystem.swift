package import SystemPackage

/// The door to files. Everything that must survive a crash goes through it, so that an in-memory form can
/// lose, tear and refuse what POSIX allows to be lost, torn and refused.
///
/// All operations block; callers keep them off the cooperative pool. Paths are bytes and may be no UTF-8.
package protocol FileSystem: Sendable {
    /// Opens a folder by an absolute path or one relative to the working directory; links on the way are
    /// followed, as this is the user's own choice of place. Nil if missing.
    func openDirectory(_ path: FilePath) throws(FileSystemError) -> (any Directory)?
    /// Makes a folder, and those above it that are missing, readable by its owner alone.
    func createDirectories(_ path: FilePath) throws(FileSystemError)
}

/// An open folder. Paths given to it are relative, stay beneath it and pass through no symbolic link:
/// `.escapes` and `.isLink` otherwise. Handles may be used by several threads at once, and close when the
/// last reference goes.
package protocol Directory: AnyObject, Sendable {
    /// Where it was opened, for messages only: it may have been renamed since.
    var path: FilePath { get }

    /// Nil if missing.
    /// - Parameter name: what messages call it: where it is going to be.
    func openDirectory(_ path: FilePath, as name: FilePath) throws(FileSystemError) -> (any Directory)?
    /// Nil if missing. Never blocks on a FIFO, never follows a link: `.isLink`, `.wrongKind` instead.
    func open(_ path: FilePath, _ access: FileAccess) throws(FileSystemError) -> (any File)?
    /// Makes an empty file with exactly these permissions and opens it for reading and writing.
    /// - Throws: `.exists` when the name is taken, `.notFound` when the folder is missing.
    func create(_ path: FilePath, permissions: UInt16) throws(FileSystemError) -> any File
    /// Of the thing itself, not of what a link points to. Nil if missing.
    func status(_ path: FilePath) throws(FileSystemError) -> FileStatus?
    /// The names in a folder, in no order, a few at a time. Nil if missing. An empty path is this folder.
    func listing(_ path: FilePath) throws(FileSystemError) -> (any DirectoryListing)?
    /// False if the name is taken by a folder; `.exists` if by anything else.
    func createDirectory(_ path: FilePath, permissions: UInt16) throws(FileSystemError) -> Bool
    /// Moves a name to another one, in `destination` or, when that is nil, in this folder.
    /// - Throws: `.exists` when `replacing` is false and the new name is taken; `.notFound`.
    func rename(_ path: FilePath, to newPath: FilePath, in destination: (any Directory)?, replacing: Bool)
        throws(FileSystemError)
    /// Removes the name of anything but a folder. False if missing.
    func remove(_ path: FilePath) throws(FileSystemError) -> Bool
    /// Removes an empty folder. False if missing.
    func removeDirectory(_ path: FilePath) throws(FileSystemError) -> Bool
    /// Makes the names in the folder at `path` durable; an empty path is this folder.
    func synchronize(_ path: FilePath) throws(FileSystemError)
    /// What kind of file system this folder is on.
    func fileSystemType() throws(FileSystemError) -> FileSystemType
    /// Gives a file or a folder, not a link, to a group, with exactly these permissions. False if missing.
    /// - Throws: `.denied` for a group that this user is not in.
    func setAccess(_ path: FilePath, group: UInt32, permissions: UInt16) throws(FileSystemError) -> Bool
    /// For temporary names: `<process>-<n>`, which no call of any process gives while both live.
    func nextMark() -> String
}

/// How an existing file is opened.
package enum FileAccess: Sendable {
    case read
    case readWrite
}

/// An open file. One thread at a time uses it; it closes when the last reference goes, or before.
package protocol File: AnyObject, Sendable {
    /// Where it was opened, for messages only.
    var path: FilePath { get }

    func status() throws(FileSystemError) -> FileStatus
    /// Reads at most as many bytes as fit; 0 at the end. May be short or `.interrupted`: see `readFully`.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int
    /// Writes some of the bytes and says how many. May be short or `.interrupted`: see `writeFully`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int
    func truncate(to length: Int64) throws(FileSystemError)
    /// Takes all the room that content of this length needs, and makes the file as long where it is shorter.
    /// - Throws: `.noSpace`, and then the file may be longer than before, but not as long as asked for.
    func allocate(_ length: Int64) throws(FileSystemError)
    /// Lets the kernel begin to write the content out, without waiting for it: of several files that are synchronized
    /// one after the other, all are written at once. Makes nothing durable.
    func beginSynchronizing()
    /// Makes content and length durable. After a failure nothing is known about what was written since the
    /// last success, and a second call that succeeds proves nothing.
    func synchronize() throws(FileSystemError)
    /// Takes the exclusive lock of this open file without waiting; it goes with the handle.
    /// - Throws: `.locked` with the owner, when another handle has it.
    func lock() throws(FileSystemError)
    func unlock() throws(FileSystemError)
    /// Calls `body` once, on a thread of its own, when no other handle has the lock any more; this one does not have it
    /// then either. False where nobody can wait for that, and then nothing is called.
    func whenUnlocked(_ body: @escaping @Sendable () -> Void) -> Bool
    /// Marks the file as attended by this handle; any number of handles may do so at once.
    func markPresence() throws(FileSystemError)
    /// Whether another handle, in any process, marks the file as attended. Asking disturbs nobody.
    func hasPresence() throws(FileSystemError) -> Bool
    /// Makes this empty file share the content of another without copying; false where that is not offered.
    func clone(from source: any File) throws(FileSystemError) -> Bool
    func close()
}

/// An open listing of a folder: names in no order, a bounded number at a time.
package protocol DirectoryListing: AnyObject, Sendable {
    /// At most `limit` more names; empty at the end. Names that come or go meanwhile may or may not be seen.
    func next(limit: Int) throws(FileSystemError) -> [DirectoryEntry]
}
