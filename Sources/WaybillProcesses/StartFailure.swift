import CLinux
import Glibc
import SystemPackage
import WaybillPorts

/// Why a program did not start, in words that say what to do.
struct StartFailure {
    let request: LaunchRequest
    /// The file that the kernel refused.
    let path: String
    let result: waybill_spawn_result

    var message: String {
        switch result.stage {
        case WAYBILL_SPAWN_DIRECTORY: "working directory \(request.workingDirectory): \(reason)"
        case WAYBILL_SPAWN_EXECUTE: executionMessage
        default: "cannot prepare the process of \(request.argv[0]): \(reason)"
        }
    }

    private var reason: String { Errno(rawValue: result.failure).description }
    private var isLookedUp: Bool { request.executable == nil && !request.argv[0].utf8.contains(UInt8(ascii: "/")) }

    private var executionMessage: String {
        switch result.failure {
        case ENOENT, ENOTDIR: missingMessage
        case EACCES: deniedMessage
        case ENOEXEC: "\(path): neither a program for this machine nor a script that begins with #!"
        case E2BIG: "\(request.argv[0]): arguments and environment are too long for the system"
        default: "\(path): \(reason)"
        }
    }

    private var missingMessage: String {
        if isLookedUp {
            let searched = request.environment["PATH"] ?? PreparedLaunch.standardPath
            return "\(request.argv[0]): not found in PATH (\(searched))"
        }
        guard let interpreter else { return "\(path): \(reason)" }
        if interpreter.utf8.last == UInt8(ascii: "\r") {
            return "\(path): its first line ends with a carriage return; save it with Unix line ends"
        }
        return "\(path): its interpreter \(interpreter) does not exist"
    }

    private var deniedMessage: String {
        var status = stat()
        guard stat(absolutePath, &status) == 0 else { return "\(path): \(reason)" }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return "\(path): is a directory"
        case S_IFREG where status.st_mode & 0o111 == 0: return "\(path): not executable (chmod +x \(path))"
        default: return "\(path): \(reason)"
        }
    }

    private var absolutePath: String {
        path.hasPrefix("/") ? path : request.workingDirectory.appending(path).string
    }

    /// What the first line of a script names; nil if the file is missing or no script.
    private var interpreter: String? {
        let file = open(absolutePath, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        // The kernel reads as much (`BINPRM_BUF_SIZE`).
        var head = [UInt8](repeating: 0, count: 256)
        let count = read(file, &head, head.count)
        guard count > 2, head[0] == UInt8(ascii: "#"), head[1] == UInt8(ascii: "!") else { return nil }
        let line = head[2..<count].prefix { $0 != UInt8(ascii: "\n") }
        let word = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            .prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }
}
