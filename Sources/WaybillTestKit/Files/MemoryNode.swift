internal import WaybillCore
internal import WaybillPorts

/// A file or folder in memory, with what is known to be durable kept apart from what is visible.
struct MemoryNode: Sendable {
    var kind: FileKind
    var permissions: UInt16
    var userID: UInt32 = 1_000
    var groupID: UInt32 = 1_000
    var modified: Timestamp
    var changed: Timestamp
    /// How many names it has, as running processes see it.
    var linkCount = 0
    /// The name it got last.
    var place: (folder: Int, name: MemoryName)?
    /// A folder's names, visible and durable.
    var entries: [MemoryName: Int] = [:]
    var durableEntries: [MemoryName: Int] = [:]

    private(set) var content: [UInt8] = []
    private var durable = Durable.prefix(0)
    /// Where the content starts that a failed sync threw away; no later sync brings it back.
    private var lostFrom: Int?
    /// Where it ended then: who writes all of it again makes it worth another sync.
    private var lostTo = 0

    /// The handle that has the exclusive lock, and those that mark presence.
    var lockHolder: Int?
    var presences: Set<Int> = []

    /// Most files only grow: then what is durable is a prefix of what is visible, and needs no copy.
    private enum Durable: Sendable {
        case prefix(Int)
        case copy([UInt8])
    }

    init(kind: FileKind, permissions: UInt16, now: Timestamp) {
        self.kind = kind
        self.permissions = permissions
        modified = now
        changed = now
    }

    var durableContent: [UInt8] {
        switch durable {
        case .prefix(let length): Array(content.prefix(length))
        case .copy(let bytes): bytes
        }
    }

    /// All of the content, if a crash would keep it.
    var durableIfAll: [UInt8]? { isContentSynced && lostFrom == nil ? content : nil }

    var isContentSynced: Bool {
        if case .prefix(content.count) = durable { true } else { false }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int, now: Timestamp) {
        keepDurable(below: offset)
        if offset > content.count { content += [UInt8](repeating: 0, count: offset - content.count) }
        let overlap = min(bytes.count, content.count - offset)
        content.replaceSubrange(offset..<offset + overlap, with: bytes)
        if let lost = lostFrom, offset <= lost, offset + bytes.count >= lostTo { lostFrom = nil }
        modified = now
        changed = now
    }

    mutating func truncate(to length: Int, now: Timestamp) {
        keepDurable(below: length)
        if length > content.count {
            content += [UInt8](repeating: 0, count: length - content.count)
        } else {
            content.removeLast(content.count - length)
        }
        if let lost = lostFrom, length <= lost { lostFrom = nil }
        modified = now
        changed = now
    }

    mutating func share(_ bytes: [UInt8], now: Timestamp) {
        keepDurable(below: 0)
        content = bytes
        modified = now
        changed = now
    }

    /// Before bytes from `offset` on change, what is durable of them is set aside.
    private mutating func keepDurable(below offset: Int) {
        if case .prefix(let length) = durable, offset < length {
            durable = .copy(Array(content.prefix(length)))
        }
    }

    mutating func synchronize() {
        if let lostFrom {
            if case .copy = durable { return }
            durable = .prefix(min(lostFrom, content.count))
        } else {
            durable = .prefix(content.count)
        }
    }

    mutating func failSynchronize() {
        lostTo = content.count
        if lostFrom == nil {
            if case .prefix(let length) = durable { lostFrom = length } else { lostFrom = 0 }
        }
    }

    /// What a crash leaves of the content.
    mutating func crash(_ survival: MemoryFileSystem.Survival) {
        lockHolder = nil
        presences = []
        switch (survival, durable) {
        case (.lost, _): content = durableContent
        case (.torn(let length), .prefix(let synced)) where lostFrom == nil:
            content = Array(content.prefix(max(length, synced)))
        default: if lostFrom != nil { content = durableContent }
        }
        durable = .prefix(content.count)
        lostFrom = nil
    }

    /// Lengths of what is durable and what is visible.
    var lengths: (synced: Int, live: Int) {
        switch durable {
        case .prefix(let length): (length, content.count)
        case .copy(let bytes): (bytes.count, content.count)
        }
    }
}
