import Glibc
import SystemPackage
import WaybillCore

/// Steps that start a program: `/bin/true`, whose own work is next to nothing.
enum ProcessSteps {
    private static let program = "/bin/true"
    /// Of a ledger's lines for such a step, about.
    private static let recordBytes = 1_500

    private static let manifest = """
        kind: Workflow
        name: bench
        inputs:
          steps: {type: integer}
        states:
          step:
            run: [\(program)]
            maxVisits: 1000000
            next: [{if: visit < inputs.steps, to: step}, {to: end}]
        """

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        var figures: [Figure] = []
        for (name, runs, steps) in [("in series", 1, 200), ("8 at once", 8, 50)] {
            let count = bench.size(steps)
            var rates: [Double] = []
            var spawns: [Double] = []
            var durable: [Double] = []
            try await bench.rounds(5) {
                let tree = try BenchTree(at: bench.path("process"), manifest: manifest)
                let started = try tree.start(runs, inputs: ["steps": .int(Int64(count))])
                let seconds = try await tree.complete(started, stepsPerDecision: nil, startsPrograms: true)
                bench.remove(tree.root)
                rates.append(Double(count * runs) / seconds)
                let plain = try PlainThreads.time(runs) { _ in
                    for _ in 0..<count { try PlainProcess([program]).wait() }
                }
                spawns.append(Double(count * runs) / plain)
                durable.append(Double(count * runs) / (try withFiles(runs, count, bench)))
            }
            figures.append(
                Figure(
                    name: name, unit: "steps/s", samples: rates,
                    baseline: .init(name: "posix_spawn and waitpid/s", samples: spawns)))
            figures.append(
                Figure(
                    name: name, unit: "steps/s", samples: rates,
                    baseline: .init(name: "the same with its files and a sync/s", samples: durable),
                    bar: .atLeast(0.75)))
        }
        return figures
    }

    /// Seconds for the same number of programs, each with a folder, two logs, an exit file by rename, and one record
    /// appended and synced: what a step leaves, made by a plain program.
    private static func withFiles(_ threads: Int, _ count: Int, _ bench: Workbench) throws -> Double {
        let root = bench.path("files")
        mkdir(root.string, 0o700)
        defer { bench.remove(root) }
        return try PlainThreads.time(threads) { number in
            let folder = root.appending("\(number)")
            mkdir(folder.string, 0o700)
            let ledger = try FileDescriptor.open(
                folder.appending("ledger"), .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
            defer { try? ledger.close() }
            let record = [UInt8](repeating: UInt8(ascii: "x"), count: recordBytes)
            for step in 0..<count {
                let attempt = folder.appending("\(step)")
                mkdir(attempt.string, 0o700)
                try PlainFile.write([], to: attempt.appending("stderr.log"))
                try PlainProcess([program], output: attempt.appending("stdout.log")).wait()
                try PlainFile.write(Array(record.prefix(200)), to: attempt.appending("exit.tmp"))
                rename(attempt.appending("exit.tmp").string, attempt.appending("exit.json").string)
                _ = try ledger.writeAll(record)
                guard fdatasync(ledger.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
        }
    }
}
