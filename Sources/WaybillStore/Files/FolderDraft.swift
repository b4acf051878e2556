import SystemPackage
import WaybillPorts

/// Files and folders that are made in one folder and become durable together: the kernel writes all of them out at once,
/// where one after the other waits for each (a run's folder: 1.8 ms instead of 2.2, and 3.1 instead of 4.2 on ext4 with a
/// journal).
struct FolderDraft {
    /// More files are not open at once.
    private static let mostFiles = 64

    private let folder: any Directory
    /// Written, and not durable yet.
    private var files: [any File] = []
    /// Those that were made, each behind the one that it is in.
    private var folders: [FilePath] = []
    private var known: Set<FilePath> = [FilePath()]

    /// - Parameter folder: a new one, that nobody else writes to.
    init(in folder: any Directory) { self.folder = folder }

    /// Makes an empty file. It stays open for as long as the caller keeps it.
    mutating func create(
        _ path: FilePath, permissions: UInt16 = Permissions.file
    ) throws(FileSystemError) -> any File {
        try createFolders(path.removingLastComponent())
        return try folder.create(path, permissions: permissions)
    }

    /// Fills a file that was created here.
    mutating func write(_ bytes: [UInt8], to file: any File) throws(FileSystemError) {
        try file.writeFully(bytes, at: 0)
        file.beginSynchronizing()
        files.append(file)
        if files.count >= Self.mostFiles { try synchronizeFiles() }
    }

    /// Makes a file with this content.
    mutating func write(
        _ bytes: [UInt8], toNew path: FilePath, permissions: UInt16 = Permissions.file
    ) throws(FileSystemError) {
        try write(bytes, to: try create(path, permissions: permissions))
    }

    /// Makes the folders of a path that are missing.
    private mutating func createFolders(_ path: FilePath) throws(FileSystemError) {
        guard known.insert(path).inserted else { return }
        try createFolders(path.removingLastComponent())
        _ = try folder.createDirectory(path, permissions: Permissions.folder)
        folders.append(path)
    }

    /// Makes everything that was made here durable, and the names in the folder itself.
    mutating func synchronize() throws(FileSystemError) {
        try synchronizeFiles()
        for path in folders.reversed() { try folder.synchronize(path) }
        try folder.synchronize()
    }

    private mutating func synchronizeFiles() throws(FileSystemError) {
        for file in files { try file.synchronize() }
        files = []
    }
}
