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
        // The first of all starts the supervisor, and the first of each thread its monitor.
        _ = try PlainThreads.time(8) { _ in try run(launcher) }
        var figures: [Figure] = []
        for (name, threads, programs) in [("in series", 1, 400), ("8 at once", 8, 100)] {
            let count = bench.size(programs)
            var supervised: [Double] = []
            var plain: [Double] = []
            try await bench.rounds(9) {
                let seconds = try PlainThreads.time(threads) { _ in for _ in 0..<count { try run(launcher) } }
                supervised.append(Double(count * threads) / seconds)
                let bare = try PlainThreads.time(threads) { _ in
                    for _ in 0..<count { try PlainProcess([program]).wait() }
                }
                plain.append(Double(count * threads) / bare)
            }
            figures.append(
                Figure(
                    name: name, unit: "programs/s", samples: supervised,
                    baseline: .init(name: "posix_spawn and waitpid/s", samples: plain)))
        }
        return figures
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
