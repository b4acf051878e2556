import CLinux
import Glibc
import Synchronization
import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillStore

/// Whether files are exactly what a commit has.
///
/// Only git can tell, and a process for each start would be dear: an answer is kept for as long as commit and files are
/// the same.
package final class GitStatus: Sendable {
    private struct Answer {
        var commit: String
        var files: [String: FileStatus]
        var isClean: Bool
    }

    /// So many lists of files are remembered: about one for each workflow that is started.
    private static let limit = 256

    private let answers = Mutex<[[String]: Answer]>([:])

    package init() {}

    /// The tree's commit if every one of these files, relative to the root, is in it unchanged; else nil.
    func commit(of paths: [String], in tree: Tree) -> String? {
        guard let commit = GitHead.commit(of: tree) else { return nil }
        var files: [String: FileStatus] = [:]
        for path in paths { files[path] = (try? tree.root.status(FilePath(path))).flatMap { $0 } }
        // Under the lock: of starts at the same time, one asks git, and the others have its answer.
        let isClean = answers.withLock { answers in
            if let known = answers[paths], known.commit == commit, known.files == files { return known.isClean }
            let isClean = Self.isClean(paths, in: tree.layout.root)
            if answers.count >= Self.limit { answers = [:] }
            answers[paths] = Answer(commit: commit, files: files, isClean: isClean)
            return isClean
        }
        return isClean ? commit : nil
    }

    /// Asks git. Where git is missing or fails, nothing is known, and nothing is claimed.
    private static func isClean(_ paths: [String], in root: FilePath) -> Bool {
        let output = waybill_memory_file("git status")
        guard output >= 0 else { return false }
        defer { close(output) }
        let arguments =
            ["git", "-C", root.string, "-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=all"]
            + ["--ignored", "--"] + paths
        guard run(arguments, output: output) == 0 else { return false }
        var status = stat()
        return fstat(output, &status) == 0 && status.st_size == 0
    }

    /// The exit code; nil if it did not run or was ended by a signal.
    private static func run(_ arguments: [String], output: Int32) -> Int32? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This thread blocks all signals; git must not.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var process: pid_t = 0
        guard posix_spawnp(&process, "git", &actions, &attributes, argv, environ) == 0 else { return nil }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 { if errno != EINTR { return nil } }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
    }
}
