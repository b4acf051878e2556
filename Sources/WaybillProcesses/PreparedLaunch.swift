import CLinux
import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts

/// A request with all that can fail before there is a process: checked texts, files, pipes.
final class PreparedLaunch: @unchecked Sendable {
    // Made on the caller's thread, spawned on another, then owned by the loop: never by two at once.

    let request: LaunchRequest
    let tag: AttemptTag?
    /// The files to try, in order.
    let candidates: [String]
    private let paths: CStrings
    private let argv: CStrings
    private let environment: CStrings
    private let input: OwnedDescriptor
    private let outputStream: Stream
    private let errorStream: Stream

    /// Where one of the two outputs goes.
    private final class Stream {
        /// What the program gets.
        let writing: OwnedDescriptor
        /// Nil if the output goes to `/dev/null`.
        var reading: OwnedDescriptor?
        var log: OwnedDescriptor?

        init(writing: OwnedDescriptor, reading: OwnedDescriptor? = nil, log: OwnedDescriptor? = nil) {
            self.writing = writing
            self.reading = reading
            self.log = log
        }
    }

    init(_ request: LaunchRequest) throws(LaunchError) {
        try Self.check(request)
        self.request = request
        tag = AttemptTag.next()
        candidates = Self.candidates(for: request)
        paths = CStrings(candidates)
        argv = CStrings(request.argv)
        environment = CStrings(
            request.environment.sorted { $0.key.precedesInCodePoints($1.key) }.map { "\($0.key)=\($0.value)" })
        input = try Self.inputDescriptor(request.input)
        outputStream = try Self.stream(to: request.stdoutPath)
        do {
            errorStream = try Self.stream(to: request.stderrPath)
        } catch {
            // Nothing was started: the next try must find the way free.
            if let path = request.stdoutPath { unlink(path.string) }
            throw error
        }
    }

    /// Starts the program; returns with it running, or with the failure in the result.
    func spawn() -> waybill_spawn_result {
        var result = waybill_spawn_result()
        request.workingDirectory.withPlatformString { directory in
            var raw = waybill_spawn_request(
                paths: paths.constant, argv: argv.pointers, envp: environment.pointers, directory: directory,
                standard: (input.number, outputStream.writing.number, errorStream.writing.number), tag: tag?.value ?? 0)
            _ = waybill_spawn(&raw, &result)
        }
        return result
    }

    /// The reading ends, each once. The writing ends are closed when this object goes.
    func takeStdout() -> LogPipe? { takeLog(outputStream) }
    func takeStderr() -> LogPipe? { takeLog(errorStream) }

    /// Removes the logs of a launch that came to nothing.
    func abandon() {
        for path in [request.stdoutPath, request.stderrPath] {
            if let path { unlink(path.string) }
        }
    }

    private func takeLog(_ stream: Stream) -> LogPipe? {
        guard let pipe = stream.reading?.take(), let log = stream.log?.take() else { return nil }
        return LogPipe(pipe: pipe, log: log, limitBytes: request.logLimitBytes)
    }

    private static func check(_ request: LaunchRequest) throws(LaunchError) {
        guard !request.argv.isEmpty, request.argv[0] != "" else {
            throw LaunchError(code: .invalidRequest, message: "there is no program to start: argv is empty")
        }
        if request.argv.contains(where: { $0.utf8.contains(0) }) {
            throw LaunchError(code: .invalidRequest, message: "an argument contains a NUL character")
        }
        for (name, value) in request.environment {
            if name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) {
                throw LaunchError(
                    code: .invalidRequest, message: "an environment variable cannot be called \"\(name)\"")
            }
            if name.utf8.contains(0) || value.utf8.contains(0) {
                throw LaunchError(
                    code: .invalidRequest, message: "the environment variable \(name) contains a NUL character")
            }
        }
    }

    /// Where programs are looked for if the environment does not say it.
    static let standardPath = "/usr/local/bin:/usr/bin:/bin"

    private static func candidates(for request: LaunchRequest) -> [String] {
        if let executable = request.executable { return [executable.string] }
        let name = request.argv[0]
        if name.utf8.contains(UInt8(ascii: "/")) { return [name] }
        return (request.environment["PATH"] ?? standardPath)
            .split(separator: ":", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "./\(name)" : "\($0)/\(name)" }
    }

    /// A file in memory with the input, at its beginning: no thread has to feed a pipe, and a program that reads
    /// nothing blocks nobody.
    private static func inputDescriptor(_ bytes: [UInt8]?) throws(LaunchError) -> OwnedDescriptor {
        guard let bytes, !bytes.isEmpty else { return try null(O_RDONLY) }
        let file = try OwnedDescriptor(waybill_memory_file("stdin"), "cannot keep the standard input")
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file.number, $0.baseAddress, $0.count) }
            guard count > 0 else { throw LaunchError.system(errno, "cannot keep the standard input") }
            rest = rest.dropFirst(count)
        }
        lseek(file.number, 0, SEEK_SET)
        return file
    }

    private static func stream(to path: FilePath?) throws(LaunchError) -> Stream {
        guard let path else { return Stream(writing: try null(O_WRONLY)) }
        var ends: (reading: Int32, writing: Int32) = (-1, -1)
        guard waybill_pipe(&ends.reading, &ends.writing) == 0 else {
            throw LaunchError.system(errno, "cannot make a pipe")
        }
        let reading = try OwnedDescriptor(ends.reading, "cannot make a pipe")
        let writing = try OwnedDescriptor(ends.writing, "cannot make a pipe")
        // Only our end: the flag is the pipe end's own, and programs expect to block.
        _ = fcntl(reading.number, F_SETFL, O_NONBLOCK)
        let log = open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard log >= 0 else { throw LaunchError.log(errno, path) }
        return Stream(writing: writing, reading: reading, log: try OwnedDescriptor(log, "log"))
    }

    private static func null(_ mode: Int32) throws(LaunchError) -> OwnedDescriptor {
        try OwnedDescriptor(open("/dev/null", mode | O_CLOEXEC), "cannot open /dev/null")
    }
}

/// A descriptor that is closed with its owner.
final class OwnedDescriptor {
    private(set) var number: Int32

    /// - Throws: What `errno` says if the number is negative.
    init(_ number: Int32, _ what: String) throws(LaunchError) {
        guard number >= 0 else { throw LaunchError.system(errno, what) }
        self.number = number
    }

    /// Gives the descriptor away.
    func take() -> Int32 {
        defer { number = -1 }
        return number
    }

    deinit { if number >= 0 { close(number) } }
}

extension LaunchError {
    /// A failure of the system, told apart by whether waiting may help.
    static func system(_ number: Int32, _ what: String) -> LaunchError {
        let isShort = [EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC].contains(number)
        let cause = Errno(rawValue: number)
        return LaunchError(
            code: isShort ? .noResources : .system, message: "\(what): \(cause.description)", cause: cause)
    }

    fileprivate static func log(_ number: Int32, _ path: FilePath) -> LaunchError {
        let cause = Errno(rawValue: number)
        return LaunchError(
            code: [EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT].contains(number) ? .noResources : .log,
            message: "cannot create the log \(path): \(cause.description)", path: path, cause: cause)
    }
}
