import CLinux
import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

/// A folder and a launcher for one test, with its files named as in an attempt's folder.
final class Bench: Sendable {
    let folder = ScratchFolder()
    let launcher: SupervisedLauncher

    init() throws {
        launcher = try SupervisedLauncher(caches: folder.makeFolder(".waybill"))
    }

    deinit { launcher.shutDown() }

    func request(_ argv: [String], _ change: (inout LaunchRequest) -> Void = { _ in }) -> LaunchRequest {
        var request = LaunchRequest(
            argv: argv, environment: ["PATH": "/usr/bin:/bin"], workingDirectory: folder.path,
            stdoutPath: folder.file("stdout.log"), stderrPath: folder.file("stderr.log"),
            exitFile: folder.file("exit.json"))
        change(&request)
        return request
    }

    func script(_ text: String, _ change: (inout LaunchRequest) -> Void = { _ in }) -> LaunchRequest {
        request(["/bin/sh", "-euc", text], change)
    }

    /// Launches, hands the process to `meanwhile`, and waits for the end.
    func run(
        _ request: LaunchRequest, meanwhile: @Sendable (any RunningProcess) -> Void = { _ in }
    ) async throws -> ProcessOutcome {
        let ending = Ending()
        let process = try launcher.launch(request, ended: ending.come)
        meanwhile(process)
        return try #require(await ending.outcome())
    }

    /// Another launcher of the same tree, as the next daemon has one.
    func next() throws -> SupervisedLauncher { try SupervisedLauncher(caches: folder.file(".waybill")) }

    /// What the running attempt's lock says about it.
    func identity(_ member: String) throws -> Value {
        let record = try JSON.parse(#require(folder.read("monitor.lock")))
        return try #require(record[member])
    }

    func monitor() throws -> Int32 { Int32(try #require(identity("monitor").intValue)) }

    /// Waits until a program writes into a FIFO of the folder; returns what it wrote.
    func hear(_ fifo: String) -> String { folder.text(fifo) ?? "" }

    var stdout: String { folder.text("stdout.log") ?? "" }
    var stderr: String { folder.text("stderr.log") ?? "" }
}

/// The one end of a program.
final class Ending: Sendable {
    private let outcomes = AsyncStream.makeStream(of: ProcessOutcome?.self)

    var come: @Sendable (ProcessOutcome?) -> Void {
        { [outcomes] outcome in
            outcomes.continuation.yield(outcome)
            outcomes.continuation.finish()
        }
    }

    /// Waits for it; nil if it is unknown.
    func outcome() async -> ProcessOutcome? {
        for await outcome in outcomes.stream { return outcome }
        return nil
    }
}

/// A small file of the machine; nil if it is missing.
func contents(of path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 8_192)
    let count = read(file, &bytes, bytes.count)
    return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
}

/// The fields of `proc_pid_stat(5)` after the name: the state first, then the parent. None if the process is gone.
func fields(of pid: Int32) -> [Substring] {
    contents(of: "/proc/\(pid)/stat")?.split(separator: ")").last?.split(separator: " ") ?? []
}

/// Waits until a process is gone, with nothing left of it but what its parent has to collect.
func untilGone(_ pid: Int32) {
    let descriptor = waybill_pidfd_open(pid)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var ended = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while poll(&ended, 1, -1) < 0 {}
}

/// Whether a process exists, be it as a zombie.
func exists(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno == EPERM }
