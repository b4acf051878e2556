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
    private let hasWritten = Atomic(false)
    private let directory: MemoryDirectory
    private let relative: FilePath
    /// Put together when it is asked for.
    var path: FilePath { directory.path.appending(relative.components) }

    init(
        _ system: MemoryFileSystem, node: Int, handle: Int, lifetime: Int, directory: MemoryDirectory,
        relative: FilePath
    ) {
        self.system = system
        self.node = node
        self.handle = handle
        self.lifetime = lifetime
        self.directory = directory
        self.relative = relative
    }

    deinit { close() }

    func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        system.disk.withVolume { volume in
            guard volume.lifetime == lifetime, !volume.dead.contains(system.process) else { return }
            volume.release(handle, of: node)
            if hasWritten.load(ordering: .relaxed) { volume.noteClosed(node) }
        }
    }

    private func perform<Result: Sendable>(
        _ kind: MemoryFileSystem.Operation.Kind,
        _ body: (inout MemoryVolume, Int) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        if isClosed.load(ordering: .acquiring) { throw FileSystemError(.closed, kind.rawValue, path) }
        return try system.disk.withVolume { (volume) throws(FileSystemError) in
            try volume.check(lifetime, system.process, path)
            let limit = system.isCounted ? try volume.step(kind, { self.path }, system.process) : .max
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
            self.hasWritten.store(true, ordering: .relaxed)
            if self.system.isCounted {
                volume.recordTorn(bytes, at: Int(offset), of: self.node, { self.path }, self.system.process)
            }
            volume.mutationCount += 1
            volume.nodes[self.node]?.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: Int(offset), now: now)
            return count
        }
    }

    func truncate(to length: Int64) throws(FileSystemError) {
        try perform(.cut) { (volume, _) throws(FileSystemError) in
            let now = volume.now
            volume.mutationCount += 1
            volume.nodes[self.node]?.truncate(to: Int(length), now: now)
        }
    }

    func allocate(_ length: Int64) throws(FileSystemError) {
        try perform(.allocate) { (volume, _) throws(FileSystemError) in
            let now = volume.now
            guard let size = volume.nodes[self.node]?.content.count, size < Int(length) else { return }
            volume.mutationCount += 1
            volume.nodes[self.node]?.truncate(to: Int(length), now: now)
        }
    }

    /// What a crash leaves of the file is not known before as after it.
    func beginSynchronizing() {}

    func synchronize() throws(FileSystemError) {
        do throws(FileSystemError) {
            try perform(.sync) { (volume, _) throws(FileSystemError) in volume.synchronize(file: self.node) }
        } catch {
            system.disk.withVolume { volume in
                // Whoever was killed before the disk was asked for anything has lost nothing of it.
                guard volume.lifetime == lifetime, !volume.dead.contains(system.process) else { return }
                volume.nodes[node]?.failSynchronize()
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
            volume.hold(self.handle, of: self.node, process: self.system.process)
        }
    }

    func unlock() throws(FileSystemError) {
        try perform(.unlock) { (volume, _) throws(FileSystemError) in
            volume.unlock(self.handle, of: self.node)
        }
    }

    /// In a world that has one thread nobody waits.
    func whenUnlocked(_: @escaping @Sendable () -> Void) -> Bool { false }

    func markPresence() throws(FileSystemError) {
        try perform(.mark) { (volume, _) throws(FileSystemError) in
            volume.attend(self.handle, of: self.node, process: self.system.process)
        }
    }

    func hasPresence() throws(FileSystemError) -> Bool {
        try perform(.mark) { (volume, _) throws(FileSystemError) in
            volume.nodes[self.node]?.presences.contains { $0 != self.handle } ?? false
        }
    }

    func clone(from source: any File) throws(FileSystemError) -> Bool {
        guard let source = source as? MemoryFile, source.system.disk === system.disk else { return false }
        return try perform(.clone) { (volume, _) throws(FileSystemError) in
            guard let content = volume.nodes[source.node]?.content else { return false }
            let now = volume.now
            volume.mutationCount += 1
            volume.nodes[self.node]?.share(content, now: now)
            return true
        }
    }
}
