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

    /// Asks all to end: everything that is there, found before the first signal is sent. What appears afterwards is
    /// more likely somebody's way of cleaning up than an escape, and KILL finds it later.
    func terminate(_ table: ProcessTable) {
        let found = members(table)
        send(SIGTERM, to: pid)
        for other in found { sendIfOwned(SIGTERM, to: other) }
    }

    /// Kills the first process, if it lives, and all others, until none turns up that was not killed yet.
    ///
    /// - Returns: The processes that were found, without the first.
    func kill(includingFirst: Bool, _ table: ProcessTable) -> Set<Int32> {
        var killed: Set<Int32> = []
        for pass in 0..<Self.maximumPasses {
            let found = members(table).subtracting(killed)
            if pass == 0, includingFirst { send(SIGKILL, to: pid) }
            if found.isEmpty { break }
            for other in found { sendIfOwned(SIGKILL, to: other) }
            killed.formUnion(found)
        }
        return killed
    }

    /// All but the first process.
    ///
    /// A process whose parent ends moves from one list to another while they are read: from the descendants to the
    /// orphans, never back. So the descendants are read first, and all again until nothing new turns up.
    private func members(_ table: ProcessTable) -> Set<Int32> {
        var all: Set<Int32> = []
        for _ in 0..<Self.maximumPasses {
            let before = all.count
            all.formUnion(descendants(of: table.children(of: pid), table))
            all.formUnion(descendants(of: livingOrphans(table), table))
            if all.count == before || all.count >= Self.maximumProcesses { break }
        }
        return all
    }

    /// These processes and all below them.
    private func descendants(of roots: [Int32], _ table: ProcessTable) -> Set<Int32> {
        var found: Set<Int32> = []
        var pending = roots
        while let next = pending.popLast(), found.count < Self.maximumProcesses {
            if found.insert(next).inserted { pending += table.children(of: next) }
        }
        return found
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
