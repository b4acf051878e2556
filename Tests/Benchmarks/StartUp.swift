import SystemPackage

/// How long a command takes that does nothing.
enum StartUp {
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
                baseline: .init(name: "ms, /bin/true", samples: plain))
        ]
    }

    private static func milliseconds(_ arguments: [String]) throws -> Double {
        let watch = Stopwatch()
        try PlainProcess(arguments).wait()
        return watch.seconds * 1_000
    }
}
