import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// A long ledger checked, chain and head, beside the bare hash over the same bytes.
enum Verification {
    private static let chunkBytes = 262_144

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let tree = try BenchTree(at: bench.path("verify"), manifest: PureSteps.manifest)
        defer { bench.remove(tree.root) }
        guard let run = RunID("bench-0") else { throw BenchmarkError(description: "no run id") }
        mkdir(tree.root.at("runs/bench-0").string, 0o700)
        let head = try write(bench.size(128 << 20), to: tree.ledger(of: run))
        let megabytes = Double(head.length) / 1e6
        var samples: [Double] = []
        var plain: [Double] = []
        try await bench.rounds(7) {
            let hash = Stopwatch()
            try digest(tree.ledger(of: run))
            plain.append(megabytes / hash.seconds)
            let watch = Stopwatch()
            let verdict = try tree.tree.ledgers.verify(
                run, from: .start(genesis: .zero), knownHeads: [head.seq: head.digest])
            samples.append(megabytes / watch.seconds)
            guard verdict == .whole(head) else { throw BenchmarkError(description: "the ledger is \(verdict)") }
        }
        return [
            Figure(
                name: "a ledger of \(Text.number(megabytes)) MB", unit: "MB/s", samples: samples,
                baseline: .init(name: "MB/s, SHA-256 of the file", samples: plain))
        ]
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
