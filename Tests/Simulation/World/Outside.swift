import SystemPackage
import WaybillCore

/// What lives beside the daemons of a world, and outlives them: time, processes, servers, people. A value, so that a
/// world can be copied at any moment.
struct Outside: Sendable {
    var now: Timestamp
    var monotonicNanoseconds: UInt64 = 1_000_000_000
    /// Goes up with every power loss.
    var boot = 1
    /// How often somebody set the clock.
    var jumps = 0
    /// The last process that was started, of any kind.
    var lastProcess = 10
    /// Programs that run, by number.
    var programs: [Int: Program] = [:]
    /// Requests that a server works on.
    var requests: [Int: Request] = [:]
    /// Every program that ever ran, by its attempt's folder.
    var launches: [String: Launch] = [:]
    /// How often a server got a request, by its idempotency key.
    var received: [String: Int] = [:]
    var people: People

    mutating func pass(_ span: Duration) {
        now = now + span
        monotonicNanoseconds += UInt64(span.microseconds) * 1_000
    }

    /// Somebody sets the time of day; no time passes, and what takes its time takes no more of it.
    mutating func set(_ time: Timestamp) {
        let jump = time - now
        now = time
        people.beganAt = people.beganAt + jump
        programs = programs.mapValues { program in
            var program = program
            program.endsAt = program.endsAt + jump
            return program
        }
        requests = requests.mapValues { request in
            var request = request
            request.endsAt = request.endsAt + jump
            return request
        }
    }

    mutating func nextProcess() -> Int {
        lastProcess += 1
        return lastProcess
    }
}

/// A program that a step started.
struct Program: Sendable {
    /// The attempt's folder.
    var folder: FilePath
    var startedAt: Timestamp
    var endsAt: Timestamp
    var exitCode: Int32
    var output: [UInt8]
    /// Why it is asked to end: by request or because its time was up.
    var isStopped = false
    var isLate = false
}

/// A program's life, for the books.
struct Launch: Sendable {
    var count = 1
    var key: String
    /// Nil until it ended by itself.
    var exitCode: Int32?
}

/// A request that a server works on.
struct Request: Sendable {
    /// Of the process that sent it and hears the answer if it lives.
    var owner: Int
    var startedAt: Timestamp
    var endsAt: Timestamp
    var status: Int
    var isCancelled = false
}
