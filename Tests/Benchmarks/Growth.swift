import Glibc
import SystemPackage
import WaybillCore

/// Whether a step of a long run costs what one of a short run does, over all checkpoints of both.
enum Growth {
    /// What a run of one length took.
    private struct Cost {
        var seconds = 0.0
        /// Of all threads, in the program and in the kernel: what else the machine does is not in it.
        var processorSeconds = 0.0
        var writtenBytes = 0.0

        static func += (left: inout Cost, right: Cost) {
            left.seconds += right.seconds
            left.processorSeconds += right.processorSeconds
            left.writtenBytes += right.writtenBytes
        }

        static func / (cost: Cost, count: Double) -> Cost {
            Cost(
                seconds: cost.seconds / count, processorSeconds: cost.processorSeconds / count,
                writtenBytes: cost.writtenBytes / count)
        }
    }

    /// One way for a run to be long.
    private struct Shape: Sendable {
        var name: String
        var large: Int
        var manifest: @Sendable (Int) -> String
        var inputs: @Sendable (Int) -> Object = { _ in Object() }
    }

    private static let small = 100
    /// A long run's step may cost so many times what one of a short run does.
    private static let bar = 1.1
    /// Short runs beside a long one, so that both take long enough to be timed.
    private static let repetitions = 10

    private static let shapes = [
        Shape(
            name: "visits of a machine", large: 100_000, manifest: { _ in PureSteps.manifest },
            inputs: { ["steps": .int(Int64($0))] }),
        Shape(name: "steps of a graph", large: 50_000) { count in
            "kind: Workflow\nname: bench\nsteps:\n"
                + (0..<count).map { "  - {id: s\($0), set: {visit: \($0)}}\n" }.joined()
        },
        Shape(
            name: "items of a forEach", large: 100_000,
            manifest: { _ in
                """
                kind: Workflow
                name: bench
                inputs: {list: {type: array}}
                steps:
                  - {id: s, forEach: {items: "${{ inputs.list }}", maxParallel: 2}, set: {visit: "${{ item }}"}}
                """
            }, inputs: { count in ["list": .list((0..<count).map { .int(Int64($0)) })] }),
    ]

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        var figures: [Figure] = []
        for shape in shapes {
            let large = bench.isQuick ? shape.large / 50 : shape.large
            var long: [Cost] = []
            var short: [Cost] = []
            try await bench.rounds(3) {
                var sum = Cost()
                for _ in 0..<repetitions { sum += try await cost(of: small, shape, bench) }
                short.append(sum / Double(repetitions * small))
                long.append(try await cost(of: large, shape, bench) / Double(large))
            }
            func figure(
                _ what: String, _ unit: String, _ member: KeyPath<Cost, Double>, _ scale: Double = 1
            ) -> Figure {
                Figure(
                    name: "\(Text.count(large)) \(shape.name), \(what)", unit: unit,
                    samples: long.map { $0[keyPath: member] * scale },
                    baseline: .init(
                        name: "\(unit) of \(small)", samples: short.map { $0[keyPath: member] * scale }),
                    bar: .atMost(bar))
            }
            figures += [
                figure("bytes written", "bytes/step", \.writtenBytes), figure("time", "us/step", \.seconds, 1e6),
                figure("processor time", "us/step", \.processorSeconds, 1e6),
            ]
        }
        return figures
    }

    private static func cost(of steps: Int, _ shape: Shape, _ bench: Workbench) async throws -> Cost {
        let tree = try BenchTree(at: bench.path("growth"), manifest: shape.manifest(steps))
        defer { bench.remove(tree.root) }
        let runs = try tree.start(1, inputs: shape.inputs(steps))
        let writtenBefore = try writtenBytes()
        let processorBefore = Host.processorSeconds
        let seconds = try await tree.complete(runs, stepsPerDecision: nil)
        return Cost(
            seconds: seconds, processorSeconds: Host.processorSeconds - processorBefore,
            writtenBytes: Double(try writtenBytes() - writtenBefore))
    }

    /// What this process has handed to `write` and its like: ledger, checkpoints, projections, journal (proc(5), `io`).
    private static func writtenBytes() throws -> Int {
        let line = PlainFile.text("/proc/self/io")?.split(separator: "\n").first { $0.hasPrefix("wchar: ") }
        guard let count = line.flatMap({ Int($0.dropFirst(7)) }) else {
            throw BenchmarkError(description: "/proc/self/io cannot be read, so that bytes cannot be counted")
        }
        return count
    }
}
