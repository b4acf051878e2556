import Dispatch
import Glibc
import SystemPackage
import WaybillPorts
import WaybillProcesses

/// What a monitor costs a program: `/bin/true` through the supervisor, without a ledger and without files.
enum Supervision {
    private static let program = "/bin/true"

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let caches = bench.path("supervision")
        mkdir(caches.string, 0o700)
        defer { bench.remove(caches) }
        let launcher = try SupervisedLauncher(caches: caches)
        defer { launcher.shutDown() }
        try warmUp(launcher, programs: 8)
        var figures: [Figure] = []
        for (name, threads, programs, most) in [("in series", 1, 120, 1.4), ("8 at once", 8, 30, 1.25)] {
            let count = bench.size(programs)
            var supervised: [Double] = []
            var plain: [Double] = []
            // Short rounds, so that what else the machine does hits both; and none is always the first.
            try await bench.rounds(25) {
                let isFirst = plain.count.isMultiple(of: 2)
                if isFirst { supervised.append(try cost(threads, count) { try run(launcher) }) }
                plain.append(try cost(threads, count) { try PlainProcess([program]).wait() })
                if !isFirst { supervised.append(try cost(threads, count) { try run(launcher) }) }
            }
            figures.append(
                Figure(
                    name: name, unit: "us/program", samples: supervised,
                    baseline: .init(name: "us, posix_spawn and waitpid", samples: plain), bar: .atMost(most)))
        }
        return figures
    }

    /// The first program of all starts the supervisor, and the first of those at once its monitor.
    static func warmUp(_ launcher: SupervisedLauncher, programs: Int) throws {
        _ = try PlainThreads.time(programs) { _ in try run(launcher) }
    }

    /// Microseconds for each program, if so many threads start so many each.
    private static func cost(_ threads: Int, _ count: Int, _ body: @escaping @Sendable () throws -> Void) throws
        -> Double
    {
        let seconds = try PlainThreads.time(threads) { _ in for _ in 0..<count { try body() } }
        return seconds / Double(count * threads) * 1e6
    }

    /// Starts a program, and waits for its end.
    private static func run(_ launcher: SupervisedLauncher) throws {
        let ended = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var code: Int32?
        _ = try launcher.launch(
            LaunchRequest(argv: [program], environment: ["PATH": "/usr/bin:/bin"], workingDirectory: "/")
        ) { outcome in
            code = outcome?.exitCode
            ended.signal()
        }
        ended.wait()
        guard code == 0 else { throw BenchmarkError(description: "\(program) did not end with 0") }
    }
}
