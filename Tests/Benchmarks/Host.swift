import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillStore

/// What the figures were taken on.
struct Host {
    let processor: String
    let cores: Int
    let memoryBytes: Int
    let kernel: String
    let fileSystem: String
    let directory: String
    let loadAtStart: String

    init(directory: FilePath) {
        self.directory = directory.string
        processor = Self.field("model name", of: "/proc/cpuinfo") ?? "unknown processor"
        cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        memoryBytes = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        kernel = (PlainFile.text("/proc/sys/kernel/osrelease") ?? "unknown").split(separator: "\n").joined()
        let opened = try? LocalFileSystem().openDirectory(directory)
        fileSystem = (try? opened?.fileSystemType().name) ?? "unknown"
        loadAtStart = Self.load
    }

    static var load: String {
        (PlainFile.text("/proc/loadavg") ?? "").split(separator: " ").first.map(String.init) ?? "unknown"
    }

    /// What this process has used, in the program and in the kernel, on all of its threads.
    static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static var configuration: String {
        #if DEBUG
            "debug: not to be quoted"
        #else
            "release"
        #endif
    }

    private static func field(_ name: String, of path: FilePath) -> String? {
        let line = PlainFile.text(path)?.split(separator: "\n").first { $0.hasPrefix(name) }
        guard let colon = line?.firstIndex(of: ":") else { return nil }
        return line.map { String($0[$0.index(after: colon)...].drop { $0 == " " }) }
    }

    var text: String {
        """
        \(processor), \(cores) cores, \(memoryBytes >> 20) MiB, Linux \(kernel), \(fileSystem); \
        build: \(Self.configuration); load average \(loadAtStart)
        """
    }

    var value: Value {
        [
            "processor": .string(processor), "cores": .int(Int64(cores)), "memoryBytes": .int(Int64(memoryBytes)),
            "kernel": .string(kernel), "fileSystem": .string(fileSystem), "build": .string(Self.configuration),
            "loadAtStart": .string(loadAtStart),
        ]
    }
}
