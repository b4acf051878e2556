import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts

/// The identity of an event on its way to hooks: also its file's name in the spool.
struct SpooledEvent: Sendable, Hashable {
    let run: RunID
    let seq: Int
    let event: String

    /// `<run>.<seq>.<event>.json`; ids of runs have no dots.
    var fileName: String { "\(run).\(seq).\(event).json" }

    init(run: RunID, seq: Int, event: String) {
        self.run = run
        self.seq = seq
        self.event = event
    }

    init?(fileName: String) {
        let parts = fileName.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let run = RunID(String(parts[0])), let seq = Int(parts[1]), seq > 0,
            parts[2].hasSuffix(".json")
        else { return nil }
        self.init(run: run, seq: seq, event: String(parts[2].dropLast(5)))
        guard TraceEvent.names.contains(event), self.fileName == fileName else { return nil }
    }

    /// Events of a run in the order of its ledger; those of one entry in the order of their names.
    func precedes(_ other: SpooledEvent) -> Bool {
        (seq, rank, run) < (other.seq, other.rank, other.run)
    }

    private var rank: Int { TraceEvent.names.firstIndex(of: event) ?? TraceEvent.names.count }
}

/// The files of hooks under `.waybill/hooks/`: events that are not delivered yet, and how far each run's ledger was
/// gone through. An event is a file before it is delivered and until every hook was tried, so that it outlives the process.
struct HookSpool: Sendable {
    static let home: FilePath = "hooks"
    static let spool: FilePath = "hooks/spool"
    static let cursors: FilePath = "hooks/cursor"
    private static let failures: FilePath = "hooks/failures.json"
    static let logs: FilePath = "hooks/log"
    /// The largest event: an entry and what surrounds it.
    private static let largestEvent = EntryCodec.longestLine + 4096

    /// `.waybill/`.
    let caches: any Directory

    // MARK: - Events

    func put(_ event: TraceEvent, durability: Durability) throws(FileSystemError) {
        let spooled = SpooledEvent(run: event.run, seq: event.entry.seq, event: event.name)
        // A final newline, because `read` of the shell fails without one.
        try replace(path(spooled), event.json + [UInt8(ascii: "\n")], durability)
    }

    /// Opens an event's file and takes its lock, so that no other process delivers it at the same time.
    /// - Returns: nil if it is gone: somebody else has delivered it.
    /// - Throws: `.locked` while another process delivers it.
    func claim(_ event: SpooledEvent) throws(FileSystemError) -> (any File)? {
        guard let file = try caches.open(path(event), .readWrite) else { return nil }
        try file.lock()
        // Its deliverer removes the name before it lets go of the lock.
        guard let named = try caches.status(path(event)), try file.status().isSameFile(as: named) else { return nil }
        return file
    }

    func bytes(of file: any File) throws(FileSystemError) -> [UInt8] { try file.readAll(limit: Self.largestEvent) }

    func remove(_ event: SpooledEvent) throws(FileSystemError) { _ = try caches.remove(path(event)) }

    /// The first events in the spool that `isNew`, in order, and how many files there are.
    func first(
        _ limit: Int, where isNew: (SpooledEvent) -> Bool
    ) throws(FileSystemError) -> (events: [SpooledEvent], hasMore: Bool, total: Int) {
        guard let listing = try caches.listing(Self.spool) else { return ([], false, 0) }
        var events: [SpooledEvent] = []
        var hasMore = false
        var total = 0
        while true {
            let batch = try listing.next(limit: 1_024)
            for entry in batch {
                guard let event = SpooledEvent(fileName: entry.name.string) else { continue }
                total += 1
                if isNew(event) { events.append(event) }
            }
            // Memory stays bounded however much lies there.
            if events.count > 2 * limit || batch.isEmpty {
                events.sort { $0.precedes($1) }
                if events.count > limit {
                    events.removeLast(events.count - limit)
                    hasMore = true
                }
            }
            if batch.isEmpty { return (events, hasMore, total) }
        }
    }

    /// Whether there may be anything to deliver.
    var isEmpty: Bool {
        guard let listing = (try? caches.listing(Self.spool)) ?? nil else { return true }
        return ((try? listing.next(limit: 1)) ?? []).isEmpty
    }

    // MARK: - Cursors

    /// How far a run's ledger was gone through: all events up to there were tried with every hook.
    func cursor(of run: RunID) -> LedgerHead? {
        guard let bytes = (try? caches.read(cursorPath(run), limit: 4096)) ?? nil, let value = try? JSON.parse(bytes),
            value["format"]?.intValue == 1, let seq = value["seq"]?.intValue, let length = value["length"]?.intValue,
            seq > 0, length > 0, let digest = value["head"]?.stringValue.flatMap(Digest.init(hex:)),
            let ts = value["ts"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
        else { return nil }
        return LedgerHead(seq: Int(seq), digest: digest, ts: ts, length: Int(length))
    }

    func setCursor(of run: RunID, to head: LedgerHead) throws(FileSystemError) {
        let value: Value = [
            "format": 1, "seq": .int(Int64(head.seq)), "head": .string(head.digest.hex),
            "ts": .string(head.ts.description), "length": .int(Int64(head.length)),
        ]
        try replace(cursorPath(run), JSON.pretty(value), .relaxed)
    }

    func removeCursor(of run: RunID) throws(FileSystemError) { _ = try caches.remove(cursorPath(run)) }

    // MARK: - Failures

    /// The newest failures, oldest first, as any process of this tree has recorded them.
    func recordedFailures() -> [HookFailure] {
        guard let bytes = (try? caches.read(Self.failures, limit: 4 << 20)) ?? nil, let value = try? JSON.parse(bytes)
        else { return [] }
        return value["failures"]?.listValue?.compactMap(HookFailure.init) ?? []
    }

    func record(_ failures: [HookFailure]) throws(FileSystemError) {
        let value: Value = ["format": 1, "failures": .list(failures.map(\.value))]
        try replace(Self.failures, JSON.pretty(value), .relaxed)
    }

    // MARK: - Paths

    private func path(_ event: SpooledEvent) -> FilePath { Self.spool.appending(event.fileName) }
    private func cursorPath(_ run: RunID) -> FilePath { Self.cursors.appending(run.text) }

    private func replace(_ path: FilePath, _ bytes: [UInt8], _ durability: Durability) throws(FileSystemError) {
        do throws(FileSystemError) {
            try caches.replace(path, with: bytes, durability: durability)
        } catch  where error.code == .notFound {
            try caches.createDirectories(path.removingLastComponent())
            try caches.replace(path, with: bytes, durability: durability)
        }
    }
}
