import CLinux
import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts

/// A request in the words of the supervisor (`supervision.h`).
struct LaunchMessage {
    private var header: wb_launch_header
    /// All texts, each with its NUL.
    private(set) var texts: [UInt8] = []

    /// Where programs are looked for if the environment does not say it.
    private static let standardPath = "/usr/local/bin:/usr/bin:/bin"

    init(_ request: LaunchRequest) {
        let candidates = Self.candidates(for: request)
        let variables = request.environment.sorted { $0.key.precedesInCodePoints($1.key) }
        header = wb_launch_header(
            version: UInt32(WB_SUPERVISION_VERSION), flags: 0, bytes: 0, paths: UInt32(candidates.count),
            arguments: UInt32(request.argv.count), variables: UInt32(variables.count),
            secrets: UInt32(request.secrets.count), closed: UInt32(request.confinement?.closed.count ?? 0),
            open: UInt32(request.confinement?.open.count ?? 0), files: UInt32(request.files.count),
            timeout: request.timeout?.nanosecondsOrNever ?? -1, grace: request.grace.nanosecondsOrNever,
            log_limit: UInt64(max(0, request.logLimitBytes)), limits: Self.limits(request.limits))
        add(request.workingDirectory.string)
        add(request.exitFile?.lastComponent?.string ?? "")
        for text in candidates + request.argv { add(text) }
        for (name, value) in variables { add("\(name)=\(value)") }
        for secret in request.secrets { add(secret) }
        if let confinement = request.confinement {
            for path in confinement.closed + confinement.open { add(path.string) }
        }
        for text in request.files { add(text) }
        header.bytes = UInt32(clamping: texts.count)
        if Self.isLookedUp(request) { add(WB_LOOKED_UP) }
        if request.confinement?.isStrict == true { add(WB_IS_STRICT) }
        if request.mayGainPrivileges { add(WB_MAY_GAIN_PRIVILEGES) }
    }

    /// Says that a file comes with the message, or another thing about it.
    mutating func add(_ flag: wb_launch_files) { header.flags |= flag.rawValue }

    /// Whether the texts do not fit into a packet.
    var isLong: Bool { MemoryLayout<wb_launch_header>.size + texts.count > Int(WB_LONGEST_PACKET) }

    var packet: [UInt8] {
        let head = withUnsafeBytes(of: header) { Array($0) }
        return header.flags & WB_FILE_BODY.rawValue != 0 ? head : head + texts
    }

    private static func limits(_ limits: ProcessLimits) -> waybill_limits {
        waybill_limits(
            cpu: UInt64(max(0, limits.cpuSeconds ?? 0)), memory: UInt64(max(0, limits.memoryBytes ?? 0)),
            files: UInt64(max(0, limits.files ?? 0)), processes: UInt64(max(0, limits.processes ?? 0)))
    }

    private mutating func add(_ text: String) {
        texts += text.utf8
        texts.append(0)
    }

    private static func isLookedUp(_ request: LaunchRequest) -> Bool {
        request.executable == nil && !request.argv[0].utf8.contains(UInt8(ascii: "/"))
    }

    private static func candidates(for request: LaunchRequest) -> [String] {
        if let executable = request.executable { return [executable.string] }
        let name = request.argv[0]
        guard isLookedUp(request) else { return [name] }
        return (request.environment["PATH"] ?? standardPath)
            .split(separator: ":", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "./\(name)" : "\($0)/\(name)" }
    }

    /// - Throws: `invalidRequest`.
    static func check(_ request: LaunchRequest) throws(LaunchError) {
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
        guard request.files.count <= Int(WAYBILL_MOST_FILES), request.files.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw LaunchError(
                code: .invalidRequest,
                message: "there are more than \(WAYBILL_MOST_FILES) descriptors for it, or a NUL in what they hold")
        }
        guard request.secrets.allSatisfy({ !$0.utf8.contains(0) && $0.utf8.count <= Int(WB_LONGEST_SECRET) }) else {
            throw LaunchError(code: .invalidRequest, message: "a secret is too long to be masked, or contains a NUL")
        }
    }
}

extension Duration {
    /// Not negative, and the largest there is for what has no room.
    fileprivate var nanosecondsOrNever: Int64 {
        let product = Swift.max(0, microseconds).multipliedReportingOverflow(by: 1_000)
        return product.overflow ? .max : product.partialValue
    }
}
