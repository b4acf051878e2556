import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// A long ledger checked beside `sha256sum` over the same file, and beside the bare hash of this program.
enum Verification {
    private static let chunkBytes = 262_144
    /// Of the throughput of `sha256sum`.
    private static let bar = (chain: 0.6, deep: 0.25)

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        try await chain(bench) + deep(bench)
    }

    /// Chain and head, which is what every process looks at that opens a run it knows nothing of.
    private static func chain(_ bench: Workbench) async throws -> [Figure] {
        let tree = try BenchTree(at: bench.path("verify"), manifest: PureSteps.manifest)
        defer { bench.remove(tree.root) }
        guard let run = RunID("bench-0") else { throw BenchmarkError(description: "no run id") }
        mkdir(tree.root.at("runs/bench-0").string, 0o700)
        let head = try write(bench.size(1_000_000_000), to: tree.ledger(of: run))
        let megabytes = Double(head.length) / 1e6
        var samples: [Double] = []
        var plain: [Double] = []
        var hash: [Double] = []
        try await bench.rounds(5) {
            plain.append(try sum(tree.ledger(of: run), megabytes))
            let watch = Stopwatch()
            try digest(tree.ledger(of: run))
            hash.append(megabytes / watch.seconds)
            samples.append(
                try megabytesPerSecond(megabytes) {
                    let verdict = try tree.tree.ledgers.verify(
                        run, from: .start(genesis: .zero), knownHeads: [head.seq: head.digest])
                    guard verdict == .whole(head) else { throw BenchmarkError(description: "the ledger is \(verdict)") }
                })
        }
        let name = "chain and head, \(Text.number(megabytes)) MB"
        return [
            Figure(
                name: name, unit: "MB/s", samples: samples,
                baseline: .init(name: "MB/s, sha256sum", samples: plain), bar: .atLeast(bar.chain)),
            Figure(
                name: name, unit: "MB/s", samples: samples,
                baseline: .init(name: "MB/s, the processor's own SHA-256", samples: hash)),
        ]
    }

    /// Everything that a run's files say, made again from its ledger and compared.
    private static func deep(_ bench: Workbench) async throws -> [Figure] {
        let tree = try BenchTree(at: bench.path("verify"), manifest: "durability: relaxed\n" + PureSteps.manifest)
        defer { bench.remove(tree.root) }
        let runs = try tree.start(1, inputs: ["steps": .int(Int64(bench.size(300_000)))])
        _ = try await tree.complete(runs, stepsPerDecision: nil)
        let ledger = tree.ledger(of: runs[0])
        let megabytes = Double(PlainFile.size(ledger)) / 1e6
        var samples: [Double] = []
        var plain: [Double] = []
        try await bench.rounds(5) {
            plain.append(try sum(ledger, megabytes))
            samples.append(
                try megabytesPerSecond(megabytes) {
                    let command = ["verify", runs[0].text, "--deep", "-C", tree.root.string]
                    try PlainProcess([bench.waybill.string] + command).wait()
                })
        }
        return [
            Figure(
                name: "waybill verify --deep, \(Text.number(megabytes)) MB", unit: "MB/s", samples: samples,
                baseline: .init(name: "MB/s, sha256sum", samples: plain), bar: .atLeast(bar.deep))
        ]
    }

    private static func sum(_ path: FilePath, _ megabytes: Double) throws -> Double {
        try megabytesPerSecond(megabytes) { try PlainProcess(["/usr/bin/sha256sum", path.string]).wait() }
    }

    private static func megabytesPerSecond(_ megabytes: Double, _ body: () throws -> Void) throws -> Double {
        let watch = Stopwatch()
        try body()
        return megabytes / watch.seconds
    }

    /// A ledger of pure steps, with lines as a run writes them.
    private static func write(_ bytes: Int, to path: FilePath) throws -> LedgerHead {
        var head = LedgerHead.start(genesis: .zero)
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        try file.closeAfter {
            var now = SystemClock().now()
            var buffer: [UInt8] = []
            var visit = 0
            while head.length < bytes {
                visit += 1
                now = now + .microseconds(250)
                let output: Value = ["visit": .int(Int64(visit))]
                let drafts = [
                    EntryDraft(.taskStart, step: "step", visit: visit, attempt: 1, data: ["action": "set"]),
                    EntryDraft(
                        .taskEnd, step: "step", visit: visit, attempt: 1,
                        data: ["output": output, "status": "completed"]),
                    EntryDraft(.branchTaken, step: "step", visit: visit, data: ["next": 0, "to": "step"]),
                ]
                for (_, line) in head.append(drafts, at: now) { buffer += line }
                if buffer.count >= chunkBytes || head.length >= bytes {
                    _ = try file.writeAll(buffer)
                    buffer.removeAll(keepingCapacity: true)
                }
            }
        }
        return head
    }

    @discardableResult
    private static func digest(_ path: FilePath) throws -> Digest {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            var stream = SHA256Stream()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = try file.read(into: buffer)
                if count == 0 { return stream.finalize() }
                stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}
