package import SystemPackage
package import WaybillCore

/// What a directory entry is, without following links.
package enum FileKind: String, Hashable, Sendable {
    case file
    case directory
    case link
    case fifo
    case socket
    case device
    case unknown
}

/// What `stat` knows of a file, a link itself and not what it points to.
package struct FileStatus: Hashable, Sendable {
    package var kind: FileKind
    package var size: Int64
    /// How many names the file has.
    package var linkCount: Int
    package var userID: UInt32
    package var groupID: UInt32
    /// The lower twelve bits of the mode.
    package var permissions: UInt16
    /// When the content was last written; its owner can set it to anything.
    package var modified: Timestamp
    /// When content, name or mode last changed; only the kernel sets it, from the system's clock.
    package var changed: Timestamp
    /// With `device`, what the file is, whatever it is called.
    package var inode: UInt64
    package var device: UInt64

    package init(
        kind: FileKind, size: Int64, linkCount: Int, userID: UInt32, groupID: UInt32, permissions: UInt16,
        modified: Timestamp, changed: Timestamp, inode: UInt64, device: UInt64
    ) {
        self.kind = kind
        self.size = size
        self.linkCount = linkCount
        self.userID = userID
        self.groupID = groupID
        self.permissions = permissions
        self.modified = modified
        self.changed = changed
        self.inode = inode
        self.device = device
    }

    /// Whether both describe the same file, even under other names.
    package func isSameFile(as other: FileStatus) -> Bool { inode == other.inode && device == other.device }
}

/// One name in a folder. Names are bytes: not all are UTF-8.
package struct DirectoryEntry: Hashable, Sendable {
    package var name: FilePath.Component
    /// `.unknown` where the file system does not say it in the listing.
    package var kind: FileKind

    package init(name: FilePath.Component, kind: FileKind) {
        self.name = name
        self.kind = kind
    }
}

/// Who holds a lock, as far as the kernel tells.
package struct LockOwner: Hashable, Sendable, CustomStringConvertible {
    /// Nil when the owner is in another process-id namespace.
    package var processID: Int32?
    /// The command's name; nil when it cannot be read.
    package var command: String?

    package init(processID: Int32?, command: String?) {
        self.processID = processID
        self.command = command
    }

    package var description: String {
        switch (processID, command) {
        case (let processID?, let command?): "process \(processID) (\(command))"
        case (let processID?, nil): "process \(processID)"
        case (nil, _): "another process"
        }
    }
}

/// The kind of file system a folder is on.
package struct FileSystemType: Hashable, Sendable {
    /// As `mount` spells it where it is known ("ext4", "nfs"), else the magic number in hexadecimal.
    package var name: String
    /// Whether locks, renames and syncs are known to mean on it what Waybill's promises need.
    package var isSuitable: Bool

    package init(name: String, isSuitable: Bool) {
        self.name = name
        self.isSuitable = isSuitable
    }
}

/// Permission bits of what Waybill makes.
package enum Permissions {
    package static let folder: UInt16 = 0o700
    package static let file: UInt16 = 0o600
    package static let script: UInt16 = 0o700
}
