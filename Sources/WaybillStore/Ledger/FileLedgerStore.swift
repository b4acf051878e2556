internal import Synchronization
internal import SystemPackage
package import WaybillCore
package import WaybillEngine
package import WaybillPorts

/// Ledgers as files: `<run>/ledger.jsonl` beneath the folder of runs.
package struct FileLedgerStore: LedgerStore {
    private let runs: any Directory
    private let distrusted = DistrustedFiles()
    private let settled = SettledLedgers()

    /// - Parameter runs: the folder that holds the runs' folders.
    package init(runs: any Directory) { self.runs = runs }

    package func open(
        _ run: RunID, from head: LedgerHead, checkpoint: Digest?, knownHeads: [Int: Digest], durability: Durability,
        _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> any Ledger {
        let folder = try folder(of: run)
        let opened = try storing { () throws(FileSystemError) in
            try ChainFile.openLocked(RunFolder.ledger, in: folder, from: head, durability: durability)
        }
        guard var chain = opened else { throw missing(run) }
        let length = Int(chain.identity.size)
        try chain.follow(checkpoint: checkpoint, knownHeads: knownHeads, body)
        let known = settled.length(of: run)
        // Where `run.json` or the journal can be seen to name a head, it was synced before.
        let isVouchedFor = knownHeads[chain.head.seq] == chain.head.digest
        do throws(StoreError) {
            let isDistrusted = distrusted.contains(chain.identity, of: run)
            if isDistrusted { chain.distrust() }
            // What is vouched for, or what this process made durable, is durable where nobody added to it: a daemon's start
            // syncs nothing of the runs that rest.
            let isDurable = length == chain.head.length && (isVouchedFor || length == known)
            if isDistrusted || !isDurable {
                try chain.settle(knownUpTo: isVouchedFor ? chain.head.length : known ?? 0)
            }
            if durability == .full { settled.note(run, length: chain.head.length) }
        } catch {
            distrusted.note(chain, of: run)
            settled.forget(run)
            chain.file.close()
            throw error
        }
        return ledger(chain, of: run, durability)
    }

    package func take(
        _ ledger: NewLedger, of run: RunID, upTo head: LedgerHead, durability: Durability
    ) -> any Ledger {
        settled.note(run, length: head.length)
        return self.ledger(
            ChainFile(RunFolder.ledger, ledger, upTo: head, durability: durability), of: run, durability)
    }

    private func ledger(_ chain: ChainFile, of run: RunID, _ durability: Durability) -> FileLedger {
        let (distrusted, settled) = (distrusted, settled)
        return FileLedger(chain) { chain in
            distrusted.note(chain, of: run)
            settled.forget(run)
        } onClose: { chain in
            if durability == .full, !chain.isPoisoned { settled.note(run, length: chain.head.length) }
        }
    }

    package func forget(_ run: RunID) { settled.forget(run) }

    package func scan(
        _ run: RunID, from head: LedgerHead, knownHeads: [Int: Digest], _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> LedgerVerdict {
        var scanner = LedgerScanner(after: head, knownHeads: knownHeads)
        try read(run, from: head) { scanner.feed($0, body) }
        return scanner.finish()
    }

    package func verify(
        _ run: RunID, from head: LedgerHead, knownHeads: [Int: Digest]
    ) throws(StoreError) -> LedgerVerdict {
        let folder = try folder(of: run)
        let opened = try storing { () throws(FileSystemError) in try folder.open(RunFolder.ledger, .read) }
        guard let file = opened else { throw missing(run) }
        defer { file.close() }
        let stretches = LedgerStretches(folder: folder, path: RunFolder.ledger, knownHeads: knownHeads)
        let reached = try storing { () throws(FileSystemError) in try stretches.check(file, from: head) }
        var verifier = LedgerVerifier(after: reached, knownHeads: knownHeads)
        try storing { () throws(FileSystemError) in
            try ChainFile.read(file, from: reached.length) { verifier.feed($0) }
        }
        return verifier.finish()
    }

    private func read(
        _ run: RunID, from head: LedgerHead, _ feed: (UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        let folder = try folder(of: run)
        let opened = try storing { () throws(FileSystemError) in try folder.open(RunFolder.ledger, .read) }
        guard let file = opened else { throw missing(run) }
        defer { file.close() }
        try storing { () throws(FileSystemError) in try ChainFile.read(file, from: head.length, feed) }
    }

    private func folder(of run: RunID) throws(StoreError) -> any Directory {
        let folder = try storing { () throws(FileSystemError) in try runs.openDirectory(FilePath(run.text)) }
        guard let folder else { throw missing(run) }
        return folder
    }

    private func missing(_ run: RunID) -> StoreError { StoreError(.missing, "run \(run) has no ledger") }
}

/// A run's ledger, open and locked.
final class FileLedger: Ledger {
    private let chain: Mutex<ChainFile>
    /// Is told how far the file can be trusted after each failure.
    private let onFailure: @Sendable (ChainFile) -> Void
    private let onClose: @Sendable (ChainFile) -> Void

    init(
        _ chain: ChainFile, onFailure: @escaping @Sendable (ChainFile) -> Void,
        onClose: @escaping @Sendable (ChainFile) -> Void
    ) {
        self.chain = Mutex(chain)
        self.onFailure = onFailure
        self.onClose = onClose
    }

    var head: LedgerHead { chain.withLock { $0.head } }

    func append(lines: [UInt8], upTo newHead: LedgerHead) throws(StoreError) {
        try chain.withLock { (chain) throws(StoreError) in
            do throws(StoreError) {
                try chain.append(lines, upTo: newHead)
            } catch {
                onFailure(chain)
                throw error
            }
        }
    }

    func close() {
        chain.withLock { chain in
            // Before anybody else can have the lock.
            onClose(chain)
            chain.file.close()
        }
    }
}

/// Files that could not be synced and could not be copied either: another sync of them proves nothing, also through a
/// descriptor that is opened later.
private final class DistrustedFiles: Sendable {
    private let files = Mutex<[RunID: FileStatus]>([:])

    func contains(_ file: FileStatus, of run: RunID) -> Bool {
        files.withLock { $0[run]?.isSameFile(as: file) ?? false }
    }

    func note(_ chain: ChainFile, of run: RunID) {
        files.withLock { $0[run] = chain.isPoisoned ? chain.identity : nil }
    }
}

/// How many bytes of which ledgers this process has made durable.
///
/// In as many parts as there are lanes, about: with one, thousands of runs that go on at once wait for each other here.
private final class SettledLedgers: Sendable {
    private final class Part: Sendable {
        let lengths = Mutex<[RunID: Int]>([:])
    }

    private let parts = (0..<64).map { _ in Part() }

    private func part(of run: RunID) -> Part { parts[Int(UInt(bitPattern: run.hashValue) % UInt(parts.count))] }

    func length(of run: RunID) -> Int? { part(of: run).lengths.withLock { $0[run] } }
    func note(_ run: RunID, length: Int) { part(of: run).lengths.withLock { $0[run] = length } }
    func forget(_ run: RunID) { part(of: run).lengths.withLock { $0[run] = nil } }
}
