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
    let launcher: LocalLauncher

    init() throws { launcher = try LocalLauncher() }

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
        let (outcomes, continuation) = AsyncStream.makeStream(of: ProcessOutcome.self)
        let process = try launcher.launch(request) {
            continuation.yield($0)
            continuation.finish()
        }
        meanwhile(process)
        var found: [ProcessOutcome] = []
        for await outcome in outcomes { found.append(outcome) }
        return try #require(found.first)
    }

    /// Waits until a program writes into a FIFO of the folder; returns what it wrote.
    func hear(_ fifo: String) -> String { folder.text(fifo) ?? "" }

    var stdout: String { folder.text("stdout.log") ?? "" }
    var stderr: String { folder.text("stderr.log") ?? "" }
}

/// Whether a process exists, be it as a zombie.
func exists(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno == EPERM }
