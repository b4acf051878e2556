import Foundation
import Glibc
import Testing
import WaybillCore

// What goes wrong in a tree, and what is said about it.

extension ScratchTree {
    /// The kinds of all refusals in an inbox, by the dropped file's name.
    func refusals(in inbox: String) -> [String: [String]] {
        var kinds: [String: [String]] = [:]
        for name in names(in: "\(inbox)/rejected") where name.hasSuffix(".reason.json") {
            guard let reason = json("\(inbox)/rejected/\(name)"), let file = reason["file"]?.stringValue else {
                continue
            }
            kinds[file, default: []].append(reason["kind"]?.stringValue ?? "")
        }
        return kinds
    }

    /// Waits until a file was refused, and says with which kind.
    func untilRefused(_ file: String, of run: String) async throws -> String {
        try await until("\(file) is refused", watching: run) { self.refusals(in: "runs/\(run)/inbox")[file] != nil }
        return refusals(in: "runs/\(run)/inbox")[file]?.last ?? ""
    }

    /// Waits until a file in the common inbox was refused, and says with which kind.
    func untilRefused(_ file: String) async throws -> String {
        try await until("\(file) is refused", watching: "inbox/..") {
            self.refusals(in: "runs/inbox")[file] != nil
        }
        return refusals(in: "runs/inbox")[file]?.last ?? ""
    }

    /// The types of a run's entries, in order.
    func types(_ run: String) throws -> [String] { try ledger(run).map { $0["type"]?.stringValue ?? "" } }

    /// How many entries of a type a run has, of one step or of all.
    func count(_ type: String, _ step: String? = nil, of run: String) throws -> Int {
        try ledger(run).filter {
            $0["type"]?.stringValue == type && (step == nil || $0["step"]?.stringValue == step)
        }.count
    }

    /// Waits until a moment has passed by the machine's clock.
    func untilPassed(_ moment: Timestamp) async throws {
        try await until("\(moment) has passed") { Self.now() > moment }
    }

    static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// Makes a name of any bytes in a folder of the tree; the last resort for names that are no text.
    func make(_ name: [UInt8], in folder: String, _ body: (UnsafePointer<CChar>) -> Int32) {
        var path = self[folder].path().utf8CString.dropLast().map { $0 }
        path.append(CChar(UInt8(ascii: "/")))
        path += name.map { CChar(bitPattern: $0) } + [0]
        path.withUnsafeBufferPointer { buffer in
            let result = buffer.baseAddress.map(body) ?? -1
            precondition(result >= 0, "the file system takes no such name")
        }
    }
}

extension ScratchTree {
    /// The process that watches over a running attempt, `<step>/<visit>.<attempt>`.
    func monitor(of attempt: String, in run: String) throws -> pid_t {
        pid_t(try #require(member("runs/\(run)/steps/\(attempt)/monitor.lock", "monitor")?.intValue))
    }

    /// Kills what watches over an attempt, and waits until it is gone; the attempt's own processes are left to others.
    func killMonitor(of attempt: String, in run: String) throws {
        try killAndWait(try monitor(of: attempt, in: run))
    }

    /// Kills the process that starts monitors in this tree, while one of them watches over an attempt.
    func killSupervisor(of attempt: String, in run: String) throws {
        let stat = try String(contentsOfFile: "/proc/\(monitor(of: attempt, in: run))/stat", encoding: .utf8)
        let parent = stat.split(separator: ")").last?.split(separator: " ").dropFirst().first
        try killAndWait(try #require(parent.flatMap { pid_t($0) }))
    }

    /// Whoever is not this process's child cannot be waited for, but its end can be seen.
    private func killAndWait(_ process: pid_t) throws {
        #expect(kill(process, SIGKILL) == 0)
        let deadline = ContinuousClock.now + .seconds(60)
        while isAlive(process) {
            guard ContinuousClock.now < deadline else { throw GaveUp(what: "\(process) is gone", facts: "") }
            sched_yield()
        }
    }
}

/// Whether a process is there and is no zombie.
func isAlive(_ processID: pid_t) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
        let state = text.split(separator: ")").last?.split(separator: " ").first
    else { return false }
    return state != "Z" && state != "X"
}
