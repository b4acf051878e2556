internal import Glibc
internal import Synchronization
package import SystemPackage
package import WaybillExpressions
internal import WaybillPorts

/// The time zones of the machine, read from its compiled files when they are first asked for, and again when the files
/// have changed: a daemon runs for longer than governments keep their clocks.
///
/// UTC is known without any file.
package final class SystemZones: TimeZoneSource {
    /// Where a machine keeps its zones if the environment does not say.
    package static let defaultFolder: FilePath = "/usr/share/zoneinfo"
    /// No file of a zone comes near it.
    private static let maximumSize = 1 << 20
    /// There are some 600 names.
    private static let maximumZones = 1_000

    private struct Entry {
        var stamp: Stamp
        var zone: ZoneFile?
    }

    /// Changes when a file is replaced or written.
    private struct Stamp: Equatable {
        var device, inode: UInt64
        var size, seconds, nanoseconds: Int
    }

    private let folder: FilePath
    private let entries = Mutex<[String: Entry]>([:])

    /// - Parameter folder: nil for what `TZDIR` names in the environment, or else the usual place.
    package init(folder: FilePath? = nil) {
        let named = getenv("TZDIR").map { FilePath(String(cString: $0)) }
        self.folder = folder ?? named.flatMap { $0.isAbsolute ? $0 : nil } ?? Self.defaultFolder
    }

    package var lack: String? {
        let isThere = folder.withPlatformString { access($0, R_OK | X_OK) } == 0
        return isThere ? nil : "this machine has no time-zone files in \(folder); install tzdata, or set TZDIR"
    }

    /// Links are followed: many names of zones are links to others.
    package func file(zone: String) -> ZoneFile? {
        if let universal = UniversalTime().file(zone: zone) { return universal }
        guard ZoneFiles.isName(zone) else { return nil }
        let path = folder.appending(zone)
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        let stamp = Stamp(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int(status.st_size),
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        if let known = entries.withLock({ $0[zone] }), known.stamp == stamp { return known.zone }
        let read = Self.read(path).flatMap { ZoneFile(tzif: $0) }
        entries.withLock { entries in
            if entries.count >= Self.maximumZones { entries.removeAll() }
            entries[zone] = Entry(stamp: stamp, zone: read)
        }
        return read
    }

    private static func read(_ path: FilePath) -> [UInt8]? {
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        let file = LocalFile(owning: descriptor, LocalPlace(path))
        defer { file.close() }
        return try? file.readAll(limit: maximumSize)
    }
}
