import Glibc
import SystemPackage
import WaybillCore

/// Whether the ten-thousandth step costs what the tenth does.
enum Growth {
    /// What a run of one length took.
    private struct Cost {
        var seconds = 0.0
        /// Of all threads, in the program and in the kernel: what else the machine does is not in it.
        var processorSeconds = 0.0
        var writtenBytes = 0.0
        var ledgerBytes = 0.0
    }

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let lengths = [10, 1_000, bench.isQuick ? 2_000 : 10_000]
        var costs: [[Cost]] = lengths.map { _ in [] }
        try await bench.rounds(3) {
            for (index, length) in lengths.enumerated() { costs[index].append(try await cost(of: length, bench)) }
        }
        func perStep(_ index: Int, _ member: KeyPath<Cost, Double>) -> [Double] {
            costs[index].map { $0[keyPath: member] / Double(lengths[index] - 1) }
        }
        var figures: [Figure] = []
        for (index, length) in lengths.enumerated() {
            figures.append(
                Figure(
                    name: "bytes written, \(Text.count(length)) steps", unit: "bytes/step",
                    samples: perStep(index, \.writtenBytes),
                    baseline: .init(name: "bytes/step in its ledger", samples: perStep(index, \.ledgerBytes))))
        }
        for (index, length) in lengths.enumerated() {
            figures.append(
                Figure(
                    name: "time, \(Text.count(length)) steps", unit: "us/step",
                    samples: perStep(index, \.seconds).map { $0 * 1e6 },
                    baseline: index < 2
                        ? nil : .init(name: "us/step at 1,000", samples: perStep(1, \.seconds).map { $0 * 1e6 })))
        }
        figures.append(
            Figure(
                name: "processor time, \(Text.count(lengths[2])) steps", unit: "us/step",
                samples: perStep(2, \.processorSeconds).map { $0 * 1e6 },
                baseline: .init(name: "us/step at 1,000", samples: perStep(1, \.processorSeconds).map { $0 * 1e6 })))
        figures.append(
            Figure(
                name: "bytes written, between 1,000 and \(Text.count(lengths[2]))", unit: "bytes/step",
                samples: zip(costs[2], costs[1]).map {
                    ($0.writtenBytes - $1.writtenBytes) / Double(lengths[2] - lengths[1])
                },
                baseline: .init(
                    name: "between 10 and 1,000",
                    samples: zip(costs[1], costs[0]).map {
                        ($0.writtenBytes - $1.writtenBytes) / Double(lengths[1] - lengths[0])
                    })))
        return figures
    }

    private static func cost(of steps: Int, _ bench: Workbench) async throws -> Cost {
        let tree = try BenchTree(at: bench.path("growth"), manifest: PureSteps.manifest)
        defer { bench.remove(tree.root) }
        let runs = try tree.start(1, inputs: ["steps": .int(Int64(steps))])
        let ledger = tree.ledger(of: runs[0])
        let sizeBefore = PlainFile.size(ledger)
        let writtenBefore = try writtenBytes()
        let processorBefore = Host.processorSeconds
        let seconds = try await tree.complete(runs, stepsPerDecision: nil)
        return Cost(
            seconds: seconds, processorSeconds: Host.processorSeconds - processorBefore,
            writtenBytes: Double(try writtenBytes() - writtenBefore),
            ledgerBytes: Double(PlainFile.size(ledger) - sizeBefore))
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
