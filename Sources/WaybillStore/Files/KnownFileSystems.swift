internal import WaybillPorts

/// File systems by the magic number of statfs(2). What is not listed as suitable is refused by name: a lock
/// that two hosts both get, or a rename that is no commit, would break promises silently.
enum KnownFileSystems {
    private static let suitable: [UInt64: String] = [
        0xEF53: "ext4",
        0x5846_5342: "xfs",
        0x9123_683E: "btrfs",
        0x2FC1_2FC1: "zfs",
        0xF2F5_2010: "f2fs",
        0xCA45_1A4E: "bcachefs",
        0x0102_1994: "tmpfs",
        0x8584_58F6: "ramfs",
        0x794C_7630: "overlay",
        0x5265_4973: "reiserfs",
        0x3153_464A: "jfs",
    ]

    private static let unsuitable: [UInt64: String] = [
        0x6969: "nfs",
        0x517B: "smb",
        0xFE53_4D42: "smb2",
        0xFF53_4D42: "cifs",
        0x6573_5546: "fuse",
        0x0102_1997: "9p",
        0x00C3_6400: "ceph",
        0x5346_414F: "afs",
        0x0BD0_0BD0: "lustre",
        0x4750_4653: "gpfs",
        0x7461_636F: "ocfs2",
        0x0116_1970: "gfs2",
        0x1983_0326: "fhgfs",
        0x7371_7368: "squashfs",
        0x9660: "iso9660",
        0x4D44: "vfat",
        0x2011_BAB0: "exfat",
        0x5346_544E: "ntfs",
        0x7366_746E: "ntfs3",
        0x786F_4256: "vboxsf",
        0x7375_7245: "coda",
        0x2003_0528: "orangefs",
        0xAAD7_AAEA: "panfs",
        0x564C: "ncp",
        0xF15F: "ecryptfs",
        0xE0F5_E1E2: "erofs",
        0x28CD_3D45: "cramfs",
        0x9FA0: "proc",
        0x6265_6572: "sysfs",
        0x0027_E0EB: "cgroup",
        0x6367_7270: "cgroup2",
        0x9584_58F6: "hugetlbfs",
    ]

    static func type(magic: UInt64) -> FileSystemType {
        if let name = suitable[magic] { return FileSystemType(name: name, isSuitable: true) }
        let name = unsuitable[magic] ?? "0x" + String(magic, radix: 16)
        return FileSystemType(name: name, isSuitable: false)
    }
}
