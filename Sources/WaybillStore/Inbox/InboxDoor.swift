package import SystemPackage
internal import WaybillCore
package import WaybillPorts

/// The door through which files from anybody come in: an inbox, and `.claimed/` in it, which is the daemon's.
///
/// A file is taken by renaming it into `.claimed/`, so that one process gets it and nobody changes its name any
/// more; then it is looked at without following links and without blocking, and read once, up to a limit.
package struct InboxDoor: Sendable {
    private static let claimed: FilePath = ".claimed"
    /// The permissions of a `.claimed/` whose name may not be durable yet.
    package static let unfinished: UInt16 = 0o500
    /// A file whose content changes under the reader is read so often before it is refused.
    private static let maximumReadings = 3
    /// So many files of one name and one microsecond are told apart.
    private static let maximumNumber = 1_000

    package let directory: any Directory
    package let limits: InboxLimits
    private let keeper: UInt32?
    private let userName: @Sendable (UInt32) -> String?

    /// - Parameters:
    ///   - directory: the inbox.
    ///   - keeper: the inbox's owner, whose `.claimed/` must be as well; nil where only that one can write to it.
    ///   - userName: the name of a user id, nil if it has none.
    package init(
        _ directory: any Directory, limits: InboxLimits = InboxLimits(), keeper: UInt32? = nil,
        userName: @escaping @Sendable (UInt32) -> String? = Accounts.userName(of:)
    ) {
        self.directory = directory
        self.limits = limits
        self.keeper = keeper
        self.userName = userName
    }

    // MARK: Finding

    /// Whether scans pass over a name until it is renamed.
    package static func isIgnored(_ name: FilePath.Component) -> Bool { InboxName.isIgnored(name) }

    /// The name that a notification brought; nil for what is no name.
    package static func name(_ bytes: [UInt8]) -> FilePath.Component? { FilePath.Component(bytes: bytes) }

    /// Starts a scan; its memory does not depend on how many files there are.
    package func scan() throws(FileSystemError) -> InboxScan {
        InboxScan(directory: directory, listing: try directory.listing(FilePath()), quietTime: limits.quietTime)
    }

    /// What was claimed and not settled when the last owner stopped, for `reclaim`.
    package func leftovers(limit: Int = 100_000) throws(FileSystemError) -> [FilePath.Component] {
        guard let listing = try directory.listing(Self.claimed) else { return [] }
        var names: [FilePath.Component] = []
        while names.count < limit {
            let batch = try listing.next(limit: min(1_024, limit - names.count))
            if batch.isEmpty { break }
            names += batch.map(\.name).filter { !TemporaryName.isTemporary($0) }
        }
        return names.sorted { $0.string < $1.string }
    }

    /// Whether nothing waits to be looked at, and no claim is unsettled.
    package func isSettled() throws(FileSystemError) -> Bool {
        guard let listing = try directory.listing(FilePath()) else { return true }
        var hasClaims = false
        while true {
            let batch = try listing.next(limit: 256)
            if batch.isEmpty { break }
            for entry in batch {
                if !InboxName.isIgnored(entry.name) { return false }
                if FilePath(root: nil, [entry.name]) == Self.claimed { hasClaims = true }
            }
        }
        return hasClaims ? try leftovers(limit: 1).isEmpty : true
    }

    // MARK: Claiming

    /// Has the folder ready that files are claimed into, so that none waits for its sync when it comes: of what passes
    /// between an answer and the step after it, that would be a third.
    ///
    /// - Returns: whether it was missing.
    @discardableResult
    package func prepare() throws(FileSystemError) -> Bool { try makeClaimed() }

    /// Takes a file out of the inbox and reads it. Nil if it is gone, or somebody else took it.
    /// - Throws: `.denied` for what the daemon may not move.
    package func claim(_ name: FilePath.Component) throws(FileSystemError) -> ClaimedFile? {
        let path = FilePath(root: nil, [name])
        guard let before = try directory.status(path) else { return nil }
        try makeClaimed()
        guard let folder = try claimedFolder() else { throw FileSystemError(.notFound, "claim", path) }
        for number in 0..<Self.maximumNumber {
            guard let target = ClaimedName(changed: before.changed, number: number, name: name).component else {
                throw FileSystemError(.nameTooLong, "claim", path)
            }
            do throws(FileSystemError) {
                try directory.rename(path, to: FilePath(root: nil, [target]), in: folder, replacing: false)
            } catch  where error.code == .notFound {
                return nil
            } catch  where error.code == .exists {
                continue
            }
            return try read(target, in: folder, named: name, before: before)
        }
        throw FileSystemError(.exists, "claim", path)
    }

    private func claimedFolder() throws(FileSystemError) -> (any Directory)? {
        try directory.openDirectory(Self.claimed)
    }

    /// Gives a claimed file a name of its own, which fixes the id of the run that it starts, once that is durable.
    /// - Throws: `.exists` if another one has it.
    package func rename(_ file: inout ClaimedFile, as name: FilePath.Component) throws(FileSystemError) {
        try directory.rename(claimedPath(file), to: Self.claimed.appending(name), in: nil, replacing: false)
        file.claimedName = name
    }

    /// Makes the names of what was claimed durable.
    package func synchronizeClaims() throws(FileSystemError) { try directory.synchronize(Self.claimed) }

    /// Somebody else's folder of that name would let them change what was claimed. One that the power takes would take
    /// with it what was moved there, so it is durable before anything is; until then nobody can write to it, which tells
    /// that to whoever comes after a process that was killed in between.
    ///
    /// - Returns: whether it was missing.
    @discardableResult
    private func makeClaimed() throws(FileSystemError) -> Bool {
        var isNew = false
        var found = try directory.status(Self.claimed)
        if found?.kind != .directory {
            isNew = try directory.createDirectory(Self.claimed, permissions: Self.unfinished)
            found = try directory.status(Self.claimed)
        }
        guard let status = found else { return isNew }
        if let keeper {
            guard status.userID == keeper || status.userID == 0, status.permissions & 0o022 == 0 else {
                throw FileSystemError(
                    .denied, "claim into a folder that others may write", directory.path.appending(".claimed"))
            }
        }
        guard status.permissions & 0o777 == Self.unfinished else { return isNew }
        do throws(FileSystemError) {
            // Its maker may have seen a sync fail: another one of the same name would prove nothing.
            if !isNew { try remake() }
            try directory.synchronize()
            _ = try directory.setAccess(
                Self.claimed, group: status.groupID,
                permissions: status.permissions & ~0o777 | Permissions.folder)
        } catch {
            // The next claim makes it anew, and syncs it.
            _ = try? directory.removeDirectory(Self.claimed)
            throw error
        }
        return isNew
    }

    private func remake() throws(FileSystemError) {
        do throws(FileSystemError) {
            guard try directory.removeDirectory(Self.claimed) else { return }
        } catch  where error.code == .notEmpty {
            // Nothing is moved into an unfinished one: it is a copy's, and what was copied into it goes with it.
            return try directory.synchronize(Self.claimed)
        }
        _ = try directory.createDirectory(Self.claimed, permissions: Self.unfinished)
    }

    /// Reads a leftover again. Nil if it is gone.
    package func reclaim(_ claimedName: FilePath.Component) throws(FileSystemError) -> ClaimedFile? {
        let parsed = ClaimedName(claimedName)
        guard let folder = try claimedFolder(),
            var file = try read(claimedName, in: folder, named: parsed?.name ?? claimedName, before: nil)
        else { return nil }
        if let changed = parsed?.changed { file.changed = changed }
        file.isLeftover = true
        return file
    }

    /// The name that a claimed file was dropped under; nil for one that was given a name of its own.
    package static func droppedName(ofClaimed name: FilePath.Component) -> FilePath.Component? {
        ClaimedName(name)?.name
    }

    /// Removes a claimed file, of any kind, that was settled.
    package func discard(_ file: ClaimedFile) throws(FileSystemError) {
        let path = claimedPath(file)
        if file.bytes != nil, (try? directory.remove(path)) != nil { return }
        _ = try directory.removeTree(path)
    }

    /// Where a claimed file is, relative to the inbox.
    package func claimedPath(_ file: ClaimedFile) -> FilePath { Self.claimed.appending(file.claimedName) }

    // MARK: Looking

    private func read(
        _ claimedName: FilePath.Component, in folder: any Directory, named name: FilePath.Component, before: FileStatus?
    ) throws(FileSystemError) -> ClaimedFile? {
        let path = FilePath(root: nil, [claimedName])
        guard let status = try folder.status(path) else { return nil }
        // If another file got the name between the look and the claim, its change is dated by the claim itself:
        // never earlier than it was.
        let changed = before.flatMap { $0.isSameFile(as: status) ? $0.changed : nil } ?? status.changed
        var file = ClaimedFile(
            name: name, claimedName: claimedName, content: .bytes([], sha256: .sha256([])), status: status,
            user: userName(status.userID), changed: changed)
        if let refusal = refusal(status) {
            file.content = .refused(refusal)
            return file
        }
        do throws(FileSystemError) {
            guard let content = try content(of: &file, path, in: folder) else { return nil }
            file.content = content
        } catch  where error.code == .isLink || error.code == .wrongKind {
            file.content = .refused(.init(kind: .type, message: "it is no regular file"))
        } catch  where error.code == .denied {
            file.content = .refused(.init(kind: .type, message: "the daemon may not read it"))
        } catch  where error.code == .tooLarge {
            file.content = .refused(tooLarge(status.size))
        }
        return file
    }

    /// What forbids opening a file.
    private func refusal(_ status: FileStatus) -> ClaimedFile.Refusal? {
        let kind: String
        switch status.kind {
        case .file:
            if status.linkCount != 1 {
                return .init(kind: .type, message: "it has \(status.linkCount) names (hard links) instead of one")
            }
            return status.size > Int64(limits.fileSize) ? tooLarge(status.size) : nil
        case .directory: kind = "a folder"
        case .link: kind = "a symbolic link"
        case .fifo: kind = "a FIFO"
        case .socket: kind = "a socket"
        case .device: kind = "a device"
        case .unknown: kind = "of an unknown kind"
        }
        return .init(kind: .type, message: "it is \(kind), not a regular file")
    }

    private func tooLarge(_ size: Int64) -> ClaimedFile.Refusal {
        .init(kind: .size, message: "it has \(size) bytes, and at most \(limits.fileSize) are read")
    }

    /// Reads the bytes, and with them whose file it is and who may write it: by the descriptor that they are read
    /// through, as whatever was known of the name before may be true no more.
    private func content(
        of claimed: inout ClaimedFile, _ path: FilePath, in folder: any Directory
    ) throws(FileSystemError) -> ClaimedFile.Content? {
        guard let file = try folder.open(path, .read) else { return nil }
        defer { file.close() }
        for _ in 0..<Self.maximumReadings {
            let before = try file.status()
            if !before.isSameFile(as: claimed.status) { throw FileSystemError(.wrongKind, "read", path) }
            // Asking who that is reads a file each time, or asks a service.
            if before.userID != claimed.status.userID { claimed.user = userName(before.userID) }
            claimed.status = before
            if let refusal = refusal(before) { return .refused(refusal) }
            let bytes = try file.readAll(size: before.size, limit: limits.fileSize)
            let after = try file.status()
            // Another owner or another mode changes the time of the change as other bytes do.
            if after == before, Int64(bytes.count) == after.size {
                return .bytes(bytes, sha256: Digest.sha256(bytes))
            }
        }
        return .refused(.init(kind: .type, message: "it kept changing while it was read"))
    }
}
