internal import CLinux
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import WaybillPorts

/// An open file of the machine.
final class LocalFile: File {
    private let place: LocalPlace
    /// Negative once closed, so that a late call meets EBADF instead of somebody else's file.
    private let descriptor: Atomic<CInt>
    private let isLocked = Atomic<Bool>(false)

    init(owning descriptor: CInt, _ place: LocalPlace) {
        self.descriptor = Atomic(descriptor)
        self.place = place
    }

    deinit { close() }

    var path: FilePath { place.path }

    func close() {
        let closing = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        guard closing >= 0 else { return }
        // A child that is between its birth and its program has a copy of the descriptor, which would keep the lock.
        if isLocked.load(ordering: .acquiring) { _ = wb_unlock(closing) }
        _ = Glibc.close(closing)
    }

    private var open: CInt { descriptor.load(ordering: .acquiring) }

    private func check(_ result: Int, _ operation: String) throws(FileSystemError) -> Int {
        if result < 0 { throw FileSystemError(errno: Errno(rawValue: errno), operation, path) }
        return result
    }

    /// For calls that answer -errno themselves.
    private func check(negated result: CInt, _ operation: String) throws(FileSystemError) {
        if result < 0 { throw FileSystemError(errno: Errno(rawValue: -result), operation, path) }
    }

    func status() throws(FileSystemError) -> FileStatus {
        var status = stat()
        _ = try check(Int(fstat(open, &status)), "inspect")
        return FileStatus(status)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int {
        guard let base = buffer.baseAddress, !buffer.isEmpty else { return 0 }
        return try check(pread(open, base, buffer.count, off_t(offset)), "read")
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return 0 }
        return try check(pwrite(open, base, bytes.count, off_t(offset)), "write")
    }

    func truncate(to length: Int64) throws(FileSystemError) {
        _ = try check(Int(ftruncate(open, off_t(length))), "cut")
    }

    func allocate(_ length: Int64) throws(FileSystemError) {
        try check(negated: -posix_fallocate(open, 0, off_t(length)), "take room for")
    }

    func beginSynchronizing() { wb_begin_sync(open) }

    func synchronize() throws(FileSystemError) {
        _ = try check(Int(fdatasync(open)), "sync")
    }

    func lock() throws(FileSystemError) {
        let result = wb_lock(open)
        guard result < 0 else { return isLocked.store(true, ordering: .releasing) }
        let error = Errno(rawValue: -result)
        guard error == .wouldBlock else { throw FileSystemError(errno: error, "lock", path) }
        let owner = try KernelLocks.owner(of: try status())
        throw FileSystemError(.locked, "lock", path, owner: owner)
    }

    func unlock() throws(FileSystemError) { try check(negated: wb_unlock(open), "unlock") }

    func whenUnlocked(_ body: @escaping @Sendable () -> Void) -> Bool {
        let thread = DedicatedThread(name: "lock") { [self] in
            // Should it fail, whoever asks for the lock next hears why.
            _ = wb_wait_unlocked(open)
            body()
        }
        // The kernel has no way to call it off: it ends with the process at the latest.
        thread?.detach()
        return thread != nil
    }

    func markPresence() throws(FileSystemError) { try check(negated: wb_mark_presence(open), "mark") }

    func hasPresence() throws(FileSystemError) -> Bool {
        let result = wb_has_presence(open)
        try check(negated: result, "ask")
        return result > 0
    }

    func clone(from source: any File) throws(FileSystemError) -> Bool {
        guard let source = source as? LocalFile else { return false }
        // Whatever the reason (another file system, one without shared blocks), copying still works.
        return wb_clone(open, source.open) == 0
    }

    /// For tests: a descriptor that a child would inherit keeps a lock alive after its owner.
    var isCloseOnExec: Bool { wb_is_close_on_exec(open) == 1 }
}
