import Glibc
import Harness
import SystemPackage
import WaybillTestKit

/// Who works on the tree: one or two daemons, now and then a reconciliation beside them, all of which may be killed.
struct Staff {
    private struct Worker {
        let program: Program
        /// A reconciliation ends by itself.
        let isDaemon: Bool
        var isKilled = false
    }

    /// How long everything may take to go once it was told to.
    private static let patienceSeconds = 60.0
    /// The longest time that a tree is left to itself, in seconds.
    private static let longestGap = 0.25

    private let tree: TortureTree
    private var workers: [Worker] = []
    private var wanted = 1
    private var nextHiring = 0.0

    init(_ tree: TortureTree) { self.tree = tree }

    var pids: [pid_t] { workers.map(\.program.pid) }

    private var daemons: Int { workers.count { $0.isDaemon && !$0.isKilled } }

    mutating func hire(_ command: String = "daemon") throws {
        let program = try Program(tree.command([command]), output: tree.log)
        workers.append(Worker(program: program, isDaemon: command == "daemon"))
    }

    /// Notes that one was killed. The next one comes at once, or after a while in which nobody is there.
    mutating func mourn(_ pid: pid_t, _ random: inout SeededGenerator) {
        for index in workers.indices where workers[index].program.pid == pid { workers[index].isKilled = true }
        wanted = random.chance(25) ? 2 : 1
        nextHiring = random.chance(70) ? 0 : Seconds.now + Double.random(in: 0..<Self.longestGap, using: &random)
    }

    /// Buries the dead and hires new ones.
    ///
    /// - Throws: ``Problem`` where one ended that nobody killed.
    mutating func tend(_ random: inout SeededGenerator) throws {
        workers = try workers.filter { worker in
            guard let end = worker.program.ended() else { return true }
            let isExpected: Bool =
                switch end {
                case .signalled(SIGKILL): worker.isKilled
                // It may have been killed in the moment of its end. Runs may wait, or be somebody else's.
                case .exited(0), .exited(3), .exited(75): !worker.isDaemon
                default: false
                }
            guard isExpected else {
                throw Problem("a \(worker.isDaemon ? "daemon" : "reconciliation") ended by itself, with \(end)")
            }
            return false
        }
        guard daemons < wanted, Seconds.now >= nextHiring else { return }
        try hire()
        if random.chance(10) { try hire("reconcile") }
    }

    /// Stops all, finishes what was left to somebody, and waits until no process is left.
    ///
    /// - Returns: what did not hold.
    mutating func dismiss() throws -> [String] {
        var problems: [String] = []
        for worker in workers where worker.isDaemon { kill(worker.program.pid, SIGTERM) }
        for worker in workers {
            let end = worker.program.wait()
            let isExpected = end == .exited(0) || worker.isKilled && end == .signalled(SIGKILL) || !worker.isDaemon
            if !isExpected { problems.append("a daemon that was told to stop ended with \(end)") }
        }
        workers = []
        // What was dropped into the inboxes of runs that had ended is refused by the next one that looks.
        for command in [["reconcile"], ["verify", "--deep"], ["doctor"]] {
            let end = try Program(tree.command(command), output: tree.log).wait()
            if end != .exited(0) { problems.append("waybill \(command.joined(separator: " ")): \(end)") }
        }
        let deadline = Seconds.now + Self.patienceSeconds
        var left = ProcessTable(of: tree.root, daemons: []).others
        while !left.isEmpty, Seconds.now < deadline {
            poll(nil, 0, 100)
            left = ProcessTable(of: tree.root, daemons: []).others
        }
        if !left.isEmpty { problems.append("processes are left: \(left)") }
        return problems
    }

    /// Leaves nothing running, whatever state it is in.
    func killAll() {
        for pid in pids + ProcessTable(of: tree.root, daemons: pids).others { kill(pid, SIGKILL) }
    }
}
