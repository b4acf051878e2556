import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

/// Reads what is added to a ledger, without its lock, whoever writes it.
struct LedgerFollower {
    private static let chunk = 1 << 20
    private let folder: RunFolder
    private let genesis: Digest
    private var scanner: LedgerScanner
    private var offset: Int64 = 0
    private var inode: UInt64?

    init(_ folder: RunFolder) throws {
        self.folder = folder
        let index = try folder.read(RunFolder.index, limit: RunFolders.largestSource)
        genesis = index.map { Digest.sha256($0) } ?? .zero
        scanner = LedgerScanner(after: .start(genesis: genesis))
    }

    /// The entries of whole decisions since the last call. A ledger that was cut or replaced is read from the
    /// beginning: `isAnew` is true then.
    mutating func next() throws(FileSystemError) -> (entries: [Entry], isAnew: Bool) {
        guard let file = try folder.directory.open(RunFolder.ledger, .read) else { return ([], false) }
        defer { file.close() }
        let status = try file.status()
        let isAnew = inode.map { $0 != status.inode } ?? false || status.size < offset
        if isAnew {
            scanner = LedgerScanner(after: .start(genesis: genesis))
            offset = 0
        }
        inode = status.inode
        var entries: [Entry] = []
        while offset < status.size {
            let bytes = try file.read(at: offset, count: min(Self.chunk, Int(status.size - offset)))
            if bytes.isEmpty { break }
            scanner.feed(bytes) { entries.append($0.entry) }
            offset += Int64(bytes.count)
        }
        return (entries, isAnew)
    }
}
