internal import SystemPackage
internal import WaybillCore
internal import WaybillEngine
internal import WaybillPorts

/// What one process knows of the journal, and its way of adding to it. One thread at a time uses it.
struct JournalWriter: Sendable {
    typealias Decision = (time: Timestamp, decide: @Sendable (JournalIndex) -> [EntryDraft])

    /// No more decisions are added to a write that has so many bytes. With one more decision it is still less than what
    /// a power loss may leave as a hole (`LedgerTrouble.largestUnsyncedWrite`).
    private static let enoughBytes = 512 << 10
    /// Other processes may close segments while this one opens them; not that often in a row.
    private static let maximumOpenings = 100

    private let folder: any Directory
    private let options: FileJournal.Options
    private(set) var index = JournalIndex()
    private var chain: ChainFile?
    /// The head that the open segment begins behind.
    private var segmentStart = LedgerHead.start(genesis: .zero)
    private(set) var isLoaded = false
    /// Whether the file had to be closed to give its lock back.
    private var isClosed = false

    init(folder: any Directory, options: FileJournal.Options) {
        self.folder = folder
        self.options = options
    }

    /// Whether nobody has added anything to what this process knows, which takes no lock to see: a quarter of the calls
    /// that following costs.
    var isUpToDate: Bool {
        guard let chain, isLoaded, !isClosed, !chain.isPoisoned else { return false }
        return (try? chain.isUnchanged()) ?? false
    }

    /// Takes the lock, reads what others added, decides, writes the decisions with one write and one sync, and
    /// gives the lock back.
    /// - Returns: the entries of each decision; fewer than asked for, and at least one, where they make a large write.
    mutating func commit(_ decisions: [Decision]) throws(StoreError) -> [[Entry]] {
        try lockAndFollow()
        defer { unlock() }
        guard var chain else { throw StoreError(.locked, "the journal is not open") }
        // Whoever made the file may have been killed before its name was durable.
        if chain.head.length == 0, options.durability == .full {
            try storing { () throws(FileSystemError) in try folder.synchronize() }
        }
        let segment = segmentStart.seq + 1
        var head = chain.head
        var lines: [UInt8] = []
        var outcomes: [[Entry]] = []
        func take(_ drafts: [EntryDraft], _ time: Timestamp) -> [Entry] {
            head.append(drafts, at: time).map { entry, line in
                // Later decisions of the same batch build on this one.
                index.apply(
                    entry,
                    at: JournalPlace(
                        segment: segment, offset: chain.head.length + lines.count, length: line.count))
                lines += line
                return entry
            }
        }
        for decision in decisions where lines.count < Self.enoughBytes {
            outcomes.append(take(decision.decide(index), decision.time))
        }
        if lines.isEmpty { return outcomes }
        // One signature for all of them.
        if outcomes.contains(where: { $0.contains { $0.type.isSignedInJournal } }), let signature = options.sign(head) {
            _ = take([signature], head.ts)
        }
        do throws(StoreError) {
            try chain.append(lines, upTo: head)
        } catch {
            // The index holds what was not recorded, so all is read again. A chain that could not go back to what
            // is durable is kept with its lock, so that nobody takes what is in the file for the truth.
            if chain.isPoisoned { self.chain = chain } else { forget() }
            throw error
        }
        self.chain = chain
        try closeSegmentIfFull()
        return outcomes
    }

    private mutating func forget() {
        chain?.file.close()
        chain = nil
        index = JournalIndex()
        segmentStart = .start(genesis: .zero)
        isLoaded = false
        isClosed = false
    }

    private mutating func unlock() {
        guard let chain, !chain.isPoisoned else { return }
        do throws(FileSystemError) {
            try chain.file.unlock()
        } catch {
            // A closed file keeps nobody out. What was read from it is right until the next look.
            chain.file.close()
            isClosed = true
        }
    }

    // MARK: Following

    private mutating func lockAndFollow() throws(StoreError) {
        do throws(StoreError) {
            for _ in 0..<Self.maximumOpenings {
                if try lockCurrent() { return }
            }
            throw StoreError(.locked, "the journal's segments keep changing")
        } catch {
            if error.code != .locked, chain?.isPoisoned != true { forget() }
            throw error
        }
    }

    /// False if the segment was closed by somebody else meanwhile.
    private mutating func lockCurrent() throws(StoreError) -> Bool {
        if chain?.isPoisoned == true {
            // In its place: a recovery that fails half-way goes on with another file than it began with.
            try chain?.recover()
            forget()
        }
        if isClosed { forget() }
        guard var chain = try lockedSegment() else { return false }
        let before = chain.head
        let segment = segmentStart.seq + 1
        try chain.follow(knownHeads: [:]) { index.apply($0, in: segment) }
        // What others wrote may not be durable yet if they were killed before their sync.
        do throws(StoreError) {
            if chain.head.seq != before.seq { try chain.settle(knownUpTo: before.length) }
        } catch {
            // It is kept with its lock, for the next one to recover.
            if chain.isPoisoned { self.chain = chain }
            throw error
        }
        self.chain = chain
        isLoaded = true
        return true
    }

    /// The open segment, locked. Nil if it was closed meanwhile.
    private mutating func lockedSegment() throws(StoreError) -> ChainFile? {
        guard let chain else {
            let opened = try openSegment()
            // Segments are closed under the lock that we have now. If the one we read up to was closed before,
            // the file we opened begins further on.
            let isPassed = try storing { () throws(FileSystemError) in
                try folder.status(JournalSegments.closed(first: segmentStart.seq + 1)) != nil
            }
            return isPassed ? nil : opened
        }
        try patiently { () throws(FileSystemError) in try chain.file.lock() }
        if try storing({ () throws(FileSystemError) in try chain.isCurrent() }) { return chain }
        let segment = segmentStart.seq + 1
        let isClosed = try storing { () throws(FileSystemError) in
            try folder.status(JournalSegments.closed(first: segment)) != nil
        }
        guard isClosed else {
            // Another process put a copy in its place after a failed sync (`ChainFile.recover`): all is read again.
            forget()
            return nil
        }
        // The open file is a closed segment now, and nobody adds to it any more.
        let end = try JournalSegments.readClosed(first: segment, in: folder, from: chain.head) {
            index.apply($0, in: segment)
        }
        chain.file.close()
        self.chain = nil
        segmentStart = JournalSegments.start(after: end)
        return nil
    }

    /// Reads closed segments that are new to us and opens the current one, made if there is none.
    private mutating func openSegment() throws(StoreError) -> ChainFile? {
        let numbers = try storing { () throws(FileSystemError) in try JournalSegments.closedNumbers(in: folder) }
        for seq in numbers where seq > segmentStart.seq {
            guard seq == segmentStart.seq + 1 else {
                throw StoreError(
                    .damaged, "the journal has no segment with entry \(segmentStart.seq + 1)", seq: segmentStart.seq + 1
                )
            }
            let end = try JournalSegments.readClosed(first: seq, in: folder, from: segmentStart) {
                index.apply($0, in: seq)
            }
            segmentStart = JournalSegments.start(after: end)
        }
        return try patiently { () throws(FileSystemError) in
            if let chain = try open() { return chain }
            do throws(FileSystemError) {
                let file = try folder.create(JournalSegments.current, permissions: Permissions.file)
                file.close()
                if options.durability == .full { try folder.synchronize() }
            } catch  where error.code == .exists {
                // Somebody else was faster.
            }
            return try open()
        }
    }

    private func open() throws(FileSystemError) -> ChainFile? {
        try ChainFile.openLocked(
            JournalSegments.current, in: folder, from: segmentStart, durability: options.durability)
    }

    private func patiently<Result>(_ body: () throws(FileSystemError) -> Result) throws(StoreError) -> Result {
        var attempt = 0
        while true {
            do throws(FileSystemError) {
                return try body()
            } catch  where error.code == .locked && options.waitForLock(attempt) {
                attempt += 1
            } catch {
                throw StoreError(error)
            }
        }
    }

    // MARK: Segments

    /// Gives a full segment its closed name. What was recorded is recorded: a failure here is tried again later.
    private mutating func closeSegmentIfFull() throws(StoreError) {
        guard let chain, chain.head.length >= options.segmentSize else { return }
        let name = JournalSegments.closed(first: segmentStart.seq + 1)
        do throws(FileSystemError) {
            try folder.rename(JournalSegments.current, to: name, in: nil, replacing: false)
            if options.durability == .full { try folder.synchronize() }
        } catch {
            return
        }
        chain.file.close()
        segmentStart = JournalSegments.start(after: chain.head)
        self.chain = nil
    }
}

extension JournalIndex {
    fileprivate mutating func apply(_ item: LedgerScanner.Item, in segment: Int) {
        apply(item.entry, at: JournalPlace(segment: segment, offset: item.offset, length: item.length))
    }
}
