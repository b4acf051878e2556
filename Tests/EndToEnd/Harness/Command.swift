import Foundation
import Glibc

/// What a command left when it ended.
struct Finished: Sendable, CustomStringConvertible {
    let status: Int32
    /// True where a signal ended it; `status` is then the signal's number.
    let signalled: Bool
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var description: String { "exit \(status)\(signalled ? " (signal)" : "")\n\(output)\(errors)" }
}

/// The built `waybill`, as a user runs it.
enum Waybill {
    /// The executable beside the test bundle; `WAYBILL_BINARY` names another one, for example the release build.
    static let binary: URL = {
        if let path = ProcessInfo.processInfo.environment["WAYBILL_BINARY"] { return URL(filePath: path) }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
        return URL(filePath: bundle).deletingLastPathComponent().appending(path: "waybill")
    }()
}

/// A program that was started, with its output in files, so that none can block it.
final class RunningCommand: Sendable {
    let processID: pid_t
    private let outputs: URL
    private let ended: Task<(status: Int32, signalled: Bool), Never>

    /// - Parameters:
    ///   - outputs: a folder that is created for the two output files.
    ///   - environment: all the program sees; the test's own where nil.
    init(
        _ executable: URL, _ arguments: [String], in folder: URL, outputs: URL, environment: [String: String]? = nil
    ) throws {
        try FileManager.default.createDirectory(at: outputs, withIntermediateDirectories: true)
        self.outputs = outputs
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.newFile(outputs.appending(path: "stdout"))
        process.standardError = try Self.newFile(outputs.appending(path: "stderr"))
        let (ends, end) = AsyncStream<(status: Int32, signalled: Bool)>.makeStream()
        process.terminationHandler = { process in
            end.yield((process.terminationStatus, process.terminationReason == .uncaughtSignal))
            end.finish()
        }
        try process.run()
        processID = process.processIdentifier
        // Unstructured: whoever waits, and however many do, the end is the same.
        ended = Task {
            for await end in ends { return end }
            return (status: -1, signalled: false)
        }
    }

    private static func newFile(_ place: URL) throws -> FileHandle {
        try Data().write(to: place)
        return try FileHandle(forWritingTo: place)
    }

    /// Waits for the end, however long it takes.
    func finish() async -> Finished {
        let end = await ended.value
        return Finished(status: end.status, signalled: end.signalled, output: output, errors: errors)
    }

    /// What was printed so far.
    var output: String { (try? String(contentsOf: outputs.appending(path: "stdout"), encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOf: outputs.appending(path: "stderr"), encoding: .utf8)) ?? "" }

    /// Ends it at once, as a crash would, and waits until it is gone.
    @discardableResult
    func kill() async -> Finished {
        _ = Glibc.kill(processID, SIGKILL)
        return await finish()
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    @discardableResult
    func stop() async -> Finished {
        _ = Glibc.kill(processID, SIGTERM)
        return await finish()
    }
}
