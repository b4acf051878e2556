internal import Synchronization
internal import SystemPackage
package import WaybillCore
package import WaybillPorts

/// Artifacts as files: `<run>/artifacts/sha256/ab/cdef...`, read-only.
package struct FileArtifactStore: ArtifactStore {
    private static let readOnly: UInt16 = 0o400
    /// More files are not written at once.
    private static let mostAtOnce = 64

    private let runs: any Directory
    private let rooted = RootedRuns()

    package init(runs: any Directory) { self.runs = runs }

    package func put(_ contents: [ArtifactContent], run: RunID) throws(StoreError) -> [Artifact] {
        guard !contents.isEmpty else { return [] }
        let folder = try folder(of: run)
        return try storing { () throws(FileSystemError) in
            let isRooted = try makeRoot(in: folder) && rooted.contains(run)
            var kept: [Artifact] = []
            var rest = contents[...]
            while !rest.isEmpty {
                kept += try keep(rest.prefix(Self.mostAtOnce), in: folder)
                rest = rest.dropFirst(Self.mostAtOnce)
            }
            // The names as well, of those that were there before, too: a crash may have come between a content's name and
            // the sync of its folder.
            let folders = Set(kept.map { $0.path.removingLastComponent() })
            // In one order always: a simulated world is told by the number of its operation.
            for path in folders.sorted(by: { $0.string < $1.string }) { try folder.synchronize(path) }
            try folder.synchronize(RunFolder.artifacts)
            if !isRooted {
                try folder.synchronize(RunFolder.artifacts.removingLastComponent())
                try folder.synchronize()
                rooted.insert(run)
            }
            return kept
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
            try folder.synchronize(path.removingLastComponent())
            return true
        }
    }

    private func folder(of run: RunID) throws(StoreError) -> any Directory {
        let folder = try storing { () throws(FileSystemError) in try runs.openDirectory(FilePath(run.text)) }
        guard let folder else { throw StoreError(.missing, "there is no run \(run)") }
        return folder
    }

    /// - Returns: whether the folders of all artifacts were there.
    private func makeRoot(in folder: any Directory) throws(FileSystemError) -> Bool {
        var wasThere = true
        var path = FilePath()
        for component in RunFolder.artifacts.components {
            path.append(component)
            if try folder.createDirectory(path, permissions: Permissions.folder) { wasThere = false }
        }
        return wasThere
    }

    /// Content on its way to its name.
    private struct Draft {
        let name: FilePath
        let file: any File
        let artifact: Artifact
    }

    /// Fills new files, syncs them, and gives them the names of their contents. The kernel writes all of them out at once.
    private func keep(
        _ contents: ArraySlice<ArtifactContent>, in folder: any Directory
    ) throws(FileSystemError) -> [Artifact] {
        var kept: [Artifact] = []
        var drafts: [Draft] = []
        do throws(FileSystemError) {
            for content in contents {
                if let known = try known(content, in: folder) {
                    kept.append(known)
                } else {
                    let draft = try draft(content, in: folder)
                    kept.append(draft.artifact)
                    drafts.append(draft)
                }
            }
            for draft in drafts { try draft.file.synchronize() }
            while let draft = drafts.last {
                let folderOfDigest = draft.artifact.path.removingLastComponent()
                _ = try folder.createDirectory(folderOfDigest, permissions: Permissions.folder)
                // Over an older copy, if there is one: that one may have been damaged since.
                try folder.rename(draft.name, to: draft.artifact.path)
                drafts.removeLast()
            }
            return kept
        } catch {
            for draft in drafts { _ = try? folder.remove(draft.name) }
            throw error
        }
    }

    /// Bytes that are there already. They were synced before they got their name.
    private func known(
        _ content: ArtifactContent, in folder: any Directory
    ) throws(FileSystemError) -> Artifact? {
        guard case .bytes(let bytes) = content else { return nil }
        let artifact = Artifact(sha256: .sha256(bytes), size: Int64(bytes.count))
        return try folder.status(artifact.path)?.size == artifact.size ? artifact : nil
    }

    private func draft(_ content: ArtifactContent, in folder: any Directory) throws(FileSystemError) -> Draft {
        let name = try TemporaryName.next(for: RunFolder.artifacts.appending("new"), in: folder)
        let file = try folder.create(name, permissions: Self.readOnly)
        do throws(FileSystemError) {
            let artifact = try Self.fill(file, with: content)
            file.beginSynchronizing()
            return Draft(name: name, file: file, artifact: artifact)
        } catch {
            _ = try? folder.remove(name)
            throw error
        }
    }

    private static func fill(_ file: any File, with content: ArtifactContent) throws(FileSystemError) -> Artifact {
        switch content {
        case .bytes(let bytes):
            try file.writeFully(bytes, at: 0)
            return Artifact(sha256: .sha256(bytes), size: Int64(bytes.count))
        case .file(let path, let folder, let limit):
            guard let source = try folder.open(path, .read) else { throw FileSystemError(.notFound, "keep", path) }
            defer { source.close() }
            let status = try source.status()
            guard status.kind == .file else { throw FileSystemError(.wrongKind, "keep", source.path) }
            guard status.size <= limit else { throw FileSystemError(.tooLarge, "keep", source.path) }
            // The clone is hashed, not the source: what is kept is what was hashed, whoever writes meanwhile.
            if try file.clone(from: source) { return try hash(file, copyingTo: nil, limit: limit) }
            return try hash(source, copyingTo: file, limit: limit)
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

/// Runs whose folder of artifacts this process has made durable: on many disks the sync of a folder in which nothing has
/// changed costs as much as any.
private final class RootedRuns: Sendable {
    private static let most = 4_096
    private let runs = Mutex<Set<RunID>>([])

    func contains(_ run: RunID) -> Bool { runs.withLock { $0.contains(run) } }

    func insert(_ run: RunID) {
        runs.withLock { runs in
            // Whoever is forgotten is synced once more.
            if runs.count >= Self.most { runs = [] }
            runs.insert(run)
        }
    }
}
