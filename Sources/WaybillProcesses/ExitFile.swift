import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts

/// The outcome of an attempt in its folder, for whoever comes later.
enum ExitFile {
    /// Writes aside and renames, so that the file is whole or not there. It is not synced: the outcome becomes
    /// durable as an entry of the ledger. A failure is not reported: the file is missing then, and the callback tells
    /// the one who launched.
    static func write(_ outcome: ProcessOutcome, to path: FilePath) {
        let aside = path.string + ".tmp"
        let file = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let bytes = JSON.pretty(outcome.record)
        let count = Glibc.write(file, bytes, bytes.count)
        close(file)
        guard count == bytes.count, rename(aside, path.string) == 0 else {
            unlink(aside)
            return
        }
    }
}
