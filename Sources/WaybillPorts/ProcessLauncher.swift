package import SystemPackage

/// Starts programs and says how they ended. The way a step's process lives is described here once, whoever hosts it.
///
/// - **Alone.** Each process leads a session and process group of its own, has exactly the arguments, environment and
///   folder of its request, default signal dispositions, `umask` 077, and no descriptors but its standard three.
/// - **Ends with its first process.** What that process left behind is killed, also what changed its process
///   group or session or lost its parent. Only then `ended` is called: nothing of the step lives any more.
/// - **Stopping** is TERM to everything the process started; what lives after the grace gets KILL.
/// - **Logs** are written as they come, up to a limit; what is over is read and dropped, so that neither the disk
///   fills nor the program blocks, and the outcome says so.
/// - **The durable outcome** is `exitFile`, written aside and renamed, and there before `ended` is called. The callback is a
///   convenience of the one who launched; whoever finds the attempt's folder later reads the file
///   (`ProcessOutcome(record:)`). So a launcher may leave its processes to a supervisor that outlives the
///   daemon: the next daemon collects what has an exit file and adopts what has none and still lives.
package protocol ProcessLauncher: Sendable {
    /// Starts a program.
    ///
    /// Returns as soon as the program runs, or it is known that it cannot. `ended` is called exactly once unless this
    /// throws, possibly before this returns, on a thread of the launcher; it must not block, and hands over instead.
    ///
    /// - Throws: ``LaunchError`` when nothing was started because of the request or for want of resources. A program
    ///   that is missing or cannot be executed is *not* thrown: that is an outcome, `failedToStart`.
    func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome) -> Void
    ) throws(LaunchError) -> any RunningProcess

    /// Kills what runs, waits for the last outcome to be delivered, and gives all resources back.
    /// Must not be called from `ended`.
    func shutDown()
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
    /// From the start to TERM; nil is never. The time a suspended machine sleeps does not count.
    package var timeout: Duration?
    /// From TERM to KILL.
    package var grace: Duration
    /// Where the outcome is written, by rename: `exit.json` in the attempt's folder. Not synced.
    package var exitFile: FilePath?

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
}

/// A process that was launched.
package protocol RunningProcess: Sendable {
    /// Nil if the program failed to start.
    var pid: Int32? { get }
    /// When the kernel started it, in clock ticks since the boot (field 22 of `/proc/<pid>/stat`): together with
    /// `pid` this names a process for good, while a pid alone may come back. Nil once it has ended.
    var startTicks: UInt64? { get }
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
        /// A log file could not be created: it exists, or its folder is missing.
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
