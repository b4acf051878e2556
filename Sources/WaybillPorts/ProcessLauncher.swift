package import SystemPackage
package import WaybillCore

/// Starts programs and says how they ended. The way a step's process lives is described here once, whoever hosts it.
///
/// - **Alone.** Each process leads a session and process group of its own, has exactly the arguments, environment and
///   folder of its request, default signal dispositions, `umask` 077, and no descriptors but its standard three and
///   those of its request's files. It
///   writes no core file, keeps to the limits of its request, and gains no privileges by executing another program,
///   unless the request says that it may.
/// - **Ends with its first process.** What that process left behind is killed, also what changed its process
///   group or session or lost its parent. Only then `ended` is called: nothing of the step lives any more.
/// - **Stopping** is TERM to everything the process started; what lives after the grace gets KILL.
/// - **Logs** are written as they come, up to a limit; what is over is read, dropped and counted, so that neither the
///   disk fills nor the program blocks, and the outcome says so.
/// - **Outlives the launcher.** A program with an exit file goes on when the one who launched it ends, however that
///   happens; its timeout, its log limits and its stopping go on, too. Whoever comes later finds the outcome in the
///   exit file (`ProcessOutcome(record:)`), and takes over what has none with ``adopt(exitFile:ended:)``. A program
///   without an exit file is killed with its launcher: nobody else could ever hear how it ended.
package protocol ProcessLauncher: Sendable {
    /// Starts a program.
    ///
    /// Returns as soon as the program runs, or it is known that it cannot. `ended` is called at most once unless this
    /// throws, possibly before this returns, on a thread of the launcher; it must not block, and hands over instead.
    /// It is not called after ``shutDown()`` for a program that outlives the launcher. It gets nil if the outcome is
    /// unknown: whoever watched the program was killed, and nothing of it lives any more.
    ///
    /// - Throws: ``LaunchError`` when nothing was started because of the request or for want of resources. A program
    ///   that is missing or cannot be executed is *not* thrown: that is an outcome, `failedToStart`.
    func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> any RunningProcess

    /// Takes over a program that an earlier launcher, of this process or another, has started with this exit file.
    ///
    /// To be asked when there is no exit file. `ended` is called as after a launch, if the program runs.
    ///
    /// - Throws: ``LaunchError`` for want of resources, or if the folder cannot be read: nothing is known then.
    func adopt(
        exitFile: FilePath, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> Adoption

    /// Kills what would not outlive this launcher, waits for the last outcome to be delivered, lets go of all the
    /// rest, and gives all resources back. Must not be called from `ended`.
    func shutDown()
}

/// What became of a program that an earlier launcher started.
package enum Adoption: Sendable {
    case running(any RunningProcess)
    /// It was never started: nothing can have come of it.
    case neverBegan
    /// It is over, and nothing of it lives. If there is no exit file now, nobody knows how it ended.
    case gone
}

/// What to start, and where its traces go.
package struct LaunchRequest: Sendable {
    /// All arguments as they are; the first is the program. With a slash in it, it is a path, which counts from
    /// `workingDirectory`; else it is looked up in the `PATH` of `environment`.
    package var argv: [String]
    /// The file to execute, where it is not what `argv[0]` says (a frozen script that keeps its name).
    package var executable: FilePath?
    /// The whole environment; nothing is inherited or added.
    package var environment: [String: String]
    package var workingDirectory: FilePath
    /// What the program reads on its standard input; nil is `/dev/null`.
    package var input: [UInt8]?
    /// Created, mode 0600, and must not exist. Nil is `/dev/null`.
    package var stdoutPath: FilePath?
    package var stderrPath: FilePath?
    /// For each of the two logs.
    package var logLimitBytes: Int
    /// From the start to TERM; nil is never. The time that a suspended machine sleeps counts.
    package var timeout: Duration?
    /// From TERM to KILL.
    package var grace: Duration
    /// Where the outcome is written, by rename: `exit.json` in the attempt's folder, which is this attempt's own and
    /// also holds what identifies the running program. Not synced. With it, the program outlives its launcher.
    package var exitFile: FilePath?
    /// What must not reach the logs, nor how anybody would write it: `***` stands there in its place. Not empty each.
    package var secrets: [String] = []
    /// Texts that the program finds in files of its own, which are in memory alone and which nobody can change.
    package private(set) var files: [String] = []

    package var limits = ProcessLimits()
    /// Whether set-user-id, set-group-id and file capabilities of programs count for it (`PR_SET_NO_NEW_PRIVS`).
    package var mayGainPrivileges = false

    /// What it cannot change, where the machine offers to see to that; nil: nothing but what its user cannot.
    package var confinement: Confinement?

    package static let defaultLogLimitBytes = 64 << 20
    package static let defaultGrace = Duration.seconds(10)

    package init(
        argv: [String], executable: FilePath? = nil, environment: [String: String], workingDirectory: FilePath,
        input: [UInt8]? = nil, stdoutPath: FilePath? = nil, stderrPath: FilePath? = nil,
        logLimitBytes: Int = defaultLogLimitBytes, timeout: Duration? = nil, grace: Duration = defaultGrace,
        exitFile: FilePath? = nil
    ) {
        self.argv = argv
        self.executable = executable
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.input = input
        self.stdoutPath = stdoutPath
        self.stderrPath = stderrPath
        self.logLimitBytes = logLimitBytes
        self.timeout = timeout
        self.grace = grace
        self.exitFile = exitFile
    }

    /// Gives the program a text in a file; its path, which is good for the program and for what it starts.
    package mutating func addFile(_ text: String) -> String {
        files.append(text)
        return "/dev/fd/\(files.count + 2)"
    }
}

/// What a program and all that it starts can read and cannot change. It can change everything else, with one exception:
/// in the folders that lead to what is closed nothing can be made, renamed or removed.
package struct Confinement: Hashable, Sendable {
    /// Absolute.
    package var closed: [FilePath]
    /// Absolute, in what is closed, and not closed all the same.
    package var open: [FilePath]
    /// Whether it also holds for a program that begins in one of the folders where nothing could be made then.
    package var isStrict: Bool

    package init(closed: [FilePath], open: [FilePath], isStrict: Bool) {
        self.closed = closed
        self.open = open
        self.isStrict = isStrict
    }
}

/// A process that was launched.
package protocol RunningProcess: Sendable {
    /// Nil if the program failed to start, or was adopted.
    var pid: Int32? { get }
    /// Asks everything the process started to end, and kills what lives after the grace (nil: the request's).
    /// Does nothing after the end; a second call can only shorten the grace.
    func terminate(grace: Duration?)
    /// Kills everything the process started, at once.
    func kill()
}

/// Nothing was started.
package struct LaunchError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// The request makes no sense: no arguments, a NUL in a text, an environment name that is empty or has a `=`.
        case invalidRequest
        /// A log file, or what identifies the attempt, could not be created: it exists, or its folder is missing.
        case log
        /// No process, thread, memory, descriptor or room on the disk left (`EAGAIN`, `ENOMEM`, `EMFILE`, `ENFILE`,
        /// `ENOSPC`, `EDQUOT`): later it may work.
        case noResources
        /// The launcher was shut down.
        case shutDown
        case system
    }

    package var code: Code
    package var message: String
    package var path: FilePath?
    package var cause: Errno?

    package init(code: Code, message: String, path: FilePath? = nil, cause: Errno? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.cause = cause
    }
}
