import Dispatch
import Foundation
import Glibc

/// What a command left when it ended.
struct Finished: Sendable, CustomStringConvertible {
    let status: Int32
    /// True where a signal ended it; `status` is then the signal's number.
    let signalled: Bool
    let output: String
    let errors: String
    /// What it was at where it had to be killed because it did not end in time; nil: it ended by itself.
    var overdue: String?

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var description: String {
        "exit \(status)\(signalled ? " (signal)" : "")\n\(output)\(errors)"
            + (overdue.map { "\nwas killed, being overdue:\n\($0)" } ?? "")
    }
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
    private let end: AsyncStream<End>.Continuation
    private let ended: Task<End, Never>

    private struct End: Sendable {
        var status: Int32
        var signalled: Bool
        var overdue: String?
    }

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
        let files = try ["stdout", "stderr"].map { try Self.newFile(outputs.appending(path: $0)) }
        (process.standardOutput, process.standardError) = (files[0], files[1])
        let (ends, end) = AsyncStream<End>.makeStream()
        self.end = end
        process.terminationHandler = { process in
            end.yield(
                End(status: process.terminationStatus, signalled: process.terminationReason == .uncaughtSignal))
        }
        try process.run()
        // The program has them now. Here they would stay open as long as Foundation keeps the `Process`, which is to the end:
        // hundreds of commands later, `run` reads past the listing of so many files.
        for file in files { try file.close() }
        processID = process.processIdentifier
        // Unstructured: whoever waits, and however many do, the end is the same.
        ended = Task {
            for await end in ends { return end }
            return End(status: -1, signalled: false)
        }
    }

    private static func newFile(_ place: URL) throws -> FileHandle {
        try Data().write(to: place)
        return try FileHandle(forWritingTo: place)
    }

    /// Waits for the end.
    ///
    /// - Parameter limit: in seconds; then it is killed, and the result says what it was at. It only bounds a failing
    ///   test, no test's outcome depends on it.
    func finish(limit: Int = 300) async -> Finished {
        let watchdog = DispatchWorkItem { [end, processID] in
            let facts = Self.facts(about: processID)
            // Said here, too: whoever expected a certain way of ending may say nothing of what there was instead.
            print("process \(processID) did not end in \(limit) s:\n\(facts)")
            end.yield(End(status: SIGKILL, signalled: true, overdue: facts))
            _ = Glibc.kill(processID, SIGKILL)
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(limit), execute: watchdog)
        let end = await ended.value
        watchdog.cancel()
        return Finished(
            status: end.status, signalled: end.signalled, output: output, errors: errors, overdue: end.overdue)
    }

    /// The command line of a process, and where each of its threads is in the kernel.
    private static func facts(about processID: pid_t) -> String {
        func text(_ path: String) -> String {
            let bytes = (try? Data(contentsOf: URL(filePath: "/proc/\(processID)/\(path)"))) ?? Data("?".utf8)
            return String(decoding: bytes, as: UTF8.self).replacing("\0", with: " ")
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/task")) ?? []
        let places = threads.sorted().map { thread in
            "\(thread) \(text("task/\(thread)/comm")): \(text("task/\(thread)/wchan")), "
                + "system call \(text("task/\(thread)/syscall"))"
        }
        return ([text("cmdline")] + places).joined(separator: "\n")
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
