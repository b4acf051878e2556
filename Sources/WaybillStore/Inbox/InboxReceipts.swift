internal import Synchronization
package import SystemPackage
internal import WaybillCore
package import WaybillPorts

/// What became of an inbox's files: `accepted/` and `rejected/`, each with a `<name>.reason.json` beside it.
///
/// Both follow from entries that are recorded before. All calls may be repeated after a crash: they end in the
/// same files.
package final class InboxReceipts: Sendable {
    /// After so many refusals beyond the cap it is counted again what is kept: somebody may have tidied up.
    private static let recount = 1_000

    /// What happened to a rejected file.
    package enum Kept: Hashable, Sendable {
        /// Kept, under this path relative to the inbox.
        case kept(FilePath)
        /// Too large to be kept; the receipt says what it was, beside this path.
        case receiptOnly(FilePath)
        /// The cap is reached: the file is gone, to be counted.
        case counted
    }

    private struct Budget {
        var files: Int
        var bytes: Int64
        var refusals = 0
    }

    private static let accepted: FilePath = "accepted"
    private static let rejected: FilePath = "rejected"
    private let directory: any Directory
    private let limits: InboxLimits
    private let budget = Mutex<Budget?>(nil)

    /// - Parameter directory: the inbox the receipts belong to, which may be another than the one of the door.
    package init(_ directory: any Directory, limits: InboxLimits = InboxLimits()) {
        self.directory = directory
        self.limits = limits
    }

    /// The name an accepted file gets: `<seq>-<key>.<extension of the file>`, `json` if it has none.
    package static func acceptedName(seq: Int, key: String, file: FilePath.Component) -> String {
        let known = ["json", "yaml", "yml", "txt"]
        let ending = file.extension.flatMap { known.contains($0) ? $0 : nil } ?? "json"
        guard let component = FilePath.Component(key) else { return "\(seq).\(ending)" }
        return "\(seq)-\(InboxName.short(component)).\(ending)"
    }

    /// Makes the folder that the first answer is kept in before that comes: a tenth of what it takes to accept one.
    package func prepare() throws(StoreError) {
        try storing { () throws(FileSystemError) in
            _ = try directory.createDirectory(Self.accepted, permissions: Permissions.folder)
        }
    }

    /// Writes an accepted answer's exact bytes and its receipt. The bytes are written anew: whoever still has the
    /// dropped file open cannot change what is kept here.
    package func accept(as name: String, bytes: [UInt8], receipt: Receipt) throws(StoreError) {
        try storing { () throws(FileSystemError) in
            let path = Self.accepted.appending(name)
            try directory.project(Self.reason(path), with: receipt.json)
            try directory.project(path, with: bytes)
        }
    }

    /// Whether an accepted file and its receipt are there.
    package func hasAccepted(_ name: String) throws(StoreError) -> Bool {
        try storing { () throws(FileSystemError) in
            let path = Self.accepted.appending(name)
            guard try directory.status(path) != nil else { return false }
            return try directory.status(Self.reason(path)) != nil
        }
    }

    /// Whether no more rejected files are kept; somebody who asks counts one that is not.
    package func isFull() -> Bool {
        budget.withLock { budget in
            guard let known = budget, known.files >= limits.keptRejects, known.refusals < Self.recount else {
                return false
            }
            budget?.refusals += 1
            return true
        }
    }

    /// Moves a claimed file to `rejected/`, whatever it is, with its receipt; beyond the cap it is removed.
    package func reject(_ file: ClaimedFile, of door: InboxDoor, receipt: Receipt) throws(StoreError) -> Kept {
        try storing { () throws(FileSystemError) in
            let json = receipt.json
            let size = max(file.status.size, 0)
            let fits = try reserve(size + Int64(json.count))
            let isKept = fits ? true : try reserve(Int64(json.count))
            if isKept {
                _ = try directory.createDirectory(Self.rejected, permissions: Permissions.folder)
                for name in Self.rejectedNames(file, seq: receipt.seq, limit: limits.keptRejects) {
                    let path = Self.rejected.appending(name)
                    guard try isFree(path) else { continue }
                    try directory.replace(Self.reason(path), with: json, durability: .relaxed)
                    if !fits {
                        try door.discard(file)
                        return .receiptOnly(path)
                    }
                    if try move(file, of: door, to: path) { return .kept(path) }
                }
            }
            try door.discard(file)
            return .counted
        }
    }

    /// Whether a name is free for a rejected file and its receipt. A receipt without its file is what a crash
    /// left of this very rejection, unless it is itself a rejected file of that name, with its own receipt.
    private func isFree(_ path: FilePath) throws(FileSystemError) -> Bool {
        if try directory.status(path) != nil { return false }
        return try directory.status(Self.reason(Self.reason(path))) == nil
    }

    private func move(_ file: ClaimedFile, of door: InboxDoor, to path: FilePath) throws(FileSystemError) -> Bool {
        do throws(FileSystemError) {
            try door.directory.rename(door.claimedPath(file), to: path, in: directory, replacing: false)
            return true
        } catch  where error.code == .exists {
            return false
        }
    }

    private static func reason(_ path: FilePath) -> FilePath {
        path.removingLastComponent().appending((path.lastComponent?.string ?? "") + ".reason.json")
    }

    /// Names to try, the most readable first.
    private static func rejectedNames(_ file: ClaimedFile, seq: Int?, limit: Int) -> some Sequence<String> {
        let name = InboxName.short(file.name)
        let first = seq.map { "\($0)-\(name)" } ?? name
        return (0...limit).lazy.map { $0 == 0 ? first : "\($0)-\(first)" }
    }

    /// Takes room for one more rejected file; false if there is none.
    private func reserve(_ size: Int64) throws(FileSystemError) -> Bool {
        try budget.withLock { (budget) throws(FileSystemError) in
            var known: Budget
            if let counted = budget, counted.refusals < Self.recount {
                known = counted
            } else {
                known = try count()
            }
            let fits = known.files < limits.keptRejects && known.bytes + size <= limits.keptRejectBytes
            if fits {
                known.files += 1
                known.bytes += size
            } else {
                known.refusals += 1
            }
            budget = known
            return fits
        }
    }

    private func count() throws(FileSystemError) -> Budget {
        var budget = Budget(files: 0, bytes: 0)
        guard let listing = try directory.listing(Self.rejected) else { return budget }
        while true {
            let batch = try listing.next(limit: 1_024)
            if batch.isEmpty { return budget }
            for entry in batch {
                guard let status = try directory.status(Self.rejected.appending(entry.name)) else { continue }
                budget.bytes += status.size
                if !entry.name.string.hasSuffix(".reason.json") { budget.files += 1 }
            }
        }
    }
}
