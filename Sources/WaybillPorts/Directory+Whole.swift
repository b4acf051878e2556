internal import Synchronization
package import SystemPackage

/// Whether a new name is made durable before the call returns.
package enum Durability: Sendable {
    /// Content and name are synced.
    case full
    /// Neither is: the kernel writes them some time.
    case relaxed
}

extension Directory {
    /// Nil if missing.
    package func openDirectory(_ path: FilePath) throws(FileSystemError) -> (any Directory)? {
        try openDirectory(path, as: path)
    }

    /// The whole content of a regular file; nil if missing.
    /// - Throws: `.tooLarge` beyond `limit` bytes, `.isLink`, `.wrongKind`.
    package func read(_ path: FilePath, limit: Int) throws(FileSystemError) -> [UInt8]? {
        guard let file = try open(path, .read) else { return nil }
        defer { file.close() }
        let status = try file.status()
        guard status.kind == .file else {
            throw FileSystemError(.wrongKind, "read", self.path.appending(path.components))
        }
        return try file.readAll(size: status.size, limit: limit)
    }

    /// Makes a new file with this content. `durability` covers the content; the name is durable once its
    /// folder is synced.
    /// - Throws: `.exists` when the name is taken. After any other failure the name may be left, with a part.
    package func write(
        _ bytes: [UInt8], toNew path: FilePath, permissions: UInt16 = Permissions.file, durability: Durability
    ) throws(FileSystemError) {
        let file = try create(path, permissions: permissions)
        defer { file.close() }
        try file.writeFully(bytes, at: 0)
        if durability == .full { try file.synchronize() }
    }

    /// Puts this content under a name, whether that is taken or not: readers see the old or the new content,
    /// never a mixture. Full durability syncs content and name.
    package func replace(
        _ path: FilePath, with bytes: [UInt8], permissions: UInt16 = Permissions.file, durability: Durability
    ) throws(FileSystemError) {
        let temporary = try TemporaryName.next(for: path, in: self)
        do throws(FileSystemError) {
            try write(bytes, toNew: temporary, permissions: permissions, durability: durability)
            try rename(temporary, to: path, in: nil, replacing: true)
        } catch {
            // The first failure is the one to report; what cannot be removed is swept up later.
            _ = try? remove(temporary)
            throw error
        }
        if durability == .full { try synchronize(path.removingLastComponent()) }
    }

    /// As `replace`, without a sync; missing folders are made.
    package func project(
        _ path: FilePath, with bytes: [UInt8], permissions: UInt16 = Permissions.file
    ) throws(FileSystemError) {
        do throws(FileSystemError) {
            try replace(path, with: bytes, permissions: permissions, durability: .relaxed)
        } catch  where error.code == .notFound {
            try createDirectories(path.removingLastComponent())
            try replace(path, with: bytes, permissions: permissions, durability: .relaxed)
        }
    }

    /// Renames within this folder, over whatever has the new name.
    package func rename(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) {
        try rename(path, to: newPath, in: nil, replacing: true)
    }

    /// Makes the folders of a relative path that are missing.
    package func createDirectories(_ path: FilePath, permissions: UInt16 = Permissions.folder)
        throws(FileSystemError)
    {
        var prefix = FilePath()
        for component in path.components {
            prefix.append(component)
            _ = try createDirectory(prefix, permissions: permissions)
        }
    }

    /// All names in a folder; nil if it is missing.
    /// - Throws: `.tooLarge` when there are more than `limit`.
    package func entries(_ path: FilePath, limit: Int) throws(FileSystemError) -> [DirectoryEntry]? {
        guard let listing = try listing(path) else { return nil }
        var entries: [DirectoryEntry] = []
        while true {
            let batch = try listing.next(limit: 1_024)
            if batch.isEmpty { return entries }
            entries += batch
            guard entries.count <= limit else {
                throw FileSystemError(.tooLarge, "list", self.path.appending(path.components))
            }
        }
    }

    /// Makes the names in this folder durable.
    package func synchronize() throws(FileSystemError) { try synchronize(FilePath()) }
}

/// Names for files on their way to their real one: `.<name>.<process>-<n>.tmp`. Scans of inboxes and readers
/// of folders pass over them.
package enum TemporaryName {
    private static let counter = Atomic<UInt64>(0)

    /// `<process>-<n>`, with another number each time.
    package static func processMark() -> String {
        "\(ProcessIdentity.current)-\(counter.add(1, ordering: .relaxed).newValue)"
    }

    /// The longest name Linux file systems take, in bytes.
    package static let maximumNameLength = 255

    /// A name beside `path` that no other call gives.
    package static func next(for path: FilePath, in folder: any Directory) throws(FileSystemError) -> FilePath {
        guard let name = path.lastComponent else { throw FileSystemError(.notFound, "replace", folder.path) }
        let suffix = ".\(folder.nextMark()).tmp"
        // Cut by bytes: the name only has to be recognisable, and may be no UTF-8 at all.
        let kept = name.string.utf8.prefix(maximumNameLength - suffix.utf8.count - 4)
        guard let component = FilePath.Component("." + String(decoding: kept, as: UTF8.self) + suffix) else {
            throw FileSystemError(.nameTooLong, "replace", folder.path.appending(name))
        }
        return path.removingLastComponent().appending(component)
    }

    /// Whether a name was made by `next`, by this process or an earlier one.
    package static func isTemporary(_ name: FilePath.Component) -> Bool {
        let text = name.string
        return text.hasPrefix(".") && text.hasSuffix(".tmp")
    }
}
