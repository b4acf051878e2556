internal import SystemPackage
package import WaybillCore
package import WaybillPorts

/// A run's folder that was made just now.
package struct NewRun: Sendable {
    package let folder: RunFolder
    /// Nobody else can have had it.
    package let ledger: NewLedger
}

/// A ledger that was made just now: durable, and locked for as long as somebody has this.
package struct NewLedger: Sendable {
    let folder: any Directory
    let file: any File
    let status: FileStatus
}

/// The folder of all runs: starts them, finds them, opens them.
package struct RunFolders: Sendable {
    /// Where folders are built before they get their name. The dot keeps it out of `runs/*`.
    private static let building: FilePath = ".building"
    /// The largest source or index that is read back.
    package static let largestSource = 64 << 20

    package let directory: any Directory

    /// - Parameter directory: `runs/`.
    package init(_ directory: any Directory) { self.directory = directory }

    /// Makes a run's folder with its frozen definition and its first decision. The rename at the end is the
    /// start: before it there is no run, after it the run is there for good.
    /// - Parameters:
    ///   - lines: the first decision's lines, whose first `prev` is the definition's digest.
    ///   - blobs: contents that those lines name by digest.
    ///   - projections: what else the folder shows of those lines, each in the run's folder or in one below it. They are
    ///     not synced.
    ///   - preparing: makes durable what has to be before there is a run; may be called twice.
    /// - Returns: nil if the id is taken; whether by the same run is for the caller to find out.
    package func create(
        _ run: RunID, definition: FrozenDefinition, lines: [UInt8], blobs: [[UInt8]] = [],
        projections: [Projection] = [], preparing: () throws(FileSystemError) -> Void = {}
    ) throws(StoreError) -> NewRun? {
        try storing { () throws(FileSystemError) in
            if try directory.status(FilePath(run.text)) != nil { return nil }
            let content = Content(definition: definition, lines: lines, blobs: blobs, projections: projections)
            do throws(FileSystemError) {
                return try build(run, content, preparing)
            } catch  where error.code == .notFound {
                // A sweep may have taken the half-built folder for an abandoned one.
                return try build(run, content, preparing)
            }
        }
    }

    /// What a run's folder begins with.
    private struct Content {
        var definition: FrozenDefinition
        var lines: [UInt8]
        var blobs: [[UInt8]]
        var projections: [Projection]
    }

    private func build(
        _ run: RunID, _ content: Content, _ preparing: () throws(FileSystemError) -> Void
    ) throws(FileSystemError) -> NewRun? {
        let temporary = try TemporaryName.next(for: Self.building.appending(run.text), in: directory)
        do throws(FileSystemError) {
            _ = try directory.createDirectory(temporary, permissions: Permissions.folder)
        } catch  where error.code == .notFound {
            try directory.createDirectories(Self.building)
            _ = try directory.createDirectory(temporary, permissions: Permissions.folder)
        }
        do throws(FileSystemError) {
            guard let folder = try directory.openDirectory(temporary, as: FilePath(run.text)) else {
                throw FileSystemError(.notFound, "open", temporary)
            }
            var draft = FolderDraft(in: folder)
            // The lock on the ledger says that somebody is building here, and then that somebody has the run.
            let ledger = try draft.create(RunFolder.ledger)
            try ledger.lock()
            try draft.write(content.lines, to: ledger)
            try write(content, into: &draft)
            for name in [RunFolder.inbox, RunFolder.waits] {
                _ = try folder.createDirectory(name, permissions: Permissions.folder)
            }
            try show(content.projections, in: folder)
            try preparing()
            try draft.synchronize()
            let new = NewLedger(folder: folder, file: ledger, status: try ledger.status())
            guard try claim(run, temporary) else {
                _ = try directory.removeTree(temporary)
                return nil
            }
            return NewRun(folder: RunFolder(run: run, directory: folder), ledger: new)
        } catch {
            _ = try? directory.removeTree(temporary)
            throw error
        }
    }

    /// The start itself: false if somebody else started a run with this id first.
    private func claim(_ run: RunID, _ temporary: FilePath) throws(FileSystemError) -> Bool {
        do throws(FileSystemError) {
            try directory.rename(temporary, to: FilePath(run.text), in: nil, replacing: false)
        } catch  where error.code == .exists {
            return false
        }
        try directory.synchronize()
        return true
    }

    private func write(_ content: Content, into draft: inout FolderDraft) throws(FileSystemError) {
        for source in content.definition.sources {
            let path = RunFolder.definition.appending(FilePath(source.path).components)
            try draft.write(
                source.bytes, toNew: path, permissions: source.isExecutable ? Permissions.script : Permissions.file)
        }
        try draft.write(content.definition.index, toNew: RunFolder.index)
        var kept: Set<Digest> = []
        for blob in content.blobs {
            let digest = Digest.sha256(blob)
            guard kept.insert(digest).inserted else { continue }
            try draft.write(blob, toNew: Artifact.path(of: digest))
        }
    }

    private func show(_ projections: [Projection], in folder: any Directory) throws(FileSystemError) {
        for projection in projections {
            let place = projection.path.removingLastComponent()
            if !place.isEmpty { _ = try folder.createDirectory(place, permissions: Permissions.folder) }
            try folder.write(projection.bytes, toNew: projection.path, durability: .relaxed)
        }
    }

    /// A run's folder; nil if there is none.
    package func open(_ run: RunID) throws(StoreError) -> RunFolder? {
        try storing { () throws(FileSystemError) in
            guard let folder = try directory.openDirectory(FilePath(run.text)) else { return nil }
            // Set-group-id says that the folder is open to its group.
            let permissions = try directory.status(FilePath(run.text))?.permissions ?? 0
            return RunFolder(run: run, directory: folder, isShared: permissions & 0o2000 != 0)
        }
    }

    /// Calls `body` for every run, in no order, with bounded memory; what is no run's name is passed over.
    package func forEach(_ body: (RunID) -> Void) throws(StoreError) {
        try storing { () throws(FileSystemError) in
            guard let listing = try directory.listing(FilePath()) else { return }
            while true {
                let batch = try listing.next(limit: 1_024)
                if batch.isEmpty { return }
                for entry in batch where entry.kind == .directory || entry.kind == .unknown {
                    if let run = RunID(entry.name.string) { body(run) }
                }
            }
        }
    }

    /// Reads back what a run was started with, and checks every byte of it.
    /// - Throws: `.missing` without a run or an index, `.mismatch` if a file is not the one that was frozen.
    package func definition(of run: RunID) throws(StoreError) -> FrozenDefinition {
        guard let folder = try open(run), let bytes = try folder.read(RunFolder.index, limit: Self.largestSource)
        else { throw StoreError(.missing, "run \(run) has no definition") }
        let damaged = StoreError(.mismatch, "definition/index.json of run \(run) is not what Waybill wrote")
        guard let index = try? JSON.parse(bytes), let workflow = index["workflow"]?.stringValue,
            let files = index["files"]?.listValue
        else { throw damaged }
        var sources: [FrozenDefinition.Source] = []
        for file in files {
            guard let path = file["path"]?.stringValue, let digest = file["sha256"]?.stringValue else { throw damaged }
            let place = RunFolder.definition.appending(FilePath(path).components)
            guard let content = try folder.read(place, limit: Self.largestSource), Digest.sha256(content).hex == digest
            else { throw StoreError(.mismatch, "\(place) of run \(run) is not the file the run was started with") }
            let isExecutable = file["executable"]?.boolValue ?? false
            sources.append(FrozenDefinition.Source(path: path, bytes: content, isExecutable: isExecutable))
        }
        let definition = FrozenDefinition(
            workflow: workflow, commit: index["commit"]?.stringValue, sources: sources)
        guard definition.index == bytes else { throw damaged }
        return definition
    }

    /// Removes folders whose building was interrupted. Those somebody is building right now stay.
    package func sweep() throws(StoreError) {
        try storing { () throws(FileSystemError) in
            for entry in try directory.entries(Self.building, limit: 1_000_000) ?? [] {
                let path = Self.building.appending(entry.name)
                if try isBeingBuilt(path) { continue }
                _ = try directory.removeTree(path)
            }
        }
    }

    private func isBeingBuilt(_ path: FilePath) throws(FileSystemError) -> Bool {
        guard let ledger = try directory.open(path.appending(RunFolder.ledger.components), .readWrite) else {
            return false
        }
        do throws(FileSystemError) {
            try ledger.lock()
            return false
        } catch  where error.code == .locked {
            return true
        }
    }
}
