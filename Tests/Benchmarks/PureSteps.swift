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

    /// Of the rate of unsynced appends, and in steps a second: a process that syncs nothing reaches the lower of the two.
    private static let relaxedBar = (share: 0.25, steps: 50_000.0)

    /// One way to run.
    private struct Case {
        var name: String
        var runs: Int
        var steps: Int
        /// Nil: consecutive pure steps share a sync, as they do in a daemon.
        var stepsPerDecision: Int?
        /// Of the rate of plain appends, each with a sync.
        var bar: Double?
    }

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let cases = [
            Case(name: "1 run, a sync each step", runs: 1, steps: 1_000, stepsPerDecision: 1, bar: 0.85),
            Case(name: "8 runs, a sync each step", runs: 8, steps: 2_000, stepsPerDecision: 1, bar: 0.7),
            Case(name: "64 runs, a sync each step", runs: 64, steps: 1_000, stepsPerDecision: 1, bar: 0.7),
            Case(name: "1 run, as a daemon syncs", runs: 1, steps: 8_000, bar: 0.85),
            Case(name: "8 runs, as a daemon syncs", runs: 8, steps: 2_000, bar: 0.7),
            Case(name: "64 runs, as a daemon syncs", runs: 64, steps: 1_000, bar: 0.7),
        ]
        var figures: [Figure] = []
        for item in cases {
            var rates: [Double] = []
            var plain: [Double] = []
            try await bench.rounds(5) {
                let (rate, bytes) = try await steps(item, bench)
                rates.append(rate)
                plain.append(try appends(item.runs, recordsOf: bytes, isSynced: true, bench))
            }
            figures.append(
                Figure(
                    name: item.name, unit: "steps/s", samples: rates,
                    baseline: .init(
                        name: "appends/s, \(item.runs) plain thread\(item.runs == 1 ? "" : "s")", samples: plain),
                    bar: item.bar.map { .atLeast($0) }))
        }
        for (name, runs, steps) in [("1 run, relaxed", 1, 20_000), ("8 runs, relaxed", 8, 4_000)] {
            figures += try await relaxed(Case(name: name, runs: runs, steps: steps), bench)
        }
        return figures
    }

    /// Nothing is synced: beside unsynced appends, and beside what is asked for.
    private static func relaxed(_ item: Case, _ bench: Workbench) async throws -> [Figure] {
        var rates: [Double] = []
        var plain: [Double] = []
        try await bench.rounds(5) {
            let (rate, bytes) = try await steps(item, bench, durability: "relaxed")
            rates.append(rate)
            plain.append(try appends(item.runs, recordsOf: bytes, isSynced: false, bench))
        }
        let threads = "\(item.runs) plain thread\(item.runs == 1 ? "" : "s")"
        let wanted = plain.map { min(relaxedBar.steps, relaxedBar.share * $0) }
        return [
            Figure(
                name: item.name, unit: "steps/s", samples: rates,
                baseline: .init(name: "unsynced appends/s, \(threads)", samples: plain)),
            Figure(
                name: item.name, unit: "steps/s", samples: rates,
                baseline: .init(name: "\(Text.number(relaxedBar.steps)), or a quarter of those", samples: wanted),
                bar: .atLeast(1)),
        ]
    }

    /// - Returns: steps a second, and the bytes of ledger that a step takes.
    private static func steps(
        _ item: Case, _ bench: Workbench, durability: String = "full"
    ) async throws -> (rate: Double, bytes: Int) {
        let tree = try BenchTree(at: bench.path("pure"), manifest: "durability: \(durability)\n" + manifest)
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

    /// Records a second that plain threads append to a file each.
    static func appends(
        _ threads: Int, recordsOf bytes: Int, isSynced: Bool, _ bench: Workbench
    ) throws -> Double {
        let count = bench.size(isSynced ? min(1_000, 16_000 / threads) : 100_000 / threads)
        let files = (0..<threads).map { _ in bench.path("plain") }
        defer { for file in files { bench.remove(file) } }
        let seconds = try PlainThreads.time(threads) { number in
            try PlainFile.append(count, recordsOf: bytes, to: files[number], isSynced: isSynced)
        }
        return Double(count * threads) / seconds
    }
}
