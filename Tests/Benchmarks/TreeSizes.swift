import SystemPackage
import WaybillCore

/// What a tree's size does to those who look at all of it: trees of ever more finished runs, with a tenth as many that wait.
enum TreeSizes {
    static func measure(_ bench: Workbench) async throws -> [Figure] {
        var figures: [Figure] = []
        for size in bench.isQuick ? [100, 1_000] : [1_000, 10_000, 100_000] {
            let crowd = try Crowd(at: bench.path("size"))
            defer { bench.remove(crowd.tree.root) }
            _ = try await crowd.addFinished(size)
            _ = try await crowd.addWaiting(size / 10)
            // The first start notes the machine's boot, and fills the caches.
            _ = try Restart.start(crowd, bench)
            var starts: [Double] = []
            var memory: [Double] = []
            var lists: [Double] = []
            try await bench.rounds(3) {
                starts.append(
                    try Restart.start(crowd, bench) { daemon in
                        memory.append(Double(try daemon.residentBytes()) / Double(1 << 20))
                    })
                lists.append(try StartUp.milliseconds([bench.waybill.string, "list", "-C", crowd.tree.root.string]))
            }
            let name = "\(Text.count(size)) finished, \(Text.count(size / 10)) waiting"
            figures += [
                Figure(name: "\(name): start of a daemon", unit: "s", samples: starts),
                Figure(name: "\(name): memory of the daemon", unit: "MiB", samples: memory),
                Figure(name: "\(name): waybill list", unit: "ms", samples: lists),
            ]
        }
        return figures
    }
}
