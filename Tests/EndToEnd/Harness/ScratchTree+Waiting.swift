import Dispatch
import Foundation
import Glibc
import WaybillCore

/// A condition that did not come true in time.
struct GaveUp: Error, CustomStringConvertible {
    let what: String
    let facts: String
    var description: String { "gave up waiting until \(what)\n\(facts)" }
}

extension ScratchTree {
    /// Returns once `condition` holds: looked at again whenever something changes in the tree's run folders.
    ///
    /// - Throws: ``GaveUp`` after `limit`; the limit only bounds a failing test, no test's outcome depends on it.
    func until(
        _ what: String, watching run: String? = nil, limit: Duration = .seconds(60),
        _ condition: @escaping @Sendable () throws -> Bool
    ) async throws {
        // A thread of its own: what blocks must not hold one of the few that all tests share.
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try self.block(what, watching: run, limit: limit, condition) })
            }
        }
    }

    private func block(_ what: String, watching run: String?, limit: Duration, _ condition: () throws -> Bool) throws {
        let changes = Changes()
        let deadline = ContinuousClock.now + limit
        while true {
            // Watches first, then the look: a change in between wakes the next wait.
            changes.watch(self["runs"].path())
            // What commands print is in files, too.
            for command in names(in: ".outputs") { changes.watch(self[".outputs/\(command)"].path()) }
            if let run {
                for folder in ["", "/waits", "/inbox", "/inbox/accepted", "/inbox/rejected"] {
                    changes.watch(self["runs/\(run)\(folder)"].path())
                }
            }
            if try condition() { return }
            let left = deadline - ContinuousClock.now
            guard left > .zero else {
                let facts = run.flatMap { bytes("runs/\($0)/run.json") }.map { String(decoding: $0, as: UTF8.self) }
                throw GaveUp(what: what, facts: facts ?? "\(names(in: "runs"))")
            }
            changes.wait(milliseconds: Int32(min(left / .milliseconds(1), 1_000)))
        }
    }

    func status(_ run: String) -> String? {
        guard case .object(let object)? = json("runs/\(run)/run.json"), case .string(let status)? = object["status"]
        else { return nil }
        return status
    }

    func untilStatus(_ run: String, _ status: String) async throws {
        try await until("\(run) is \(status)", watching: run) { self.status(run) == status }
    }

    /// Until the question is open, and the run says so.
    func untilWaiting(_ run: String, for key: String) async throws {
        try await until("\(run) waits for \(key)", watching: run) {
            self.exists("runs/\(run)/waits/\(key).json") && self.status(run) == "waiting"
        }
    }
}

/// Changes in some folders, by inotify: what wakes a wait.
private final class Changes {
    private let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))

    deinit {
        close(descriptor)
    }

    /// Asking again for a folder is harmless; a folder that is missing is none to watch yet.
    func watch(_ folder: String) {
        let mask = UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_MODIFY)
        _ = inotify_add_watch(descriptor, folder, mask)
    }

    func wait(milliseconds: Int32) {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) > 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 8) { buffer in
            while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
        }
    }
}
