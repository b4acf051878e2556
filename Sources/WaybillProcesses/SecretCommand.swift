import CLinux
import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts

/// A command that prints a secret. It runs with the environment of this process, for it may need the user's own setup,
/// and what it prints goes through memory alone. What it says on standard error is dropped: it might quote the secret.
struct SecretCommand {
    let words: [String]
    let directory: FilePath
    let patience: Duration

    private static let standardPath = "/usr/local/bin:/usr/bin:/bin"
    private static let mostBytes = Int(WB_LONGEST_SECRET) + 3

    func run() throws(SecretError) -> [UInt8] {
        var ends: (reading: Int32, writing: Int32) = (-1, -1)
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0, waybill_pipe(&ends.reading, &ends.writing) == 0 else {
            throw problem(.failed, "cannot be started: \(Errno(rawValue: errno).description)")
        }
        defer {
            close(null)
            close(ends.reading)
        }
        let result = spawn(standard: (null, ends.writing, null))
        close(ends.writing)
        guard result.failure == 0 else {
            let reason = Errno(rawValue: result.failure)
            let isMissing = reason == .noSuchFileOrDirectory
            throw problem(isMissing ? .missing : .failed, "cannot be started: \(reason.description)")
        }
        defer { close(result.pidfd) }
        let output = read(ends.reading)
        // It may go on after it closed its output; what it started is of its session unless it wants to get away.
        let isTooLong = output?.count == Self.mostBytes
        let hasEnded = output != nil && !isTooLong && waits(for: result.pidfd)
        kill(-result.pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(result.pid, &status, 0) < 0, errno == EINTR {}
        if isTooLong { throw problem(.unusable, "prints more than a secret may have") }
        guard let output, hasEnded else { throw problem(.failed, "took longer than \(patience.text)") }
        guard status == 0 else {
            let code = status & 0x7F == 0 ? "exited with code \(status >> 8 & 0xFF)" : "was ended by a signal"
            throw problem(.failed, code)
        }
        return output
    }

    private func problem(_ code: SecretError.Code, _ text: String) -> SecretError {
        SecretError(code, "the command \(words.joined(separator: " ")) \(text)")
    }

    private var candidates: [String] {
        guard !words[0].contains("/") else { return [words[0]] }
        let path = getenv("PATH").map { String(cString: $0) } ?? Self.standardPath
        return path.split(separator: ":").map { "\($0)/\(words[0])" }
    }

    private func spawn(standard: (Int32, Int32, Int32)) -> waybill_spawn_result {
        let paths = candidates.map { strdup($0) }
        let arguments = words.map { strdup($0) }
        defer { for text in paths + arguments { free(text) } }
        var result = waybill_spawn_result()
        (paths.map { UnsafePointer($0) } + [nil]).withUnsafeBufferPointer { paths in
            (arguments + [nil]).withUnsafeBufferPointer { argv in
                directory.string.withCString { directory in
                    var request = waybill_spawn_request()
                    request.paths = paths.baseAddress
                    request.argv = argv.baseAddress
                    request.envp = UnsafePointer(environ)
                    request.directory = directory
                    request.standard = standard
                    _ = waybill_spawn(&request, &result)
                }
            }
        }
        return result
    }

    /// All that comes until the end, one byte more than a secret may have at most; nil if time is up before.
    private func read(_ pipe: Int32) -> [UInt8]? {
        let end = ContinuousClock.now + patience
        var bytes = [UInt8](repeating: 0, count: Self.mostBytes)
        var size = 0
        while size < bytes.count {
            guard isReadable(pipe, until: end) else { return nil }
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(pipe, $0.baseAddress?.advanced(by: size), $0.count - size)
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            size += count
        }
        return Array(bytes[..<size])
    }

    private func waits(for pidfd: Int32) -> Bool { isReadable(pidfd, until: ContinuousClock.now + patience) }

    private func isReadable(_ descriptor: Int32, until end: ContinuousClock.Instant) -> Bool {
        while true {
            let left = end - ContinuousClock.now
            guard left > .zero else { return false }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let count = poll(&waiting, 1, Int32(clamping: left.microseconds / 1_000 + 1))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }
}
