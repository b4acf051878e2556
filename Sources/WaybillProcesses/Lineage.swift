import CLinux
import Glibc

/// Everything that one program started, wherever it went.
struct Lineage: Sendable {
    /// The first process: leader of its session. It is not waited for before the rest is gone, so its number
    /// cannot come back as another's session.
    let pid: Int32
    let tag: AttemptTag?

    /// How often a pass is repeated because new processes were found, which fork while they are signalled.
    private static let maximumPasses = 64
    /// No lineage is followed further than this, so that a fork bomb cannot fill our memory.
    private static let maximumProcesses = 100_000

    func owns(_ other: Int32) -> Bool {
        if let tag, tag.isCarried(by: other) { return true }
        return getsid(other) == pid
    }

    /// What lost its parent and is this process's child now; ended ones are collected and not in the list.
    func livingOrphans(_ table: ProcessTable) -> [Int32] {
        table.possibleOrphans().filter { $0 != pid && owns($0) && !hasEnded($0) }
    }

    /// Signals the first process, if asked to, the orphans, and all that descends from them, until nothing new
    /// turns up.
    ///
    /// - Returns: The processes that were found, without the first.
    func signal(_ number: Int32, includingFirst: Bool, _ table: ProcessTable) -> Set<Int32> {
        var seen: Set<Int32> = [pid]
        if includingFirst { send(number, to: pid) }
        for _ in 0..<Self.maximumPasses {
            let before = seen.count
            var pending = livingOrphans(table) + table.children(of: pid)
            while let next = pending.popLast(), seen.count < Self.maximumProcesses {
                // The children first: with KILL they would be given to us and have to be found again.
                let children = table.children(of: next)
                if seen.insert(next).inserted {
                    pending += children
                    sendIfOwned(number, to: next)
                }
            }
            if seen.count == before { break }
        }
        seen.remove(pid)
        return seen
    }

    /// Collects a child that has ended. Only called for processes that this lineage owns.
    private func hasEnded(_ orphan: Int32) -> Bool {
        var status: Int32 = 0
        return waitpid(orphan, &status, WNOHANG) == orphan
    }

    /// A number found in `/proc` may be another process by now. The descriptor holds on to one process, the
    /// question after it tells whose that is, and only then the signal goes to what the descriptor holds.
    private func sendIfOwned(_ number: Int32, to other: Int32) {
        let descriptor = waybill_pidfd_open(other)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard owns(other) else { return }
        _ = waybill_pidfd_send_signal(descriptor, number)
        // What is stopped would not hear a TERM.
        if number == SIGTERM { _ = waybill_pidfd_send_signal(descriptor, SIGCONT) }
    }

    private func send(_ number: Int32, to own: Int32) {
        _ = Glibc.kill(own, number)
        if number == SIGTERM { _ = Glibc.kill(own, SIGCONT) }
    }
}
