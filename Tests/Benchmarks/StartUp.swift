import SystemPackage

/// How long a command takes that does nothing, and one that looks at every run of a tree.
enum StartUp {
    private static let read = """
        find "$0"/runs -mindepth 2 -maxdepth 2 -name run.json -print0 |
        xargs -0 jq -r '[.run, .workflow, .status, .startedAt] | @tsv'
        """

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        var samples: [Double] = []
        var plain: [Double] = []
        // The first ones read the program from the disk.
        for round in 0..<bench.size(103) {
            let version = try milliseconds([bench.waybill.string, "--version"])
            let nothing = try milliseconds(["/bin/true"])
            guard round >= 3 else { continue }
            samples.append(version)
            plain.append(nothing)
        }
        return [
            Figure(
                name: "waybill --version", unit: "ms", samples: samples,
                baseline: .init(name: "ms, /bin/true", samples: plain), bar: .atMost(4)),
            try await list(bench),
        ]
    }

    private static func list(_ bench: Workbench) async throws -> Figure {
        let crowd = try Crowd(at: bench.path("list"))
        defer { bench.remove(crowd.tree.root) }
        let root = crowd.tree.root.string
        let runs = try await crowd.addFinished(bench.size(10_000))
        var samples: [Double] = []
        var plain: [Double] = []
        try await bench.rounds(5) {
            samples.append(try milliseconds([bench.waybill.string, "list", "-C", root]))
            plain.append(try milliseconds(["/bin/sh", "-c", read, root]))
        }
        return Figure(
            name: "waybill list of \(Text.count(runs.count)) runs", unit: "ms", samples: samples,
            baseline: .init(name: "ms, jq over their run.json", samples: plain), bar: .atMost(1))
    }

    static func milliseconds(_ arguments: [String]) throws -> Double {
        let watch = Stopwatch()
        try PlainProcess(arguments).wait()
        return watch.seconds * 1_000
    }
}
