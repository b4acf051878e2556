import Foundation
import Glibc
import WaybillCore

/// Users that every machine has, beside the one that the tests run as.
enum People {
    private static let names: [String] = ["daemon", "bin", "games"]
    /// Whether files can be given to others: only root may.
    static let arePlayable = geteuid() == 0 && names.allSatisfy { uid($0) != uid_t.max }
    static let why: String = "needs root, and the users daemon, bin and games"
    static let signs = FileManager.default.isExecutableFile(atPath: "/usr/bin/ssh-keygen")

    static func uid(_ name: String) -> uid_t { getpwnam(name)?.pointee.pw_uid ?? uid_t.max }
}

extension ScratchTree {
    /// Puts a whole file in place by rename, as its owner would.
    func drop(_ text: String, at path: String, by owner: String, mode: mode_t = 0o600) throws {
        let aside = self["\(path).tmp"].path()
        try Data(text.utf8).write(to: URL(filePath: aside))
        let uid = People.uid(owner)
        guard chown(aside, uid, gid_t.max) == 0, chmod(aside, mode) == 0, rename(aside, self[path].path()) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }

    /// The envelope that answers an open question.
    func envelope(_ run: String, _ key: String, _ answer: String) throws -> String {
        let token = member("runs/\(run)/waits/\(key).json", "token")?.stringValue ?? ""
        return #"{"token":"\#(token)","answer":\#(answer)}"#
    }

    /// Drops the answer to an open question, in its envelope.
    func answer(
        _ run: String, _ key: String, _ answer: String = "true", by owner: String, as name: String? = nil,
        mode: mode_t = 0o600
    ) throws {
        let file = name ?? "\(key)--\(owner).json"
        try drop(try envelope(run, key, answer), at: "runs/\(run)/inbox/\(file)", by: owner, mode: mode)
    }

    /// Runs `waybill` in the tree as another user, with that one's groups.
    func waybill(as user: String, _ arguments: String...) async throws -> Finished {
        let command = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", Waybill.binary.path()]
        return try await run(command + arguments)
    }

    /// The data of the entries of a type.
    func data(_ type: String, of run: String) throws -> [Value] {
        try ledger(run).filter { $0["type"]?.stringValue == type }.compactMap { $0["data"] }
    }
}
