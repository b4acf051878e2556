internal import SystemPackage
internal import WaybillCore
internal import WaybillEngine
internal import WaybillPorts

/// A file of chained lines that this process may write: a run's ledger or the open segment of the journal.
///
/// It knows how far the file is durable (`head`), writes behind that only, and goes back to it when the disk
/// fails. The lock is on the descriptor that writes, and nowhere else.
struct ChainFile: Sendable {
    /// How much is read, copied or saved at once.
    static let chunkSize = 262_144
    private static let firstChunkSize = 16_384
    /// Another process may replace the file between opening and locking it; not that often.
    private static let maximumReopenings = 100
    /// Saved tails are numbered; so many on one ledger mean a machine that needs its owner.
    private static let maximumTornTails = 10_000

    private let folder: any Directory
    private let path: FilePath
    private let durability: Durability
    private(set) var file: any File
    private(set) var identity: FileStatus
    /// The end of what is recorded for good.
    private(set) var head: LedgerHead
    /// Where this process began to read, and so how far back it can check a copy.
    private var start: LedgerHead
    /// After a failed sync the file may hold anything behind `head`; only a copy of the prefix is trusted.
    private(set) var isPoisoned = false

    /// Opens and locks an existing file; nil if missing. It still has to be followed from `head` on.
    static func openLocked(
        _ path: FilePath, in folder: any Directory, from head: LedgerHead, durability: Durability
    ) throws(FileSystemError) -> ChainFile? {
        for _ in 0..<maximumReopenings {
            guard let file = try folder.open(path, .readWrite) else { return nil }
            try file.lock()
            try finishReplacement(of: path, in: folder)
            let identity = try file.status()
            guard identity.kind == .file else { throw FileSystemError(.wrongKind, "open", file.path) }
            // Whoever renamed another file over this one held the lock we now have on the wrong file.
            if let named = try folder.status(path), named.isSameFile(as: identity) {
                return ChainFile(
                    folder: folder, path: path, durability: durability, file: file, identity: identity, head: head,
                    start: head)
            }
            file.close()
        }
        throw FileSystemError(.locked, "open", folder.path.appending(path.components))
    }

    // MARK: Reading

    /// Feeds everything from an offset to the end of the file, chunk by chunk.
    static func read(
        _ file: any File, from offset: Int, _ feed: (UnsafeRawBufferPointer) -> Void
    ) throws(FileSystemError) {
        // Most ledgers end within the first read, and need not make the heap grow for it.
        var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: firstChunkSize, alignment: 16)
        defer { buffer.deallocate() }
        var offset = Int64(offset)
        while true {
            let count = try file.readFully(into: buffer, at: offset)
            if count > 0 { feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            if count < buffer.count { return }
            offset += Int64(count)
            guard buffer.count < chunkSize else { continue }
            buffer.deallocate()
            buffer = .allocate(byteCount: chunkSize, alignment: 16)
        }
    }

    /// Reads what follows `head`, hands on its entries, and moves `head` behind them. A torn tail is saved beside
    /// the file and cut.
    /// - Parameter checkpoint: what the first entry must vouch for.
    /// - Throws: `.damaged`, and then nothing is changed.
    mutating func follow(
        checkpoint: Digest? = nil, knownHeads: [Int: Digest], _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) {
        try recover()
        let size = try storing { () throws(FileSystemError) in try file.status().size }
        guard size >= Int64(head.length) else {
            throw StoreError(
                .damaged, "\(file.path) has \(size) bytes, and \(head.length) were recorded", seq: head.seq)
        }
        // The common case, and a system call that need not read.
        if size == Int64(head.length), knownHeads.isEmpty, checkpoint == nil { return }
        var scanner = LedgerScanner(after: head, knownHeads: knownHeads)
        // What is still to be vouched for.
        var unvouched = checkpoint
        try storing { () throws(FileSystemError) in
            try Self.read(file, from: head.length) { bytes in
                scanner.feed(bytes) { item in
                    if let checkpoint = unvouched, item.entry.seq == head.seq + 1, item.vouches(for: checkpoint) {
                        unvouched = nil
                    }
                    body(item)
                }
            }
        }
        guard unvouched == nil else {
            throw StoreError(.damaged, "no entry vouches for the checkpoint", seq: head.seq)
        }
        switch scanner.finish() {
        case .whole(let head): self.head = head
        case .torn(let head, _, _):
            self.head = head
            try storing { () throws(FileSystemError) in try cutTail() }
        case .damaged(_, let reason):
            throw StoreError(.damaged, "\(file.path): \(reason)", seq: reason.seq)
        }
    }

    /// What an owner that was killed between write and sync left behind becomes durable before anyone acts on it: by a
    /// sync, or by a copy where that fails or would prove nothing.
    ///
    /// The kernel reports a failed sync once, and takes the bytes for written from then on: an owner that was told, and
    /// gone before it could make a copy, leaves no trace. So the bytes are written again, in their place, before they are
    /// synced.
    ///
    /// - Parameter known: the length up to which somebody vouches for it.
    mutating func settle(knownUpTo known: Int) throws(StoreError) {
        guard durability == .full else { return }
        if !isPoisoned {
            try storing { () throws(FileSystemError) in try writeAgain(from: known) }
            do throws(FileSystemError) {
                return try file.synchronize()
            } catch {
                isPoisoned = true
            }
        }
        try rebuild()
    }

    /// Takes nothing of the file for durable: it goes on in a copy.
    mutating func distrust() { isPoisoned = true }

    /// Writes in their place what no sync may have covered: more than the last write cannot be in doubt.
    private func writeAgain(from known: Int) throws(FileSystemError) {
        let start = max(known, head.length - LedgerTrouble.largestUnsyncedWrite)
        guard start < head.length else { return }
        let tail = UnsafeMutableRawBufferPointer.allocate(byteCount: head.length - start, alignment: 16)
        defer { tail.deallocate() }
        let count = try file.readFully(into: tail, at: Int64(start))
        try file.writeFully(UnsafeRawBufferPointer(rebasing: tail[..<count]), at: Int64(start))
    }

    /// Saves what is behind `head` as `<name>.torn.<n>` and cuts it off.
    private func cutTail() throws(FileSystemError) {
        let stem = path.lastComponent?.stem ?? ""
        for number in 1...Self.maximumTornTails {
            let saved = path.removingLastComponent().appending("\(stem).torn.\(number)")
            do throws(FileSystemError) {
                let copy = try folder.create(saved, permissions: Permissions.file)
                defer { copy.close() }
                try Self.copy(file, from: head.length, to: copy, end: nil) { _ in }
                if durability == .full {
                    try copy.synchronize()
                    try folder.synchronize(path.removingLastComponent())
                }
            } catch  where error.code == .exists {
                continue
            }
            try file.truncate(to: Int64(head.length))
            return
        }
        throw FileSystemError(.exists, "save the torn tail of", file.path)
    }

    // MARK: Writing

    /// After a failed sync: goes back to what is durable, or throws and stays poisoned.
    mutating func recover() throws(StoreError) {
        if isPoisoned { try rebuild() }
    }

    /// One write and one sync behind `head`.
    mutating func append(_ lines: [UInt8], upTo newHead: LedgerHead) throws(StoreError) {
        precondition(
            newHead.length == head.length + lines.count && newHead.seq > head.seq, "lines and head belong together")
        try recover()
        try checkUnchanged()
        do throws(FileSystemError) {
            try file.writeFully(lines, at: Int64(head.length))
        } catch {
            retract()
            throw StoreError(error)
        }
        if durability == .full {
            do throws(FileSystemError) {
                try file.synchronize()
            } catch {
                isPoisoned = true
                try? rebuild()
                throw StoreError(.notDurable, "\(error); nothing of it was recorded", cause: error)
            }
        }
        head = newHead
    }

    /// Compares the file with memory before anything is written into it: what has the name must be what was opened.
    private func checkUnchanged() throws(StoreError) {
        let named = try storing { () throws(FileSystemError) in try folder.status(path) }
        guard let named, named.isSameFile(as: identity) else {
            throw StoreError(.changedBehind, "\(file.path) was replaced or removed by somebody else")
        }
        guard named.size == Int64(head.length) else {
            throw StoreError(
                .changedBehind,
                "\(file.path) has \(named.size) bytes instead of \(head.length): "
                    + "somebody else wrote to it")
        }
    }

    /// Takes a part of a write back out of the file.
    private mutating func retract() {
        do throws(FileSystemError) {
            try file.truncate(to: Int64(head.length))
        } catch {
            isPoisoned = true
        }
    }

    /// Copies what was last synced with success to a new file and puts that in the old one's place.
    ///
    /// After a failed sync the kernel may show bytes that never reached the disk, and report success from then on
    /// (https://wiki.postgresql.org/wiki/Fsync_Errors), so neither the old file nor another sync of it is trusted.
    private mutating func rebuild() throws(StoreError) {
        // Whoever reads meanwhile must not see what was refused; if this fails too, the copy still does it.
        try? file.truncate(to: Int64(head.length))
        let temporary = try storing { () throws(FileSystemError) in try TemporaryName.next(for: path, in: folder) }
        let copy = try storing { () throws(FileSystemError) in
            try folder.create(temporary, permissions: Permissions.file)
        }
        do throws(StoreError) {
            try fill(copy)
            identity = try storing { () throws(FileSystemError) in
                try copy.lock()
                try copy.synchronize()
                // Once the name is the copy's, nothing that can fail may stand between it and what this process knows.
                let identity = try copy.status()
                try Self.replace(path, by: temporary, in: folder)
                return identity
            }
        } catch {
            copy.close()
            _ = try? folder.remove(temporary)
            throw error
        }
        file.close()
        file = copy
        try storing { () throws(FileSystemError) in try Self.finishReplacement(of: path, in: folder) }
        isPoisoned = false
    }

    /// Renames a whole file over one that is locked. `finishReplacement` makes that durable.
    ///
    /// A process that is killed in between leaves a name that a power loss takes back, with all that others have synced
    /// into the new file since; and nothing about the file would tell them. So a mark lies beside it until then.
    static func replace(
        _ path: FilePath, by temporary: FilePath, in folder: any Directory
    ) throws(FileSystemError) {
        do throws(FileSystemError) {
            try folder.create(replacementMark(of: path), permissions: Permissions.file).close()
        } catch  where error.code == .exists {
            // Somebody was killed here before.
        }
        try folder.rename(temporary, to: path)
    }

    /// Makes durable which file has a name, if somebody changed that and may not have come so far.
    static func finishReplacement(of path: FilePath, in folder: any Directory) throws(FileSystemError) {
        let mark = replacementMark(of: path)
        guard try folder.status(mark) != nil else { return }
        try folder.synchronize(path.removingLastComponent())
        _ = try folder.remove(mark)
    }

    private static func replacementMark(of path: FilePath) -> FilePath {
        path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "").replaced")
    }

    /// Copies everything up to `head` and checks as much of it as this process has read before.
    private func fill(_ copy: any File) throws(StoreError) {
        var verifier = LedgerVerifier(after: start)
        var offset = 0
        try storing { () throws(FileSystemError) in
            try Self.copy(file, from: 0, to: copy, end: head.length) { chunk in
                let skipped = min(max(0, start.length - offset), chunk.count)
                verifier.feed(UnsafeRawBufferPointer(rebasing: chunk[skipped...]))
                offset += chunk.count
            }
        }
        guard case .whole(let verified) = verifier.finish(), verified.seq == head.seq, verified.digest == head.digest
        else {
            throw StoreError(.damaged, "\(file.path) no longer holds what was synced", seq: head.seq)
        }
    }

    /// Copies bytes from an offset to `end`, or to the end of the file.
    private static func copy(
        _ source: any File, from start: Int, to target: any File, end: Int?,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(FileSystemError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkSize, alignment: 16)
        defer { buffer.deallocate() }
        var offset = start
        while offset < end ?? .max {
            let wanted = min(buffer.count, (end ?? .max) - offset)
            let slice = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let count = try source.readFully(into: slice, at: Int64(offset))
            let bytes = UnsafeRawBufferPointer(rebasing: slice[..<count])
            try target.writeFully(bytes, at: Int64(offset - start))
            body(bytes)
            offset += count
            if count < wanted {
                if end == nil { return }
                throw FileSystemError(.io, "copy", source.path)
            }
        }
    }
}

extension ChainFile {
    /// One that was made just now, is locked, and durable up to its end.
    init(_ path: FilePath, _ new: NewLedger, upTo head: LedgerHead, durability: Durability) {
        self.init(
            folder: new.folder, path: path, durability: durability, file: new.file, identity: new.status, head: head,
            start: head)
    }

    /// Whether the name still leads to the file that is open: the journal's does not after a segment is closed.
    func isCurrent() throws(FileSystemError) -> Bool {
        try folder.status(path)?.isSameFile(as: identity) ?? false
    }

    /// Whether it is that file, with nothing behind `head`.
    func isUnchanged() throws(FileSystemError) -> Bool {
        guard let named = try folder.status(path) else { return false }
        return named.isSameFile(as: identity) && named.size == Int64(head.length)
    }
}
