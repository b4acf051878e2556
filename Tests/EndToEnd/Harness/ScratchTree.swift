import Foundation
import Glibc
import Testing
import WaybillCore

/// A tree of its own for one test, gone when the test is over.
final class ScratchTree: Sendable {
    let root: URL
    private let counter = Counter()
    private let isOwned: Bool

    /// The repository that this file was compiled from.
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// - Parameters:
    ///   - files: text by path from the tree's root; a text that starts with `#!` becomes executable.
    ///   - copying: paths of this repository that the tree gets a copy of, such as `workflows/release`.
    init(_ files: [String: String] = [:], copying: [String] = []) throws {
        let name = "waybill-\(UUID().uuidString.prefix(8))"
        // Resolved: commands print real paths, and tests compare them.
        isOwned = true
        root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(path: name)
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        for folder in ["workflows", "runs"] {
            try FileManager.default.createDirectory(at: self[folder], withIntermediateDirectories: true)
        }
        for path in copying {
            let target = self[path]
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: Self.repository.appending(path: path), to: target)
        }
        for (path, text) in files { try write(text, to: path) }
    }

    /// A tree that is somebody else's, seen from here.
    init(seenAt root: URL) {
        self.root = root
        isOwned = false
    }

    deinit {
        guard isOwned else { return }
        try? FileManager.default.removeItem(at: root)
    }

    /// A place in the tree.
    subscript(path: String) -> URL { root.appending(path: path) }

    // MARK: Files

    func write(_ text: String, to path: String) throws {
        let place = self[path]
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: place)
        if text.hasPrefix("#!") {
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: place.path())
        }
    }

    /// Puts a whole file in place by rename, as `mv` does.
    func drop(_ text: String, at path: String) throws {
        let aside = self["\(path).tmp"]
        try Data(text.utf8).write(to: aside)
        guard rename(aside.path(), self[path].path()) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: self[path].path()) }

    /// The bytes of a file; nil if missing.
    func bytes(_ path: String) -> [UInt8]? { (try? Data(contentsOf: self[path])).map { [UInt8]($0) } }

    /// The lines of a text file; none if it is missing.
    func lines(_ path: String) -> [String] {
        bytes(path).map { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) } ?? []
    }

    /// Names in a folder, sorted, hidden ones too; none if it is missing.
    func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self[path].path())) ?? []).sorted()
    }

    /// A JSON file; nil if missing or, for a moment, not whole.
    func json(_ path: String) -> Value? { bytes(path).flatMap { try? JSON.parse($0) } }

    /// A member deep in a JSON file; nil where any part of the way is missing.
    func member(_ path: String, _ keys: String...) -> Value? {
        keys.reduce(json(path)) { value, key in value?.member(key) }
    }

    /// A run's ledger, an entry each.
    func ledger(_ run: String) throws -> [Value] {
        try lines("runs/\(run)/ledger.jsonl").map { try JSON.parse([UInt8]($0.utf8)) }
    }

    // MARK: Commands

    private func outputs() -> URL {
        self[".outputs/\(counter.next())"]
    }

    /// Runs `waybill` in the tree, to its end.
    func waybill(_ arguments: String..., environment: [String: String]? = nil) async throws -> Finished {
        try await start(arguments, environment: environment).finish()
    }

    /// Runs `waybill` in the tree, and expects an exit status.
    @discardableResult
    func expect(
        _ status: Int32, _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Finished {
        let finished = try await start(arguments).finish()
        #expect(
            finished.status == status && !finished.signalled, "waybill \(arguments): \(finished)",
            sourceLocation: sourceLocation)
        return finished
    }

    /// Starts `waybill` in the tree.
    func start(_ arguments: [String], environment: [String: String]? = nil) throws -> RunningCommand {
        try RunningCommand(Waybill.binary, arguments, in: root, outputs: outputs(), environment: environment)
    }

    /// Runs another program in the tree, to its end.
    func run(_ arguments: String...) async throws -> Finished { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> Finished {
        try await RunningCommand(URL(filePath: "/usr/bin/env"), arguments, in: root, outputs: outputs()).finish()
    }

    /// Starts a daemon, and returns once it attends the tree: from then on commands leave the work to it.
    ///
    /// - Parameter launcher: what `env` is given in front of the command, for example `nohup`.
    func startDaemon(through launcher: [String] = []) async throws -> RunningCommand {
        let daemon = try RunningCommand(
            URL(filePath: "/usr/bin/env"), launcher + [Waybill.binary.path(), "daemon"], in: root, outputs: outputs())
        try await until("the daemon attends the tree") { daemon.errors.contains("attending") }
        return daemon
    }

    /// A daemon for the length of `body`; what happens to it in between is the body's business.
    func withDaemon<Result>(_ body: (RunningCommand) async throws -> Result) async throws -> Result {
        let daemon = try await startDaemon()
        do {
            let result = try await body(daemon)
            await daemon.stop()
            return result
        } catch {
            await daemon.kill()
            throw error
        }
    }
}

extension Value {
    /// A member of an object; nil if it is missing or this is none.
    func member(_ key: String) -> Value? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }
}

/// Numbers the commands of one tree.
private final class Counter: Sendable {
    private let lock = NSLock()
    private nonisolated(unsafe) var value = 0

    func next() -> Int {
        lock.withLock {
            value += 1
            return value
        }
    }
}
