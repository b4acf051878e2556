import CLinux
import Glibc

/// The mark that everything a program starts carries, so that it can be found when the monitor that owned it is gone.
///
/// The mark is the resource limit `RLIMIT_LOCKS`, which Linux has kept without a meaning since 2.4.25 (`setrlimit(2)`):
/// children inherit it, `exec` keeps it, reading it takes one system call, and a program that loses it must do so
/// on purpose. A limit may only be lowered, and a step may itself run Waybill; therefore a mark has three parts, those
/// of deeper levels being all ones in the mark of a higher one (`wb_make_tag`). So what an inner Waybill left is found
/// by the outer one's mark.
struct ProcessMark: Hashable, Sendable {
    private let value: UInt64
    /// The bits that this level and those above it decide.
    private let mask: UInt64
    /// Processes that started earlier, in clock ticks since the boot, are somebody else's, whatever they carry.
    private let notBefore: UInt64

    private static let mostPasses = 64
    private static let patienceMilliseconds: Int32 = 5_000

    /// Nil if the program has none: it is the fourth Waybill within another.
    init?(value: UInt64, mask: UInt64, notBefore: UInt64) {
        guard mask != 0 else { return nil }
        self.value = value
        self.mask = mask
        self.notBefore = notBefore
    }

    /// Whether a process with this limit belongs to this mark.
    func covers(_ limit: UInt64) -> Bool { limit & mask == value & mask }

    /// Kills all that carry the mark, and waits until they are gone.
    ///
    /// - Returns: false if one of them could not be killed within seconds.
    func sweep() -> Bool {
        for _ in 0..<Self.mostPasses {
            let carriers = Self.allProcesses().compactMap(carrier)
            guard !carriers.isEmpty else { return true }
            defer { for carrier in carriers { close(carrier) } }
            for carrier in carriers { _ = waybill_pidfd_send_signal(carrier, SIGKILL) }
            for carrier in carriers {
                var waiting = pollfd(fd: carrier, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, Self.patienceMilliseconds) == 1 else { return false }
            }
        }
        return false
    }

    /// A descriptor of the process, if it carries the mark and lives.
    ///
    /// A number found in `/proc` may be another process by now. The descriptor holds on to one process, and the
    /// questions after it tell whose that is.
    private func carrier(_ pid: Int32) -> Int32? {
        guard carries(pid) else { return nil }
        let descriptor = waybill_pidfd_open(pid)
        guard descriptor >= 0 else { return nil }
        var ended = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard carries(pid), poll(&ended, 1, 0) == 0, let ticks = Self.startTicks(of: pid), ticks >= notBefore else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private func carries(_ pid: Int32) -> Bool {
        var limit: UInt64 = 0
        return waybill_process_tag(pid, &limit) == 0 && covers(limit)
    }

    /// Field 22 of `proc_pid_stat(5)`; nil if the process is gone.
    private static func startTicks(of pid: Int32) -> UInt64? {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1_024)
        let count = read(file, &bytes, bytes.count)
        // The second field is the program's name, which may contain anything.
        guard count > 0, let nameEnd = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(nameEnd + 1)..<count].split(separator: UInt8(ascii: " "))
        guard fields.count > 19 else { return nil }
        return UInt64(String(decoding: fields[19], as: UTF8.self))
    }

    private static func allProcesses() -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = Int32(name), number != getpid() { found.append(number) }
        }
        return found
    }
}
