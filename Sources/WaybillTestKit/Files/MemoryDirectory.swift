internal import Synchronization
internal import SystemPackage
internal import WaybillPorts

/// An open folder of a `MemoryFileSystem`.
final class MemoryDirectory: Directory {
    private let system: MemoryFileSystem
    private let node: Int
    /// Nil for the root, which every life has.
    private let lifetime: Int?
    private let base: FilePath
    private let relative: FilePath
    /// Put together when it is asked for.
    var path: FilePath { base.appending(relative.components) }

    init(_ system: MemoryFileSystem, node: Int, lifetime: Int?, base: FilePath, relative: FilePath) {
        self.system = system
        self.node = node
        self.lifetime = lifetime
        self.base = base
        self.relative = relative
    }

    private func full(_ path: FilePath) -> FilePath { self.path.appending(path.components) }

    /// Passes the step and runs `body` with the volume.
    private func perform<Result: Sendable>(
        _ kind: MemoryFileSystem.Operation.Kind, _ path: FilePath,
        _ body: (inout MemoryVolume, MemoryPath) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        let parts = MemoryPath(path)
        if parts.isAbsolute || parts.isEscaping { throw FileSystemError(.escapes, kind.rawValue, path) }
        return try system.disk.withVolume { (volume) throws(FileSystemError) in
            try volume.check(lifetime, system.process, path)
            if system.isCounted { try volume.step(kind, { self.full(path) }, system.process) }
            return try body(&volume, parts)
        }
    }

    /// The folder a path's last name is in, nil if missing, and that name.
    private func place(
        _ path: FilePath, _ parts: MemoryPath, _ volume: MemoryVolume, _ operation: String
    ) throws(FileSystemError) -> (folder: Int, name: MemoryName)? {
        guard let name = parts.names.last else { throw FileSystemError(.escapes, operation, path) }
        guard let folder = try volume.find(parts.names.dropLast(), from: node, operation, full(path)) else {
            return nil
        }
        switch volume.nodes[folder]?.kind {
        case .directory: return (folder, name)
        case .link: throw FileSystemError(.isLink, operation, full(path))
        default: throw FileSystemError(.wrongKind, operation, full(path))
        }
    }

    func openDirectory(_ path: FilePath, as name: FilePath) throws(FileSystemError) -> (any Directory)? {
        let found = try perform(.openFolder, path) { (volume, parts) throws(FileSystemError) -> (Int, Int)? in
            guard let found = try volume.find(parts.names, from: self.node, "open", self.full(path)) else {
                return nil
            }
            switch volume.nodes[found]?.kind {
            case .directory: return (found, volume.lifetime)
            case .link: throw FileSystemError(.isLink, "open", self.full(path))
            default: throw FileSystemError(.wrongKind, "open", self.full(path))
            }
        }
        guard let (found, lifetime) = found else { return nil }
        return MemoryDirectory(system, node: found, lifetime: lifetime, base: self.path, relative: name)
    }

    func open(_ path: FilePath, _ access: FileAccess) throws(FileSystemError) -> (any File)? {
        let found = try perform(.open, path) {
            (volume, parts) throws(FileSystemError) -> (node: Int, handle: Int, Int)? in
            guard let found = try volume.find(parts.names, from: self.node, "open", self.full(path)) else {
                return nil
            }
            switch volume.nodes[found]?.kind {
            case .link: throw FileSystemError(.isLink, "open", self.full(path))
            case .socket: throw FileSystemError(.wrongKind, "open", self.full(path))
            case .directory where access == .readWrite: throw FileSystemError(.wrongKind, "open", self.full(path))
            default: return (found, volume.makeHandle(self.system.process), volume.lifetime)
            }
        }
        guard let (node, handle, lifetime) = found else { return nil }
        return MemoryFile(system, node: node, handle: handle, lifetime: lifetime, directory: self, relative: path)
    }

    func create(_ path: FilePath, permissions: UInt16) throws(FileSystemError) -> any File {
        let made = try perform(.create, path) {
            (volume, parts) throws(FileSystemError) -> (node: Int, handle: Int, Int) in
            guard let (folder, name) = try self.place(path, parts, volume, "create") else {
                throw FileSystemError(.notFound, "create", self.full(path))
            }
            if volume.nodes[folder]?.entries[name] != nil { throw FileSystemError(.exists, "create", self.full(path)) }
            let node = volume.makeNode(.file, permissions: permissions)
            volume.link(node, as: name, in: folder)
            volume.note(.created, name, in: folder)
            return (node, volume.makeHandle(self.system.process), volume.lifetime)
        }
        return MemoryFile(
            system, node: made.node, handle: made.handle, lifetime: made.2, directory: self, relative: path)
    }

    func status(_ path: FilePath) throws(FileSystemError) -> FileStatus? {
        try perform(.status, path) { (volume, parts) throws(FileSystemError) in
            guard let (folder, name) = try self.place(path, parts, volume, "inspect"),
                let node = volume.nodes[folder]?.entries[name]
            else { return nil }
            return volume.status(node)
        }
    }

    func listing(_ path: FilePath) throws(FileSystemError) -> (any DirectoryListing)? {
        let names = try perform(.list, path) { (volume, parts) throws(FileSystemError) -> [DirectoryEntry]? in
            guard let found = try volume.find(parts.names, from: self.node, "list", self.full(path)) else {
                return nil
            }
            guard volume.nodes[found]?.kind == .directory, let entries = volume.nodes[found]?.entries else {
                throw FileSystemError(.wrongKind, "list", self.full(path))
            }
            // Sorted, so that the same seed sees the same order.
            return entries.sorted { $0.key < $1.key }.compactMap { name, node in
                name.component.map { DirectoryEntry(name: $0, kind: volume.nodes[node]?.kind ?? .unknown) }
            }
        }
        return names.map { MemoryListing($0) }
    }

    func createDirectory(_ path: FilePath, permissions: UInt16) throws(FileSystemError) -> Bool {
        try perform(.makeFolder, path) { (volume, parts) throws(FileSystemError) in
            guard let (folder, name) = try self.place(path, parts, volume, "make folder") else {
                throw FileSystemError(.notFound, "make folder", self.full(path))
            }
            if let taken = volume.nodes[folder]?.entries[name] {
                if volume.nodes[taken]?.kind == .directory { return false }
                throw FileSystemError(.exists, "make folder", self.full(path))
            }
            volume.link(volume.makeNode(.directory, permissions: permissions), as: name, in: folder)
            volume.note(.created, name, in: folder, isDirectory: true)
            return true
        }
    }

    func rename(_ path: FilePath, to newPath: FilePath, in destination: (any Directory)?, replacing: Bool)
        throws(FileSystemError)
    {
        guard let target = (destination ?? self) as? MemoryDirectory, target.system.disk === system.disk else {
            throw FileSystemError(.unsupported, "rename", full(path))
        }
        let newParts = MemoryPath(newPath)
        try perform(.rename, path) { (volume, parts) throws(FileSystemError) in
            guard let (folder, name) = try self.place(path, parts, volume, "rename"),
                let (newFolder, newName) = try target.place(newPath, newParts, volume, "rename"),
                let moved = volume.nodes[folder]?.entries[name]
            else { throw FileSystemError(.notFound, "rename", self.full(path)) }
            if let taken = volume.nodes[newFolder]?.entries[newName] {
                if !replacing { throw FileSystemError(.exists, "rename", self.full(path)) }
                if taken == moved { return }
                try volume.checkReplacement(of: taken, by: moved, self.full(path))
            }
            volume.move(name, in: folder, to: newName, in: newFolder)
            volume.note(.deleted, name, in: folder)
            volume.note(.movedIn, newName, in: newFolder, isDirectory: volume.nodes[moved]?.kind == .directory)
        }
    }

    func remove(_ path: FilePath) throws(FileSystemError) -> Bool {
        try perform(.remove, path) { (volume, parts) throws(FileSystemError) in
            guard let (folder, name) = try self.place(path, parts, volume, "remove"),
                let node = volume.nodes[folder]?.entries[name]
            else { return false }
            if volume.nodes[node]?.kind == .directory { throw FileSystemError(.wrongKind, "remove", self.full(path)) }
            volume.unlink(name, in: folder)
            return true
        }
    }

    func removeDirectory(_ path: FilePath) throws(FileSystemError) -> Bool {
        try perform(.removeFolder, path) { (volume, parts) throws(FileSystemError) in
            guard let (folder, name) = try self.place(path, parts, volume, "remove folder"),
                let found = volume.nodes[folder]?.entries[name], let node = volume.nodes[found]
            else { return false }
            guard node.kind == .directory else { throw FileSystemError(.wrongKind, "remove folder", self.full(path)) }
            guard node.entries.isEmpty else { throw FileSystemError(.notEmpty, "remove folder", self.full(path)) }
            volume.unlink(name, in: folder)
            return true
        }
    }

    func synchronize(_ path: FilePath) throws(FileSystemError) {
        try perform(.syncFolder, path) { (volume, parts) throws(FileSystemError) in
            let folder = try volume.folder(parts.names, from: self.node, "sync", self.full(path))
            volume.synchronize(folder: folder)
        }
    }

    func setAccess(_ path: FilePath, group: UInt32, permissions: UInt16) throws(FileSystemError) -> Bool {
        try perform(.setAccess, path) { (volume, parts) throws(FileSystemError) in
            guard let found = try volume.find(parts.names, from: self.node, "set permissions of", self.full(path))
            else { return false }
            if volume.nodes[found]?.kind == .link {
                throw FileSystemError(.isLink, "set permissions of", self.full(path))
            }
            volume.nodes[found]?.groupID = group
            volume.nodes[found]?.permissions = permissions
            return true
        }
    }
    func nextMark() -> String { system.nextMark() }

    func fileSystemType() throws(FileSystemError) -> FileSystemType {
        try perform(.inspectFileSystem, FilePath()) { _, _ in FileSystemType(name: "memory", isSuitable: true) }
    }
}

extension MemoryVolume {
    /// What a rename may replace: a file by a file, an empty folder by a folder.
    fileprivate func checkReplacement(of taken: Int, by moved: Int, _ path: FilePath) throws(FileSystemError) {
        switch (nodes[moved]?.kind == .directory, nodes[taken]?.kind == .directory) {
        case (true, true):
            if nodes[taken]?.entries.isEmpty == false { throw FileSystemError(.notEmpty, "rename", path) }
        case (false, false): break
        default: throw FileSystemError(.wrongKind, "rename", path)
        }
    }

    func status(_ id: Int) -> FileStatus? {
        guard let node = nodes[id] else { return nil }
        return FileStatus(
            kind: node.kind, size: Int64(node.content.count), linkCount: node.linkCount, userID: node.userID,
            groupID: node.groupID, permissions: node.permissions, modified: node.modified, changed: node.changed,
            inode: UInt64(id), device: 1)
    }
}

/// The names as they were when the listing was opened.
private final class MemoryListing: DirectoryListing {
    private let rest: Mutex<ArraySlice<DirectoryEntry>>

    init(_ entries: [DirectoryEntry]) { rest = Mutex(entries[...]) }

    func next(limit: Int) throws(FileSystemError) -> [DirectoryEntry] {
        rest.withLock { rest in
            let batch = Array(rest.prefix(limit))
            rest = rest.dropFirst(limit)
            return batch
        }
    }
}
