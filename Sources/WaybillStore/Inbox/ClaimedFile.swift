package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// A file that was taken out of an inbox, judged by what it is before anything is judged by what it says.
package struct ClaimedFile: Sendable {
    package enum Content: Hashable, Sendable {
        /// What was read, once; all later judgement is on these bytes.
        case bytes([UInt8], sha256: Digest)
        /// What it is forbids reading it.
        case refused(Refusal)
    }

    package struct Refusal: Hashable, Sendable {
        package enum Kind: String, Sendable {
            case type
            case size
        }
        package var kind: Kind
        package var message: String
    }

    /// The name it was dropped under.
    package var name: FilePath.Component
    /// Its name in `.claimed/`.
    package var claimedName: FilePath.Component
    package var content: Content
    /// Owner, mode and size at the time of reading, by the descriptor that was read through.
    package var status: FileStatus
    /// The owner's name, if the machine knows one.
    package var user: String?
    /// When content or name last changed before the claim, by the kernel's clock; what deadlines count.
    package var changed: Timestamp
    /// Whether it was found claimed: an earlier claim may have got as far as an entry.
    package var isLeftover = false

    /// The name as receipts spell it: no control characters, always UTF-8.
    package var escapedName: String { Self.escaped(name) }
    package static func escaped(_ name: FilePath.Component) -> String { InboxName.escaped(name) }
    package var bytes: [UInt8]? { if case .bytes(let bytes, _) = content { bytes } else { nil } }
    package var sha256: Digest? { if case .bytes(_, let digest) = content { digest } else { nil } }
    package var refusal: Refusal? { if case .refused(let refusal) = content { refusal } else { nil } }
}

/// A name that a scan found.
package struct InboxCandidate: Hashable, Sendable {
    package var name: FilePath.Component
    /// When it may be claimed: in the past for most, up to a second ahead for a file that may still be written.
    package var readyAt: Timestamp
}

package struct InboxLimits: Hashable, Sendable {
    /// The largest file that is read, in bytes.
    package var fileSize: Int
    /// How long a file found by a scan must be unchanged.
    package var quietTime: Duration
    /// How many rejected files are kept, and how many bytes they may have together.
    package var keptRejects: Int
    package var keptRejectBytes: Int64

    package init(
        fileSize: Int = 1 << 20, quietTime: Duration = .seconds(1), keptRejects: Int = 1_000,
        keptRejectBytes: Int64 = 64 << 20
    ) {
        self.fileSize = fileSize
        self.quietTime = quietTime
        self.keptRejects = keptRejects
        self.keptRejectBytes = keptRejectBytes
    }
}
