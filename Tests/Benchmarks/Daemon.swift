import Glibc
import SystemPackage

/// A daemon in a process of its own.
struct Daemon {
    /// How long is waited for anything at all.
    private static let patience = 60.0

    private let process: PlainProcess
    private let log: FilePath

    init(_ bench: Workbench, root: FilePath) throws {
        log = root.appending("daemon.log")
        process = try PlainProcess([bench.waybill.string, "daemon", "-C", root.string], output: log)
        let log = log
        try Self.until("the daemon attends") { PlainFile.text(log)?.contains("attending") ?? false }
    }

    /// Looks again and again, a few times a millisecond at most: for what is not timed.
    static func until(_ what: String, _ isTrue: () throws -> Bool) throws {
        let watch = Stopwatch()
        while try !isTrue() {
            guard watch.seconds < patience else { throw BenchmarkError(description: "waited in vain until \(what)") }
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
