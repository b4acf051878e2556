internal import SystemPackage
internal import WaybillCore
package import WaybillEngine
internal import WaybillPorts

/// Reads the journal without its lock, across segments that may be closed meanwhile.
struct JournalReader {
    /// Segments may be closed while they are read, but not that often in a row.
    private static let maximumAttempts = 100
    let folder: any Directory

    /// Hands on all entries behind a cursor and returns where they end.
    /// - Throws: `.damaged`. An unfinished tail of the open segment is no damage.
    func scan(
        from cursor: JournalCursor, _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> JournalCursor {
        var cursor = cursor
        for _ in 0..<Self.maximumAttempts {
            while let next = try readClosed(from: cursor, body) { cursor = next }
            if let end = try readOpen(from: cursor, body) { return end }
        }
        throw StoreError(.locked, "the journal keeps changing while it is read")
    }

    /// Reads the cursor's segment to its end if it is closed; nil if it is not.
    private func readClosed(
        from cursor: JournalCursor, _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> JournalCursor? {
        guard try isClosed(cursor.segment) else { return nil }
        let end = try JournalSegments.readClosed(first: cursor.segment, in: folder, from: cursor.head, body)
        return JournalCursor(segment: end.seq + 1, head: JournalSegments.start(after: end))
    }

    private func isClosed(_ segment: Int) throws(StoreError) -> Bool {
        try storing { () throws(FileSystemError) in
            try folder.status(JournalSegments.closed(first: segment)) != nil
        }
    }

    /// Nil if the segment was closed before it could be opened.
    private func readOpen(
        from cursor: JournalCursor, _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> JournalCursor? {
        let opened = try storing { () throws(FileSystemError) in try folder.open(JournalSegments.current, .read) }
        guard let file = opened else { return try isClosed(cursor.segment) ? nil : cursor }
        defer { file.close() }
        // A segment gets its closed name before the next one exists: unless this one has it by now, the file that
        // was opened is this one.
        if try isClosed(cursor.segment) { return nil }
        var scanner = LedgerScanner(after: cursor.head)
        try storing { () throws(FileSystemError) in
            try ChainFile.read(file, from: cursor.head.length) { scanner.feed($0, body) }
        }
        switch scanner.finish() {
        case .whole(let end), .torn(let end, _, _): return JournalCursor(segment: cursor.segment, head: end)
        case .damaged(_, let reason):
            throw StoreError(.damaged, "\(JournalSegments.current): \(reason)", seq: reason.seq)
        }
    }

    // MARK: One entry

    /// Reads the entry at a place, with one read.
    func entry(at place: JournalPlace) throws(StoreError) -> Entry {
        guard let file = try open(segment: place.segment) else {
            throw StoreError(.missing, "the journal's segment \(place.segment) is gone", seq: place.segment)
        }
        defer { file.close() }
        let bytes = try storing { () throws(FileSystemError) in
            try file.read(at: Int64(place.offset), count: place.length)
        }
        return try JournalLine.entry(bytes, at: place)
    }

    /// A segment, closed or not; nil if it is gone.
    private func open(segment: Int) throws(StoreError) -> (any File)? {
        try storing { () throws(FileSystemError) in
            let closed = JournalSegments.closed(first: segment)
            if let file = try folder.open(closed, .read) { return file }
            let file = try folder.open(JournalSegments.current, .read)
            // If it was closed in between, the file that was opened may be the next one.
            guard let renamed = try folder.open(closed, .read) else { return file }
            file?.close()
            return renamed
        }
    }

    /// The verdict over all segments, read as one chain.
    func verify(knownHeads: [Int: Digest]) throws(StoreError) -> LedgerVerdict {
        for _ in 0..<Self.maximumAttempts {
            let (verdict, segments) = try storing { () throws(FileSystemError) in
                let segments = try JournalSegments.closedNumbers(in: folder)
                var verifier = LedgerVerifier(after: .start(genesis: .zero), knownHeads: knownHeads)
                for path in segments.map(JournalSegments.closed) + [JournalSegments.current] {
                    guard let file = try folder.open(path, .read) else { continue }
                    defer { file.close() }
                    try ChainFile.read(file, from: 0) { verifier.feed($0) }
                }
                return (verifier.finish(), segments)
            }
            let after = try storing { () throws(FileSystemError) in try JournalSegments.closedNumbers(in: folder) }
            if after == segments { return verdict }
        }
        throw StoreError(.locked, "the journal keeps changing while it is read")
    }
}

/// A line of the journal that was read by itself.
package enum JournalLine {
    /// The entry whose line, with its newline, these bytes are.
    /// - Throws: `.damaged`.
    package static func entry(_ bytes: [UInt8], at place: JournalPlace) throws(StoreError) -> Entry {
        guard bytes.count == place.length, bytes.last == UInt8(ascii: "\n") else {
            throw StoreError(.damaged, "no line of the journal ends at byte \(place.offset + place.length)")
        }
        do throws(LedgerError) {
            return try EntryCodec.parse(Array(bytes.dropLast()))
        } catch {
            throw StoreError(.damaged, "the journal's line at byte \(place.offset): \(error)")
        }
    }
}
