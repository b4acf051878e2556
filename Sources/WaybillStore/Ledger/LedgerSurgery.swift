package import SystemPackage
package import WaybillCore
package import WaybillEngine
internal import WaybillPorts

/// Puts another ledger in a run's, and keeps the old one: for repairs, which somebody asked for.
package struct LedgerSurgery {
    /// Evidence is numbered; so many repairs of one run mean a machine that needs its owner.
    private static let maximumRepairs = 10_000
    private static let folder: FilePath = "damaged"

    private let run: RunFolder
    private let file: any File

    /// Takes the ledger's lock.
    ///
    /// - Throws: `.missing`, `.locked` with the owner.
    package init(_ run: RunFolder) throws(StoreError) {
        self.run = run
        let opened = try storing { () throws(FileSystemError) in
            guard let file = try run.directory.open(RunFolder.ledger, .readWrite) else { return nil as (any File)? }
            try file.lock()
            return file
        }
        guard let opened else { throw StoreError(.missing, "run \(run.run) has no ledger") }
        file = opened
    }

    package func close() { file.close() }

    /// Copies the ledger as it is to `damaged/<n>/`, and moves `run.json` and the checkpoints behind `seq` there: they
    /// speak of what is gone.
    ///
    /// - Returns: the folder, relative to the run's.
    package func keepEvidence(after seq: Int, checkpoints: [Int]) throws(StoreError) -> FilePath {
        try storing { () throws(FileSystemError) in
            let place = try newFolder()
            let copy = try run.directory.create(
                place.appending(RunFolder.ledger.components), permissions: Permissions.file)
            defer { copy.close() }
            try Self.copy(file, 0..<Int(try file.status().size), to: copy, at: 0)
            try copy.synchronize()
            try move(RunFolder.glance, to: place)
            for number in checkpoints where number > seq {
                try move(RunFolder.checkpoints.appending("\(number).json"), to: place)
            }
            try run.directory.synchronize(place)
            try run.directory.synchronize(Self.folder)
            try run.directory.synchronize()
            return place
        }
    }

    private func newFolder() throws(FileSystemError) -> FilePath {
        try run.directory.createDirectories(Self.folder)
        for number in 1...Self.maximumRepairs {
            let place = Self.folder.appending("\(number)")
            if try run.directory.createDirectory(place, permissions: Permissions.folder) { return place }
        }
        throw FileSystemError(.exists, "keep what is damaged of", run.directory.path)
    }

    private func move(_ path: FilePath, to place: FilePath) throws(FileSystemError) {
        guard try run.directory.status(path) != nil, let name = path.lastComponent else { return }
        try run.directory.rename(path, to: place.appending(name))
    }

    /// A part of a file: of the ledger itself, or of another one in the run's folder.
    package struct Piece: Sendable {
        /// Nil: the ledger that is locked.
        package var path: FilePath?
        /// Nil: to the end.
        package var length: Int?

        package init(path: FilePath?, length: Int?) {
            self.path = path
            self.length = length
        }
    }

    /// Makes a ledger of pieces, durably, and renames it over the old one.
    package func replace(with pieces: [Piece]) throws(StoreError) {
        try storing { () throws(FileSystemError) in
            let temporary = try TemporaryName.next(for: RunFolder.ledger, in: run.directory)
            let copy = try run.directory.create(temporary, permissions: Permissions.file)
            defer { copy.close() }
            do throws(FileSystemError) {
                var offset = 0
                for piece in pieces { offset += try append(piece, to: copy, at: offset) }
                try copy.synchronize()
                try ChainFile.replace(RunFolder.ledger, by: temporary, in: run.directory)
                try ChainFile.finishReplacement(of: RunFolder.ledger, in: run.directory)
            } catch {
                _ = try? run.directory.remove(temporary)
                throw error
            }
        }
    }

    private func append(_ piece: Piece, to copy: any File, at offset: Int) throws(FileSystemError) -> Int {
        guard let path = piece.path else {
            let length = try Self.length(of: piece, in: file)
            try Self.copy(file, 0..<length, to: copy, at: offset)
            return length
        }
        guard let source = try run.directory.open(path, .read) else { throw FileSystemError(.notFound, "open", path) }
        defer { source.close() }
        let length = try Self.length(of: piece, in: source)
        try Self.copy(source, 0..<length, to: copy, at: offset)
        return length
    }

    /// The verdict over pieces as if they were one ledger.
    package func verify(
        _ pieces: [Piece], from head: LedgerHead, knownHeads: [Int: Digest]
    ) throws(StoreError) -> LedgerVerdict {
        var verifier = LedgerVerifier(after: head, knownHeads: knownHeads)
        try storing { () throws(FileSystemError) in
            for piece in pieces {
                var source = file
                if let path = piece.path {
                    guard let other = try run.directory.open(path, .read) else {
                        throw FileSystemError(.notFound, "open", path)
                    }
                    source = other
                }
                defer { if piece.path != nil { source.close() } }
                var left = try Self.length(of: piece, in: source)
                try ChainFile.read(source, from: 0) { chunk in
                    let count = min(left, chunk.count)
                    left -= count
                    if count > 0 { verifier.feed(UnsafeRawBufferPointer(rebasing: chunk[..<count])) }
                }
            }
        }
        return verifier.finish()
    }

    private static func length(of piece: Piece, in file: any File) throws(FileSystemError) -> Int {
        if let length = piece.length { return length }
        return Int(try file.status().size)
    }

    private static func copy(
        _ source: any File, _ range: Range<Int>, to target: any File, at start: Int
    ) throws(FileSystemError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ChainFile.chunkSize, alignment: 16)
        defer { buffer.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let wanted = min(buffer.count, range.upperBound - offset)
            let slice = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let count = try source.readFully(into: slice, at: Int64(offset))
            guard count == wanted else { throw FileSystemError(.io, "copy", source.path) }
            try target.writeFully(UnsafeRawBufferPointer(slice), at: Int64(start + offset - range.lowerBound))
            offset += count
        }
    }
}
