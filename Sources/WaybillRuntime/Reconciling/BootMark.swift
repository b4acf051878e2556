import Synchronization
import SystemPackage
import WaybillCore
import WaybillPorts

/// Remembers with which boot of the machine the tree's runs were last looked at, all of them.
///
/// After a power loss the ledgers are right and what follows from them may be anything: an older file, an empty one, or
/// none. So after another boot every run that was under way or had just ended is compared as a whole, once; the mark is
/// written when that is done.
final class BootMark: Sendable {
    private struct State {
        var isNew: Bool
        /// Runs that were not compared yet; nil before it is known which.
        var left: Set<RunID>?
    }

    private static let path: FilePath = "boot"
    private static let longest = 256

    private let caches: any Directory
    private let boot: String
    private let state: Mutex<State>

    init(_ tree: Tree) {
        caches = tree.caches
        boot = tree.boot
        let known = (try? tree.caches.read(Self.path, limit: Self.longest)) ?? nil
        state = Mutex(State(isNew: known != Array(tree.boot.utf8)))
    }

    /// Whether the tree was last looked at under another boot.
    var isNew: Bool { state.withLock { $0.isNew } }

    /// Whether runs are to be compared as a whole when they are opened: by whoever takes up all of them. A command that
    /// drives one run leaves it to those, and costs no more than before.
    var isUncertain: Bool { state.withLock { $0.isNew && $0.left != nil } }

    /// Says which runs are uncertain.
    func begin(_ runs: [RunID]) {
        state.withLock { $0.left = Set(runs) }
        writeIfDone()
    }

    /// A run was compared.
    func settle(_ run: RunID) {
        state.withLock { _ = $0.left?.remove(run) }
        writeIfDone()
    }

    private func writeIfDone() {
        let isDone = state.withLock { $0.isNew && $0.left?.isEmpty == true }
        guard isDone else { return }
        do throws(FileSystemError) {
            try caches.replace(Self.path, with: Array(boot.utf8), durability: .relaxed)
            state.withLock { $0.isNew = false }
        } catch {
            // The next report tries again; until then runs are compared once more, which only costs time.
        }
    }
}
