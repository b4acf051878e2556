import Glibc
package import SystemPackage

/// A child of this process, with its output in a file.
package struct Program {
    /// How a child ended.
    package enum End: Equatable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        package var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .signalled(let number): "signal \(number)"
            }
        }
    }

    package let pid: Int32

    package init(_ arguments: [String], output: FilePath) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.string, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/local/bin:/usr/bin:/bin"), nil]
        defer { for text in argv + environment { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, arguments[0], &actions, nil, argv, environment)
        guard failure == 0 else { throw Errno(rawValue: failure) }
        self.pid = pid
    }

    /// How it ended; nil while it has not.
    package func ended() -> End? { collect(WNOHANG) }

    /// Waits for its end.
    package func wait() -> End { collect(0) ?? .exited(-1) }

    private func collect(_ options: Int32) -> End? {
        var status: Int32 = 0
        while true {
            let found = waitpid(pid, &status, options)
            if found == 0 { return nil }
            if found > 0 { break }
            if errno != EINTR { return .exited(-1) }
        }
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }
}
