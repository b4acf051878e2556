import CLinux
import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts

/// What identifies a running program in its attempt's folder: the lock that its monitor holds, with its identity. When
/// the program is over, the file becomes the one with the outcome.
struct AttemptFiles: Sendable {
    let exitFile: FilePath

    var folder: FilePath { exitFile.removingLastComponent() }
    var exitName: String { exitFile.lastComponent?.string ?? "" }
    var lock: FilePath { folder.appending(WB_MONITOR_LOCK) }

    /// Who has an attempt, as its monitor wrote it before it started the program.
    struct Identity: Sendable {
        /// The monitor's process number, of any worth only while its lock is held.
        var monitor: Int32
        /// What tells this attempt from others of the same monitor.
        var token: UInt32
        var mark: ProcessMark?
        /// Of the boot that it ran under.
        var boot: String
        /// Whether this is a copy, of a tree that was backed up: what it names is another tree's, and may live.
        var isCopy: Bool
    }

    /// The lock, held by this process until its last copy is closed, wherever that is.
    ///
    /// - Returns: also whether it was there before: somebody prepared this attempt, and did not begin it.
    /// - Throws: `log` if the attempt was begun.
    func claim() throws(LaunchError) -> (lock: OwnedDescriptor, wasPrepared: Bool) {
        let wasPrepared = access(lock.string, F_OK) == 0
        let number = open(lock.string, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw LaunchError.file(errno, "lock", lock) }
        let file = try OwnedDescriptor(number, "lock")
        var status = stat()
        guard wb_lock(number) == 0, fstat(number, &status) == 0, status.st_size == 0 else {
            throw LaunchError(code: .log, message: "\(folder): this attempt was begun before", path: lock)
        }
        return (file, wasPrepared)
    }

    /// The lock's file, to look at; nil if it is missing.
    func openLock() throws(LaunchError) -> sending OwnedDescriptor? {
        let number = open(lock.string, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        if number < 0, errno == ENOENT { return nil }
        return try OwnedDescriptor(number, "cannot look at \(lock)")
    }

    /// Whether a monitor that is gone, or about to be, came so far that the program may have run.
    func wasBegun() -> Bool {
        // What cannot be read must not make a step run twice.
        guard let lock = try? openLock() else { return true }
        _ = wb_wait_unlocked(lock.number)
        return Self.wasBegun(lock)
    }

    /// A monitor writes to its lock before it begins, and empties it when it could not. What it wrote last may be the
    /// outcome, or have been lost with the power.
    static func wasBegun(_ lock: OwnedDescriptor) -> Bool {
        var status = stat()
        return fstat(lock.number, &status) != 0 || status.st_size > 0
    }

    /// Removes the lock of an attempt that never began.
    func remove() { unlink(lock.string) }

    /// Nil if the monitor did not come as far.
    static func identity(in lock: OwnedDescriptor) -> Identity? {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = pread(lock.number, &bytes, bytes.count, 0)
        guard count > 0, let record = try? JSON.parse(Array(bytes[..<count])),
            let monitor = record["monitor"]?.intValue.flatMap({ Int32(exactly: $0) }),
            let token = record["token"]?.intValue.flatMap({ UInt32(exactly: $0) }),
            let tag = record["tag"]?.stringValue.flatMap({ UInt64($0, radix: 16) }),
            let mask = record["mask"]?.stringValue.flatMap({ UInt64($0, radix: 16) })
        else { return nil }
        let ticks = record["startTicks"]?.intValue.flatMap { UInt64(exactly: $0) } ?? 0
        return Identity(
            monitor: monitor, token: token, mark: ProcessMark(value: tag, mask: mask, notBefore: ticks),
            boot: record["boot"]?.stringValue ?? "", isCopy: isCopy(record, lock))
    }

    private static func isCopy(_ record: Value, _ lock: OwnedDescriptor) -> Bool {
        // One that was written before monitors said so is taken at its word.
        guard let device = record["device"]?.intValue, let inode = record["inode"]?.intValue else { return false }
        var status = stat()
        return fstat(lock.number, &status) != 0 || UInt64(status.st_dev) != UInt64(bitPattern: device)
            || UInt64(status.st_ino) != UInt64(bitPattern: inode)
    }

    /// The outcome, if there is one.
    func outcome() -> ProcessOutcome? {
        let number = open(exitFile.string, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else { return nil }
        defer { close(number) }
        return Self.outcome(in: number)
    }

    /// Gives the outcome its name where the monitor was killed just before it did.
    /// - Parameter lock: free.
    func finish(_ lock: OwnedDescriptor) {
        guard Self.outcome(in: lock.number) != nil else { return }
        // Where the monitor lived to do it, there is nothing of the lock's name any more.
        _ = wb_rename_new(AT_FDCWD, self.lock.string, AT_FDCWD, exitFile.string)
    }

    private static func outcome(in file: Int32) -> ProcessOutcome? {
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count > 0, let record = try? JSON.parse(Array(bytes[..<count])) else { return nil }
        return try? ProcessOutcome(record: record)
    }
}
