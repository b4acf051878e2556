import CLinux
import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts

/// One launched program, from its start to the callback. It belongs to the loop's thread.
final class Attempt: @unchecked Sendable {
    // Made by the launching thread and handed to the loop, which alone touches it from then on.

    /// Where it stands on its way to the end.
    enum Phase {
        case running
        /// The first process has ended; what it left behind is being ended.
        case sweeping
    }

    let id: UInt64
    let lineage: Lineage
    let pidfd: Int32
    let request: LaunchRequest
    let ended: @Sendable (ProcessOutcome) -> Void
    let startedAt: Timestamp

    var stdout: LogPipe?
    var stderr: LogPipe?
    var phase = Phase.running
    var stop: ProcessOutcome.Stop?
    /// Since when KILL is the word, on the monotonic clock; nil before.
    var killingSince: UInt64?
    /// Until when what got TERM may live; nil if nothing was stopped.
    var graceEnds: UInt64?
    var endedAt: Timestamp?
    /// What had to be killed after the first process ended.
    var leftBehind: Set<Int32> = []
    /// Until the next look at what is left behind.
    var sweepPauseNanoseconds: UInt64 = 0

    init(
        id: UInt64, launch: PreparedLaunch, result: waybill_spawn_result, startedAt: Timestamp,
        ended: @escaping @Sendable (ProcessOutcome) -> Void
    ) {
        self.id = id
        lineage = Lineage(pid: result.pid, tag: launch.tag)
        pidfd = result.pidfd
        request = launch.request
        self.startedAt = startedAt
        self.ended = ended
        stdout = launch.takeStdout()
        stderr = launch.takeStderr()
    }

    deinit { close(pidfd) }

    /// Collects the first process and what it said. Only called when nothing else of it lives, or can be helped.
    func finish(stillRunning: Int, at now: Timestamp, buffer: UnsafeMutableRawBufferPointer) -> ProcessOutcome {
        stdout?.drain(buffer)
        stderr?.drain(buffer)
        var status: Int32 = 0
        var resources = rusage()
        wait4(lineage.pid, &status, 0, &resources)
        let outcome = ProcessOutcome(
            end: Self.end(of: status), stop: stop, startedAt: startedAt, endedAt: max(endedAt ?? now, startedAt),
            stdoutTruncated: stdout?.isTruncated ?? false, stderrTruncated: stderr?.isTruncated ?? false,
            leftBehind: leftBehind.count, stillRunning: stillRunning, usage: Self.usage(of: resources))
        stdout = nil
        stderr = nil
        if let path = request.exitFile { ExitFile.write(outcome, to: path) }
        return outcome
    }

    /// Takes a wait status apart as the macros of `wait(2)` do.
    private static func end(of status: Int32) -> ProcessOutcome.End {
        let signal = status & 0x7F
        if signal == 0 { return .exited(code: status >> 8 & 0xFF) }
        return .signalled(signal: signal, coreDumped: status & 0x80 != 0)
    }

    private static func usage(of resources: rusage) -> ProcessOutcome.Usage {
        ProcessOutcome.Usage(
            user: duration(resources.ru_utime), system: duration(resources.ru_stime),
            maxResidentBytes: Int64(resources.ru_maxrss) * 1024)
    }

    private static func duration(_ time: timeval) -> Duration {
        .microseconds(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_usec))
    }
}
