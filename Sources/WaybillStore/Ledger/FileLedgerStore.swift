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
        _ run: RunID, from head: LedgerHead, knownHeads: [Int: Digest], durability: Durability,
        _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> any Ledger {
        let folder = try folder(of: run)
        let opened = try storing { () throws(FileSystemError) in
            try ChainFile.openLocked(RunFolder.ledger, in: folder, from: head, durability: durability)
        }
        guard var chain = opened else { throw missing(run) }
        try chain.follow(knownHeads: knownHeads, body)
        let (distrusted, settled) = (distrusted, settled)
        // `run.json` is written after its entries were synced; what this process appends it syncs itself.
        let isVouchedFor = settled.contains(run) || knownHeads[chain.head.seq] == chain.head.digest
        do throws(StoreError) {
            if distrusted.contains(chain.identity, of: run) { chain.distrust() }
            try chain.settle(knownUpTo: isVouchedFor ? chain.head.length : 0)
            settled.insert(run)
        } catch {
            distrusted.note(chain, of: run)
            settled.remove(run)
            chain.file.close()
            throw error
        }
        return FileLedger(chain) { chain in
            distrusted.note(chain, of: run)
            settled.remove(run)
        }
    }

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
        var verifier = LedgerVerifier(after: head, knownHeads: knownHeads)
        try read(run, from: head) { verifier.feed($0) }
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

    init(_ chain: ChainFile, onFailure: @escaping @Sendable (ChainFile) -> Void) {
        self.chain = Mutex(chain)
        self.onFailure = onFailure
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

    func close() { chain.withLock { $0.file.close() } }
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

/// The runs whose ledgers this process has made durable.
private final class SettledLedgers: Sendable {
    private let runs = Mutex<Set<RunID>>([])

    func contains(_ run: RunID) -> Bool { runs.withLock { $0.contains(run) } }
    func insert(_ run: RunID) { runs.withLock { _ = $0.insert(run) } }
    func remove(_ run: RunID) { runs.withLock { _ = $0.remove(run) } }
}
