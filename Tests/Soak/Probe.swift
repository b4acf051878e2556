import Glibc
import Harness
import SystemPackage

/// What the kernel tells of a daemon and of its helpers (proc(5)).
struct Probe {
    /// One look.
    struct Look {
        var residentBytes: Int
        /// What is no file's: heap, stacks.
        var anonymousBytes: Int
        var descriptors: Int
        var threads: Int
        /// Used so far, in the program and in the kernel.
        var processorSeconds: Double
        /// What all processors together did since the machine started, waiting for the disk not counted.
        var machineSeconds: Double
        var supervisors: Int
        var monitors: Int
    }

    private let pid: pid_t
    private let tree: SoakTree

    init(_ pid: pid_t, _ tree: SoakTree) {
        self.pid = pid
        self.tree = tree
    }

    /// - Throws: ``Problem`` where the daemon is gone.
    func look() throws -> Look {
        let folder = FilePath("/proc/\(pid)")
        let status = Disk.lines(folder.appending("status"))
        func field(_ name: String) throws -> Int {
            let line = status.first { $0.hasPrefix("\(name):") }
            guard let number = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first,
                let value = Int(number)
            else { throw Problem("the daemon is gone: \(Disk.lines(tree.log).last ?? "")") }
            return value
        }
        let helpers = ProcessTable(of: tree.root, daemons: [pid])
        return Look(
            residentBytes: try field("VmRSS") << 10, anonymousBytes: try field("RssAnon") << 10,
            descriptors: Disk.names(in: folder.appending("fd")).count, threads: try field("Threads"),
            processorSeconds: Self.processorSeconds(folder.appending("stat")), machineSeconds: Self.machineSeconds,
            supervisors: helpers.all(.supervisor).count, monitors: helpers.all(.monitor).count)
    }

    private static func processorSeconds(_ path: FilePath) -> Double {
        // The name in the second field may hold anything but ends with the last parenthesis.
        guard let text = Disk.text(path), let end = text.lastIndex(of: ")") else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static var machineSeconds: Double {
        let fields = Disk.lines("/proc/stat").first?.split(separator: " ").dropFirst().map { Double($0) ?? 0 } ?? []
        // The fourth field is idle time, the fifth waiting for the disk; guests, behind the eighth, are in the first two.
        guard fields.count >= 8 else { return 0 }
        return (fields.prefix(8).reduce(0, +) - fields[3] - fields[4]) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// What this process has used so far.
    static var ownProcessorSeconds: Double { processorSeconds("/proc/self/stat") }
}
