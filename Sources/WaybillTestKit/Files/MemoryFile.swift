internal import Synchronization
internal import SystemPackage
internal import WaybillPorts

/// An open file of a `MemoryFileSystem`.
final class MemoryFile: File {
    private let system: MemoryFileSystem
    private let node: Int
    private let handle: Int
    private let lifetime: Int
    private let isClosed = Atomic(false)
    let path: FilePath

    init(_ system: MemoryFileSystem, node: Int, handle: Int, lifetime: Int, path: FilePath) {
        self.system = system
        self.node = node
        self.handle = handle
        self.lifetime = lifetime
        self.path = path
    }

    deinit { close() }

    func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        system.state.withLock { volume in
            guard volume.lifetime == lifetime else { return }
            if volume.nodes[node]?.lockHolder == handle { volume.nodes[node]?.lockHolder = nil }
            volume.nodes[node]?.presences.remove(handle)
        }
    }

    private func perform<Result: Sendable>(
        _ kind: MemoryFileSystem.Operation.Kind,
        _ body: (inout MemoryVolume, Int) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        if isClosed.load(ordering: .acquiring) { throw FileSystemError(.closed, kind.rawValue, path) }
        return try system.state.withLock { (volume) throws(FileSystemError) in
            try volume.check(lifetime, path)
            let limit = try volume.step(kind, path)
            return try body(&volume, limit)
        }
    }

    func status() throws(FileSystemError) -> FileStatus {
        try perform(.status) { (volume, _) throws(FileSystemError) in
            guard let status = volume.status(self.node) else { throw FileSystemError(.closed, "inspect", self.path) }
            return status
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int {
        nonisolated(unsafe) let buffer = buffer
        return try perform(.read) { (volume, limit) throws(FileSystemError) in
            guard let found = volume.nodes[self.node], found.kind != .directory else {
                throw FileSystemError(.wrongKind, "read", self.path)
            }
            guard offset < Int64(found.content.count) else { return 0 }
            let count = min(buffer.count, found.content.count - Int(offset), max(limit, 1))
            buffer.copyBytes(from: found.content[Int(offset)..<Int(offset) + count])
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int {
        nonisolated(unsafe) let bytes = bytes
        return try perform(.write) { (volume, limit) throws(FileSystemError) in
            let count = min(bytes.count, limit)
            let now = volume.now
            volume.nodes[self.node]?.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: Int(offset), now: now)
            return count
        }
    }

    func truncate(to length: Int64) throws(FileSystemError) {
        try perform(.cut) { (volume, _) throws(FileSystemError) in
            let now = volume.now
            volume.nodes[self.node]?.truncate(to: Int(length), now: now)
        }
    }

    func synchronize() throws(FileSystemError) {
        do throws(FileSystemError) {
            try perform(.sync) { (volume, _) throws(FileSystemError) in volume.nodes[self.node]?.synchronize() }
        } catch {
            system.state.withLock { volume in
                if volume.lifetime == lifetime { volume.nodes[node]?.failSynchronize() }
            }
            throw error
        }
    }

    func lock() throws(FileSystemError) {
        try perform(.lock) { (volume, _) throws(FileSystemError) in
            if let holder = volume.nodes[self.node]?.lockHolder, holder != self.handle {
                let owner = LockOwner(processID: Int32(holder), command: "handle")
                throw FileSystemError(.locked, "lock", self.path, owner: owner)
            }
            volume.nodes[self.node]?.lockHolder = self.handle
        }
    }

    func unlock() throws(FileSystemError) {
        try perform(.unlock) { (volume, _) throws(FileSystemError) in
            if volume.nodes[self.node]?.lockHolder == self.handle { volume.nodes[self.node]?.lockHolder = nil }
        }
    }

    func markPresence() throws(FileSystemError) {
        try perform(.mark) { (volume, _) throws(FileSystemError) in
            _ = volume.nodes[self.node]?.presences.insert(self.handle)
        }
    }

    func hasPresence() throws(FileSystemError) -> Bool {
        try perform(.mark) { (volume, _) throws(FileSystemError) in
            volume.nodes[self.node]?.presences.contains { $0 != self.handle } ?? false
        }
    }

    func clone(from source: any File) throws(FileSystemError) -> Bool {
        guard let source = source as? MemoryFile, source.system === system else { return false }
        return try perform(.clone) { (volume, _) throws(FileSystemError) in
            guard let content = volume.nodes[source.node]?.content else { return false }
            let now = volume.now
            volume.nodes[self.node]?.share(content, now: now)
            return true
        }
    }
}
