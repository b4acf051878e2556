import WaybillCore

/// What a waiting run keeps resident in a real daemon.
enum Memory {
    private static let manifest = """
        kind: Workflow
        name: bench
        steps:
          - {id: build, set: {version: 1}}
          - {id: approve, ask: {prompt: "Ship it?", approval: true}}
        """

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let count = bench.size(1_000)
        let tree = try BenchTree(at: bench.path("memory"), manifest: manifest)
        defer { bench.remove(tree.root) }
        let empty = try resident(bench, tree) { try $0.untilIdle() }
        let runs = try tree.start(count)
        let worked = try resident(bench, tree) { daemon in
            try Daemon.until("every run waits") {
                runs.allSatisfy { PlainFile.exists(tree.root.at("runs/\($0.text)/waits/approve.json")) }
            }
            try daemon.untilIdle()
        }
        let restarted = try resident(bench, tree) { try $0.untilIdle() }
        let name = "\(Text.count(count)) waiting runs"
        let baseline = Figure.Baseline(name: "MiB, no run", samples: [empty / 1_048_576])
        return [
            Figure(name: "\(name), just brought there", unit: "MiB", samples: [worked / 1_048_576], baseline: baseline),
            Figure(name: "\(name), after a restart", unit: "MiB", samples: [restarted / 1_048_576], baseline: baseline),
            Figure(
                name: "a run more, just brought there", unit: "KiB", samples: [(worked - empty) / 1_024 / Double(count)]
            ),
            Figure(
                name: "a run more, after a restart", unit: "KiB", samples: [(restarted - empty) / 1_024 / Double(count)]
            ),
        ]
    }

    private static func resident(
        _ bench: Workbench, _ tree: BenchTree, once isReady: (Daemon) throws -> Void
    ) throws -> Double {
        let daemon = try Daemon(bench, root: tree.root)
        do {
            try isReady(daemon)
        } catch {
            try? daemon.stop()
            throw error
        }
        let bytes = try daemon.residentBytes()
        try daemon.stop()
        return Double(bytes)
    }
}
