import SystemPackage
import WaybillCore

/// Steps that only decide: what is left is the ledger, so plain appends are the measure.
enum PureSteps {
    static let manifest = """
        kind: Workflow
        name: bench
        inputs:
          steps: {type: integer}
        states:
          step:
            set: {visit: "${{ visit }}"}
            maxVisits: 1000000
            next: [{if: visit < inputs.steps, to: step}, {to: end}]
        """

    /// One way to run.
    private struct Case {
        var name: String
        var runs: Int
        var steps: Int
        /// Nil: consecutive pure steps share a sync, as they do in a daemon.
        var stepsPerDecision: Int?
    }

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let cases = [
            Case(name: "1 run, a sync each step", runs: 1, steps: 1_000, stepsPerDecision: 1),
            Case(name: "8 runs, a sync each step", runs: 8, steps: 300, stepsPerDecision: 1),
            Case(name: "64 runs, a sync each step", runs: 64, steps: 60, stepsPerDecision: 1),
            Case(name: "1 run, as a daemon syncs", runs: 1, steps: 8_000, stepsPerDecision: nil),
            Case(name: "8 runs, as a daemon syncs", runs: 8, steps: 1_000, stepsPerDecision: nil),
            Case(name: "64 runs, as a daemon syncs", runs: 64, steps: 150, stepsPerDecision: nil),
        ]
        var figures: [Figure] = []
        for item in cases {
            var rates: [Double] = []
            var plain: [Double] = []
            try await bench.rounds(5) {
                let (rate, bytes) = try await steps(item, bench)
                rates.append(rate)
                plain.append(try appends(item.runs, recordsOf: bytes, bench))
            }
            figures.append(
                Figure(
                    name: item.name, unit: "steps/s", samples: rates,
                    baseline: .init(
                        name: "appends/s, \(item.runs) plain thread\(item.runs == 1 ? "" : "s")", samples: plain)))
        }
        return figures
    }

    /// - Returns: steps a second, and the bytes of ledger that a step takes.
    private static func steps(_ item: Case, _ bench: Workbench) async throws -> (rate: Double, bytes: Int) {
        let tree = try BenchTree(at: bench.path("pure"), manifest: manifest)
        defer { bench.remove(tree.root) }
        let count = bench.size(item.steps)
        let runs = try tree.start(item.runs, inputs: ["steps": .int(Int64(count))])
        let before = runs.reduce(0) { $0 + PlainFile.size(tree.ledger(of: $1)) }
        let seconds = try await tree.complete(runs, stepsPerDecision: item.stepsPerDecision)
        let after = runs.reduce(0) { $0 + PlainFile.size(tree.ledger(of: $1)) }
        // The first step was decided together with the start.
        let done = (count - 1) * item.runs
        return (Double(done) / seconds, (after - before) / done)
    }

    /// Records a second that plain threads append to a file each, with a sync each.
    private static func appends(_ threads: Int, recordsOf bytes: Int, _ bench: Workbench) throws -> Double {
        let count = bench.size(max(60, 1_000 / threads))
        let files = (0..<threads).map { _ in bench.path("plain") }
        defer { for file in files { bench.remove(file) } }
        let seconds = try PlainThreads.time(threads) { number in
            try PlainFile.append(count, recordsOf: bytes, to: files[number])
        }
        return Double(count * threads) / seconds
    }
}
