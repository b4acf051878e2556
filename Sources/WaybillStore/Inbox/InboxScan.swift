internal import Synchronization
package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// One pass over an inbox, a slice at a time.
package final class InboxScan: Sendable {
    private let directory: any Directory
    private let listing: (any DirectoryListing)?
    private let quietTime: Duration

    init(directory: any Directory, listing: (any DirectoryListing)?, quietTime: Duration) {
        self.directory = directory
        self.listing = listing
        self.quietTime = quietTime
    }

    /// Looks at up to `limit` more names. Nil at the end; empty when none of them is a candidate.
    ///
    /// A file found by a scan may still be being written, so it is ready after a quiet second; a name that a
    /// notification brought (moved in, closed after writing) is claimed at once, without asking here. The kernel's
    /// change time counts, which nobody can set. If it is ahead of `now`, the clock was set back, and waiting for
    /// it could take years: such a file is ready.
    ///
    /// - Parameter isWanted: the other names are passed over without a look.
    package func next(
        limit: Int, now: Timestamp, where isWanted: (FilePath.Component) -> Bool = { _ in true }
    ) throws(FileSystemError) -> [InboxCandidate]? {
        let entries = try listing?.next(limit: limit) ?? []
        if entries.isEmpty { return nil }
        var candidates: [InboxCandidate] = []
        for entry in entries where !InboxName.isIgnored(entry.name) && isWanted(entry.name) {
            guard let status = try directory.status(FilePath(root: nil, [entry.name])) else { continue }
            let isAhead = status.changed > now + quietTime
            let isInstant = status.kind != .file || isAhead
            candidates.append(
                InboxCandidate(name: entry.name, readyAt: isInstant ? now : status.changed + quietTime))
        }
        return candidates
    }
}
