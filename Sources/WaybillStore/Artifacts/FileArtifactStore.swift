package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// Artifacts as files: `<run>/artifacts/sha256/ab/cdef...`, read-only.
package struct FileArtifactStore: ArtifactStore {
    private static let readOnly: UInt16 = 0o400
    private let runs: any Directory
    private let durability: Durability

    package init(runs: any Directory, durability: Durability = .full) {
        self.runs = runs
        self.durability = durability
    }

    package func put(_ bytes: [UInt8], run: RunID) throws(StoreError) -> Artifact {
        let folder = try folder(of: run)
        let artifact = Artifact(sha256: .sha256(bytes), size: Int64(bytes.count))
        if try isKept(artifact, in: folder) { return artifact }
        return try storing { () throws(FileSystemError) in
            try keep(in: folder) { (file) throws(FileSystemError) in
                try file.writeFully(bytes, at: 0)
                return artifact
            }
        }
    }

    package func put(
        contentsOf path: FilePath, in source: any Directory, run: RunID, limit: Int64
    ) throws(StoreError) -> Artifact {
        let folder = try folder(of: run)
        return try storing { () throws(FileSystemError) in
            guard let file = try source.open(path, .read) else { throw FileSystemError(.notFound, "keep", path) }
            defer { file.close() }
            let status = try file.status()
            guard status.kind == .file else { throw FileSystemError(.wrongKind, "keep", file.path) }
            guard status.size <= limit else { throw FileSystemError(.tooLarge, "keep", file.path) }
            return try keep(in: folder) { (copy) throws(FileSystemError) in
                // The clone is hashed, not the source: what is kept is what was hashed, whoever writes meanwhile.
                if try copy.clone(from: file) { return try Self.hash(copy, copyingTo: nil, limit: limit) }
                return try Self.hash(file, copyingTo: copy, limit: limit)
            }
        }
    }

    package func get(_ digest: Digest, run: RunID, limit: Int) throws(StoreError) -> [UInt8]? {
        let path = FilePath(run.text).appending(Artifact.path(of: digest).components)
        let bytes = try storing { () throws(FileSystemError) in try runs.read(path, limit: limit) }
        guard let bytes else { return nil }
        guard Digest.sha256(bytes) == digest else {
            throw StoreError(.mismatch, "artifact \(digest) of run \(run) was changed")
        }
        return bytes
    }

    package func size(of digest: Digest, run: RunID) throws(StoreError) -> Int64? {
        let path = FilePath(run.text).appending(Artifact.path(of: digest).components)
        return try storing { () throws(FileSystemError) in try runs.status(path)?.size }
    }

    package func remove(_ digest: Digest, run: RunID) throws(StoreError) -> Bool {
        let folder = try folder(of: run)
        let path = Artifact.path(of: digest)
        return try storing { () throws(FileSystemError) in
            guard try folder.remove(path) else { return false }
            if durability == .full { try folder.synchronize(path.removingLastComponent()) }
            return true
        }
    }

    private func folder(of run: RunID) throws(StoreError) -> any Directory {
        let folder = try storing { () throws(FileSystemError) in try runs.openDirectory(FilePath(run.text)) }
        guard let folder else { throw StoreError(.missing, "there is no run \(run)") }
        return folder
    }

    /// Whether the same content is there already. It was synced before it got its name; its folder's name for it
    /// is synced again, as a crash may have come between the two.
    private func isKept(_ artifact: Artifact, in folder: any Directory) throws(StoreError) -> Bool {
        try storing { () throws(FileSystemError) in
            guard try folder.status(artifact.path)?.size == artifact.size else { return false }
            try synchronize(folder, artifact)
            return true
        }
    }

    /// Fills a new file, syncs it, and gives it the name of its content.
    private func keep(
        in folder: any Directory, _ fill: (any File) throws(FileSystemError) -> Artifact
    ) throws(FileSystemError) -> Artifact {
        try folder.createDirectories(RunFolder.artifacts)
        let temporary = try TemporaryName.next(for: RunFolder.artifacts.appending("new"), in: folder)
        let file = try folder.create(temporary, permissions: Self.readOnly)
        defer { file.close() }
        do throws(FileSystemError) {
            let artifact = try fill(file)
            if durability == .full { try file.synchronize() }
            try folder.createDirectories(artifact.path.removingLastComponent())
            // Over an older copy, if there is one: that one may have been damaged since.
            try folder.rename(temporary, to: artifact.path)
            try synchronize(folder, artifact)
            return artifact
        } catch {
            _ = try? folder.remove(temporary)
            throw error
        }
    }

    /// Makes the name durable, from the file's folder up to the run's.
    private func synchronize(_ folder: any Directory, _ artifact: Artifact) throws(FileSystemError) {
        guard durability == .full else { return }
        var path = artifact.path
        while !path.isEmpty {
            path.removeLastComponent()
            try folder.synchronize(path)
        }
    }

    private static func hash(
        _ source: any File, copyingTo target: (any File)?, limit: Int64
    ) throws(FileSystemError) -> Artifact {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ChainFile.chunkSize, alignment: 16)
        defer { buffer.deallocate() }
        var stream = SHA256Stream()
        var offset: Int64 = 0
        while true {
            let count = try source.readFully(into: buffer, at: offset)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            stream.update(bytes)
            try target?.writeFully(bytes, at: offset)
            offset += Int64(count)
            // The source may grow while it is copied.
            guard offset <= limit else { throw FileSystemError(.tooLarge, "keep", source.path) }
            if count < buffer.count { return Artifact(sha256: stream.finalize(), size: offset) }
        }
    }
}
