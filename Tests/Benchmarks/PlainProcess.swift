import Glibc
import SystemPackage

/// A child, started by nothing but `posix_spawn`.
struct PlainProcess {
    let pid: pid_t

    /// Starts a program with an empty environment but for `PATH`, and with `/dev/null` for its output.
    init(_ arguments: [String], output: FilePath = "/dev/null") throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.string, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, output.string, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The plain threads block all signals; a child must not.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for text in argv + environment { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, arguments[0], &actions, &attributes, argv, environment)
        guard failure == 0 else {
            throw BenchmarkError(description: "cannot start \(arguments[0]): \(Errno(rawValue: failure))")
        }
        self.pid = pid
    }

    /// Waits for its end.
    ///
    /// - Throws: ``BenchmarkError`` unless it exits with 0.
    func wait() throws {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
        guard status == 0 else { throw BenchmarkError(description: "a child ended with status \(status)") }
    }

    /// Ends it with a signal, whatever it makes of that.
    func end(by signal: Int32) throws {
        kill(pid, signal)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
    }
}
