import Glibc
import SystemPackage
import WaybillPorts
import WaybillStore

/// A daemon in a process of its own.
struct Daemon {
    /// How long is waited for anything at all.
    private static let patience = 60.0

    /// What it says once it has looked at every run that was under way when it was started.
    static let ready = "every run under way is attended to"

    private let process: PlainProcess
    private let log: FilePath
    private let attending: Stopwatch

    init(_ bench: Workbench, root: FilePath) throws {
        log = root.appending("daemon.log")
        process = try PlainProcess([bench.waybill.string, "daemon", "-C", root.string], output: log)
        let log = log
        try Self.until("the daemon attends") { PlainFile.text(log)?.contains("attending") ?? false }
        attending = Stopwatch()
    }

    /// Returns once its log has a line with these words.
    func until(says words: String, within seconds: Double) throws {
        try Self.until("the daemon says '\(words)'", within: seconds) { PlainFile.text(log)?.contains(words) ?? false }
    }

    /// Looks again and again, a few times a millisecond at most.
    static func until(_ what: String, within seconds: Double = patience, _ isTrue: () throws -> Bool) throws {
        let watch = Stopwatch()
        while try !isTrue() {
            guard watch.seconds < seconds else { throw BenchmarkError(description: "waited in vain until \(what)") }
            rest(milliseconds: 1)
        }
    }

    static func rest(milliseconds: Int32) { poll(nil, 0, milliseconds) }

    /// Returns once it has used no processor time for a while.
    func untilIdle() throws {
        var seen = -1
        var quiet = 0
        try Self.until("the daemon is idle") {
            Self.rest(milliseconds: 50)
            let now = try processorTicks()
            quiet = now == seen ? quiet + 1 : 0
            seen = now
            return quiet >= 6
        }
    }

    private func processorTicks() throws -> Int {
        // The name in the second field may hold anything but ends with the last parenthesis.
        let fields: [Substring]? = PlainFile.text(FilePath("/proc/\(process.pid)/stat")).flatMap { text in
            text.lastIndex(of: ")").map { text[text.index(after: $0)...].split(separator: " ") }
        }
        guard let fields, fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
            throw BenchmarkError(description: "the daemon is gone: \(PlainFile.text(log) ?? "")")
        }
        return user + system
    }

    var pid: pid_t { process.pid }

    /// Seconds since it attends.
    var age: Double { attending.seconds }

    /// How often each of its threads went to sleep or was sent to, so far (proc(5), `status`), by the thread's number.
    func contextSwitches() throws -> [String: Int] {
        let tasks = FilePath("/proc/\(pid)/task")
        guard let folder = try LocalFileSystem().openDirectory(tasks) else { throw Errno.noSuchProcess }
        var switches: [String: Int] = [:]
        for entry in try folder.entries(FilePath(), limit: 1_000) ?? [] {
            let lines = PlainFile.text(tasks.appending(entry.name).appending("status"))?.split(separator: "\n") ?? []
            for line in lines where line.contains("ctxt_switches:") {
                switches[entry.name.string, default: 0] += Int(line.split { $0 == " " || $0 == "\t" }.last ?? "") ?? 0
            }
        }
        return switches
    }

    /// Resident memory in bytes.
    func residentBytes() throws -> Int { try Self.bytes("VmRSS", of: process.pid) }

    /// The most that was ever resident, in bytes.
    func peakBytes() throws -> Int { try Self.bytes("VmHWM", of: process.pid) }

    /// A size that the kernel tells of any process (proc(5), `status`).
    static func bytes(_ field: String, of pid: pid_t) throws -> Int {
        let line = PlainFile.text(FilePath("/proc/\(pid)/status"))?.split(separator: "\n").first {
            $0.hasPrefix("\(field):")
        }
        let fields = line?.split { $0 == " " || $0 == "\t" } ?? []
        guard fields.count > 1, let kilobytes = Int(fields[1]) else {
            throw BenchmarkError(description: "the memory of process \(pid) cannot be read")
        }
        return kilobytes << 10
    }

    func stop() throws {
        kill(process.pid, SIGTERM)
        try process.wait()
    }
}
