internal import Glibc
internal import SystemPackage
internal import WaybillPorts

/// Who holds a `flock`, read from `/proc/locks` (proc(5)).
enum KernelLocks {
    /// As much of `/proc/locks` as is looked at; a line has about 60 bytes.
    private static let maximumBytes = 4 << 20

    /// The process that holds the lock on a file; without a process id if the kernel does not show it here.
    static func owner(of status: FileStatus) throws(FileSystemError) -> LockOwner {
        guard let text = read("/proc/locks", limit: maximumBytes) else {
            return LockOwner(processID: nil, command: nil)
        }
        // "1: FLOCK  ADVISORY  WRITE 2731 fe:00:131090 0 EOF": the file is device major:minor in hexadecimal
        // and the inode in decimal. Lines with "->" wait for a lock and have one column more.
        let device = status.device
        let major = (device >> 8) & 0xFFF | (device >> 32) & 0xFFFF_F000
        let minor = device & 0xFF | (device >> 12) & 0xFFFF_FF00
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 6, fields[1] == "FLOCK" else { continue }
            let place = fields[5].split(separator: ":")
            guard place.count == 3, UInt64(place[0], radix: 16) == major, UInt64(place[1], radix: 16) == minor,
                UInt64(place[2]) == status.inode, let processID = Int32(fields[4]), processID > 0
            else { continue }
            return LockOwner(processID: processID, command: command(of: processID))
        }
        return LockOwner(processID: nil, command: nil)
    }

    private static func command(of processID: Int32) -> String? {
        guard let text = read("/proc/\(processID)/comm", limit: 64) else { return nil }
        return String(text.prefix { $0 != "\n" })
    }

    /// Kernel files have no length, so they are read until they end.
    private static func read(_ path: String, limit: Int) -> String? {
        guard let descriptor = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else {
            return nil
        }
        defer { try? descriptor.close() }
        var bytes: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 8)
        defer { chunk.deallocate() }
        while bytes.count < limit, let count = try? descriptor.read(into: chunk), count > 0 {
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
