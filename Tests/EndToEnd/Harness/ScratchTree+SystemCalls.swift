import Foundation
import Testing
import WaybillCore

/// System calls of one process that fail on demand: `Tests/Faults/include/faults.h` says how.
extension ScratchTree {
    /// What such a process is started with. What it starts itself has an environment of its own.
    var faultyEnvironment: [String: String] {
        let library = Waybill.binary.deletingLastPathComponent().appending(path: "libfaults.so")
        return [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "LD_PRELOAD": library.path(),
            "WAYBILL_FAULTS": self["faults"].path(), "SWIFT_BACKTRACE": "enable=no",
        ]
    }

    /// Lets calls fail from now on, and no others.
    func fail(_ rules: [String]) throws {
        try drop(rules.map { $0 + "\n" }.joined(), at: "faults")
    }

    func startFaultyDaemon() async throws -> RunningCommand {
        try fail([])
        let daemon = try start(["daemon"], environment: faultyEnvironment)
        try await until("the daemon attends the tree") { daemon.errors.contains("attending") }
        return daemon
    }

    /// Runs `waybill` with the clock and the disk that a faulty daemon has.
    func faultyWaybill(_ arguments: String...) async throws -> Finished {
        try await start(arguments, environment: faultyEnvironment).finish()
    }

    /// A call that failed, or a sync.
    struct SystemCall {
        let name: String
        let inode: UInt64
        let error: Int32
        let path: String
    }

    var systemCalls: [SystemCall] {
        lines("faults.log").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 5).map(String.init)
            guard words.count == 6, let inode = UInt64(words[3]), let error = Int32(words[4]) else { return nil }
            return SystemCall(name: words[0], inode: inode, error: error, path: words[5])
        }
    }

    func inode(_ path: String) throws -> UInt64 {
        let number = try FileManager.default.attributesOfItem(atPath: self[path].path())[.systemFileNumber] as? Int
        return UInt64(try #require(number))
    }
}
