import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillStore

/// The process side of a call: what is launched, and what it printed.
struct HookCall: Sendable {
    /// Of what a failed hook printed, this much goes into the diagnosis.
    private static let told = 600

    let call: HookQueues.Call
    let executable: FilePath
    /// In `.waybill/`; their names say whose they are, so that they can be swept up.
    let stdout: FilePath
    let stderr: FilePath

    init(_ call: HookQueues.Call, executable: FilePath, caches: any Directory) throws(FileSystemError) {
        self.call = call
        self.executable = executable
        stdout = try TemporaryName.next(for: HookSpool.logs.appending("stdout"), in: caches)
        stderr = try TemporaryName.next(for: HookSpool.logs.appending("stderr"), in: caches)
    }

    func request(_ input: [UInt8], tree: Tree, limits: HookLimits) -> LaunchRequest {
        var environment = tree.baseEnvironment
        environment["WAYBILL_HOOK_EVENT"] = call.event.event
        environment["WAYBILL_RUN_ID"] = call.event.run.text
        environment["WAYBILL_RUN_DIR"] = tree.layout.folder(of: call.event.run).string
        environment["WAYBILL_SEQ"] = String(call.event.seq)
        let caches = tree.layout.caches
        var request = LaunchRequest(
            argv: [executable.string], environment: environment, workingDirectory: tree.layout.root, input: input,
            stdoutPath: caches.pushing(stdout), stderrPath: caches.pushing(stderr), logLimitBytes: limits.logBytes,
            timeout: limits.timeout, grace: limits.grace)
        // A hook is the tree's owner's own, and may send mail as the machine has it sent.
        request.mayGainPrivileges = true
        return request
    }

    /// What is said about a failed call: how it ended, and the end of what it printed.
    func message(_ outcome: ProcessOutcome, attempts: Int, caches: any Directory, limits: HookLimits) -> String {
        let times = attempts == 1 ? "1 attempt" : "\(attempts) attempts"
        let printed = [stderr, stdout].lazy.map { tail(of: $0, caches, limits) }.first { !$0.isEmpty }
        return "\(outcome) after \(times)" + (printed.map { ": \($0)" } ?? "")
    }

    private func tail(of log: FilePath, _ caches: any Directory, _ limits: HookLimits) -> String {
        let bytes = ((try? caches.read(log, limit: limits.logBytes + 1)) ?? nil) ?? []
        let text = String(decoding: bytes.suffix(Self.told), as: UTF8.self)
        return text.split(separator: "\n").joined(separator: " / ")
    }

    func removeLogs(_ caches: any Directory) {
        // Left over, they are swept up when the next process of this tree starts to deliver.
        for log in [stdout, stderr] { _ = try? caches.remove(log) }
    }

    /// Removes what processes that are gone have left half-written: logs, and files on their way into the spool.
    static func sweep(_ caches: any Directory) {
        for folder in [HookSpool.logs, HookSpool.spool, HookSpool.cursors, HookSpool.home] {
            guard let listing = (try? caches.listing(folder)) ?? nil else { continue }
            while let batch = try? listing.next(limit: 1_024), !batch.isEmpty {
                for entry in batch where isAbandoned(entry.name) {
                    _ = try? caches.remove(folder.appending(entry.name))
                }
            }
        }
    }

    /// `.<name>.<process>-<n>.tmp` of a process that is no more.
    private static func isAbandoned(_ name: FilePath.Component) -> Bool {
        guard TemporaryName.isTemporary(name) else { return false }
        let parts = name.string.split(separator: ".")
        guard parts.count >= 3, let process = parts[parts.count - 2].split(separator: "-").first.flatMap({ pid_t($0) }),
            process > 0
        else { return false }
        return kill(process, 0) != 0 && errno == ESRCH
    }
}
