import CLinux
import Glibc
package import SystemPackage
package import WaybillTestKit

/// What can be killed.
package enum Victim: String, CaseIterable {
    case daemon, supervisor, monitor, step
}

/// The processes of one tree, as `/proc` shows them at one moment.
package struct ProcessTable {
    /// What the supervisor and its monitors have on their command line.
    private let caches: String
    /// What the environment of every step begins a word with.
    private let run: String
    private let daemons: [pid_t]

    /// - Parameter daemons: started by this process, and therefore known.
    package init(of root: FilePath, daemons: [Int32]) {
        caches = root.appending(".waybill").string
        run = "WAYBILL_RUN_DIR=\(root)/"
        self.daemons = daemons
    }

    /// The processes of a kind.
    package func all(_ victim: Victim) -> [Int32] {
        if victim == .daemon { return daemons }
        // Steps are short: whoever looks at all processes comes too late.
        if victim == .step { return all(.monitor).flatMap(children) }
        return Disk.names(in: "/proc").compactMap { pid_t($0) }.filter { kind(of: $0) == victim }
    }

    /// Everything but the daemons.
    package var others: [Int32] {
        Disk.names(in: "/proc").compactMap { pid_t($0) }.filter { kind(of: $0).map { $0 != .daemon } ?? false }
    }

    /// `/proc/<pid>/task/<tid>/children` (proc_pid_tid_children(5)).
    private func children(of pid: pid_t) -> [Int32] {
        let path = "/proc/\(pid)/task/\(pid)/children"
        return (Disk.text(FilePath(path)) ?? "").split(separator: " ").compactMap { pid_t($0) }
    }

    private func kind(of pid: pid_t) -> Victim? {
        if daemons.contains(pid) { return .daemon }
        let folder = FilePath("/proc").appending(String(pid))
        // The name first: it tells most processes apart, and there are many.
        switch Disk.text(folder.appending("comm")) {
        case "waybill-superv\n": return words(folder.appending("cmdline")).contains(caches) ? .supervisor : nil
        case "waybill-monitor\n": return words(folder.appending("cmdline")).contains(caches) ? .monitor : nil
        case "waybill\n", nil: return nil
        default: return words(folder.appending("environ")).contains { $0.hasPrefix(run) } ? .step : nil
        }
    }

    private func words(_ path: FilePath) -> [String] {
        (Disk.bytes(path) ?? []).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Kills one of a kind.
    ///
    /// - Returns: the process that was killed; nil where there was none, or where it was gone before.
    package func kill(_ victim: Victim, _ random: inout SeededGenerator) -> Int32? {
        guard let pid = all(victim).randomElement(using: &random) else { return nil }
        // The descriptor holds on to one process; the second look says that it is still the one that was meant.
        let descriptor = waybill_pidfd_open(pid)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard kind(of: pid) == victim, waybill_pidfd_send_signal(descriptor, SIGKILL) == 0 else { return nil }
        return pid
    }
}
