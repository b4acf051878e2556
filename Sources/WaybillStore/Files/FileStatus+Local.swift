internal import Glibc
internal import WaybillCore
internal import WaybillPorts

extension FileStatus {
    init(_ status: stat) {
        self.init(
            kind: FileKind(mode: status.st_mode), size: Int64(status.st_size), linkCount: Int(status.st_nlink),
            userID: status.st_uid, groupID: status.st_gid, permissions: UInt16(status.st_mode & 0o7777),
            modified: Timestamp(status.st_mtim), changed: Timestamp(status.st_ctim),
            inode: UInt64(status.st_ino), device: UInt64(status.st_dev))
    }
}

extension FileKind {
    fileprivate init(mode: mode_t) {
        self =
            switch mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR, S_IFBLK: .device
            default: .unknown
            }
    }

    /// From `d_type` of a directory record.
    init(entryType: UInt8) {
        self =
            switch Int(entryType) {
            case Int(DT_REG): .file
            case Int(DT_DIR): .directory
            case Int(DT_LNK): .link
            case Int(DT_FIFO): .fifo
            case Int(DT_SOCK): .socket
            case Int(DT_CHR), Int(DT_BLK): .device
            default: .unknown
            }
    }
}

extension Timestamp {
    fileprivate init(_ time: timespec) {
        let (microseconds, overflowed) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000)
        self =
            overflowed
            ? (time.tv_sec < 0 ? .earliest : .latest)
            : Timestamp(microseconds: microseconds &+ Int64(time.tv_nsec) / 1_000)
    }
}
