internal import SystemPackage
internal import WaybillCore
internal import WaybillEngine
internal import WaybillPorts

/// The journal's files: closed segments `journal-<first seq>.jsonl`, and `journal.jsonl`, which is written.
struct JournalSegments {
    static let current: FilePath = "journal.jsonl"
    private static let maximumSegments = 1_000_000

    static func closed(first seq: Int) -> FilePath { FilePath("journal-\(seq).jsonl") }

    /// The first numbers of the closed segments, ascending.
    static func closedNumbers(in folder: any Directory) throws(FileSystemError) -> [Int] {
        var numbers: [Int] = []
        guard let listing = try folder.listing(FilePath()) else { return [] }
        while true {
            let batch = try listing.next(limit: 1_024)
            if batch.isEmpty { return numbers.sorted() }
            numbers += batch.compactMap { number($0.name.string) }
            guard numbers.count <= maximumSegments else { throw FileSystemError(.tooLarge, "list", folder.path) }
        }
    }

    private static func number(_ name: String) -> Int? {
        guard name.hasPrefix("journal-"), name.hasSuffix(".jsonl"), let number = Int(name.dropFirst(8).dropLast(6)),
            name == "journal-\(number).jsonl"
        else { return nil }
        return number
    }

    /// Where a segment begins: the chain goes on, the bytes are counted anew.
    static func start(after head: LedgerHead) -> LedgerHead {
        LedgerHead(seq: head.seq, digest: head.digest, ts: head.ts, length: 0)
    }

    /// Reads a closed segment from a head inside it to its end, and returns the head there.
    /// - Throws: `.damaged` unless every byte verifies: what was closed was whole.
    static func readClosed(
        first seq: Int, in folder: any Directory, from head: LedgerHead, _ body: (LedgerScanner.Item) -> Void
    ) throws(StoreError) -> LedgerHead {
        let path = closed(first: seq)
        var scanner = LedgerScanner(after: head)
        let isThere = try storing { () throws(FileSystemError) in
            guard let file = try folder.open(path, .read) else { return false }
            defer { file.close() }
            try ChainFile.read(file, from: head.length) { scanner.feed($0, body) }
            return true
        }
        guard isThere else { throw StoreError(.damaged, "\(path) is missing", seq: seq) }
        switch scanner.finish() {
        case .whole(let head): return head
        case .torn(_, _, let reason), .damaged(_, let reason):
            throw StoreError(.damaged, "\(path): \(reason)", seq: reason.seq)
        }
    }
}
