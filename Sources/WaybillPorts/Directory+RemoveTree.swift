package import SystemPackage

extension Directory {
    /// Removes whatever is at `path`, with everything in it. False if missing.
    ///
    /// Folders are taken apart from the top: a folder's sub-folders are first moved up, so that a tree of any
    /// depth costs one open folder and one batch of names, and no path grows longer than the kernel takes.
    package func removeTree(_ path: FilePath) throws(FileSystemError) -> Bool {
        guard let status = try status(path) else { return false }
        guard status.kind == .directory else { return try remove(path) }
        guard let top = try openDirectory(path) else { return false }
        var counter = 0
        while true {
            let batch = try top.listing(FilePath())?.next(limit: 1_024) ?? []
            if batch.isEmpty { break }
            for entry in batch {
                let child = FilePath(root: nil, [entry.name])
                if try top.isFolder(entry, at: child) {
                    try top.flatten(child, &counter)
                    _ = try top.removeDirectory(child)
                } else {
                    _ = try top.remove(child)
                }
            }
        }
        return try removeDirectory(path)
    }

    /// Empties a folder of this one: files are removed, sub-folders moved up into this folder.
    private func flatten(_ path: FilePath, _ counter: inout Int) throws(FileSystemError) {
        guard let folder = try openDirectory(path) else { return }
        while true {
            let batch = try folder.listing(FilePath())?.next(limit: 1_024) ?? []
            if batch.isEmpty { return }
            for entry in batch {
                let child = FilePath(root: nil, [entry.name])
                if try folder.isFolder(entry, at: child) {
                    try moveUp(child, from: folder, &counter)
                } else {
                    _ = try folder.remove(child)
                }
            }
        }
    }

    private func moveUp(_ child: FilePath, from folder: any Directory, _ counter: inout Int) throws(FileSystemError) {
        while true {
            counter += 1
            do throws(FileSystemError) {
                return try folder.rename(child, to: FilePath(".moved-\(counter)"), in: self, replacing: false)
            } catch  where error.code == .exists {
                continue
            }
        }
    }

    private func isFolder(_ entry: DirectoryEntry, at path: FilePath) throws(FileSystemError) -> Bool {
        if entry.kind != .unknown { return entry.kind == .directory }
        return try status(path)?.kind == .directory
    }
}
