import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// What Waybill needs of the machine.
struct MachineChecks {
    /// Below this a tree with many waiting runs falls back to scans.
    private static let fewWatches = 8_192
    private static let fewFiles: UInt64 = 1_024
    /// Bytes; a run that cannot write its outcome stops.
    private static let littleSpace: UInt64 = 256 << 20

    let tree: Tree

    var all: [Check] { [fileSystem, space, watches, openFiles, clock] }

    private var fileSystem: Check {
        do {
            let type = try tree.root.fileSystemType()
            if type.isSuitable { return .fine("files", "the tree is on \(type.name)") }
            return .wrong(
                "files", "the tree is on \(type.name), which does not keep what Waybill promises",
                hint: "move it to a local file system such as ext4, xfs or btrfs")
        } catch {
            return .wrong("files", error.description)
        }
    }

    private var space: Check {
        var status = statvfs()
        guard statvfs(tree.layout.runs.string, &status) == 0 else { return .note("space", "the free space is unknown") }
        let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        let text = "\(free >> 20) MiB free for runs"
        if free < Self.littleSpace || (status.f_files > 0 && status.f_favail < 1_000) {
            return .wrong("space", "\(text), \(status.f_favail) files", hint: "make room before steps need it")
        }
        return .fine("space", text)
    }

    private var watches: Check {
        guard let watches = Self.number("/proc/sys/fs/inotify/max_user_watches"),
            let instances = Self.number("/proc/sys/fs/inotify/max_user_instances")
        else { return .note("inotify", "its limits are unknown; changes are found by scans, every 30 s") }
        let text = "\(watches) watches, \(instances) watchers"
        if watches < Self.fewWatches || instances < 16 {
            return .note(
                "inotify", "\(text): answers to many waiting runs are found by scans, every 30 s",
                hint: "raise fs.inotify.max_user_watches and max_user_instances with sysctl")
        }
        return .fine("inotify", text)
    }

    private var openFiles: Check {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return .note("descriptors", "the limit of open files is unknown")
        }
        let text = "at most \(limit.rlim_cur) open files"
        if limit.rlim_cur < Self.fewFiles {
            return .note("descriptors", text, hint: "raise it with ulimit -n for many runs at once")
        }
        return .fine("descriptors", text)
    }

    private var clock: Check {
        let now = tree.clock.now()
        let newest = try? tree.journal.newestTime()
        guard let newest, newest > now + .seconds(2) else { return .fine("clock", "\(Text.time(now.description))") }
        return .wrong(
            "clock", "it is \(Text.span(newest - now)) behind the newest entry of the journal",
            hint: "set it right; entries are dated no earlier than the one above, and deadlines will come late")
    }

    private static func number(_ path: String) -> Int? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = fread(&buffer, 1, buffer.count, file)
        return Int(String(decoding: buffer[..<count].filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}

extension JournalStore {
    /// When the last entry was written; nil without one.
    func newestTime() throws(StoreError) -> Timestamp? {
        let end = try read(from: .beginning) { _ in }
        return end.head.seq > 0 ? end.head.ts : nil
    }
}
