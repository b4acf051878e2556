import Foundation
import Glibc
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

/// Whether a process is there and is no zombie.
func isAlive(_ processID: pid_t) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
        let state = text.split(separator: ")").last?.split(separator: " ").first
    else { return false }
    return state != "Z" && state != "X"
}
