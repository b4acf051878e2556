import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

/// The forms of the file-system port that every contract is checked on.
enum Volume: String, CaseIterable, Sendable {
    case local
    case memory

    /// A fresh, empty folder, and what keeps it alive.
    func make() throws -> (folder: any Directory, keep: AnyObject) {
        switch self {
        case .local:
            let scratch = try ScratchDirectory()
            return (scratch.directory, scratch)
        case .memory:
            let system = MemoryFileSystem()
            return (try #require(try system.openDirectory("/")), system)
        }
    }
}

extension MemoryFileSystem {
    /// Its root, open.
    func root() throws -> any Directory { try #require(try openDirectory("/")) }

    /// Fails the operations of one kind on paths that end so, from now on.
    func fail(_ kind: Operation.Kind, _ code: FileSystemError.Code, on suffix: String = "") {
        setPlan { $0.kind == kind && $0.path.string.hasSuffix(suffix) ? .fail(code) : nil }
    }
}

/// A run with a small ledger, for tests of what lies around it.
struct SampleRun {
    let run = RunID("sample-1")!
    let definition = FrozenDefinition(
        workflow: "sample", commit: nil,
        sources: [
            .init(path: "workflows/sample.yaml", bytes: Array("kind: Workflow\n".utf8)),
            .init(path: "workflows/scripts/go.sh", bytes: Array("#!/bin/sh\n".utf8), isExecutable: true),
        ])
    let time = Timestamp(rfc3339: "2026-11-20T10:15:03Z")!

    var genesis: LedgerHead { .start(genesis: definition.digest) }

    /// The lines of decisions of these sizes, each whole, and the head behind them.
    func lines(_ decisions: [Int], after head: LedgerHead? = nil) -> (bytes: [UInt8], head: LedgerHead) {
        var head = head ?? genesis
        var bytes: [UInt8] = []
        for count in decisions {
            let drafts = (0..<count).map { EntryDraft(.taskStart, step: "step\($0)", visit: 1, attempt: 1) }
            for (_, line) in head.append(drafts, at: time) { bytes += line }
        }
        return (bytes, head)
    }

    /// Starts the run in a folder of runs.
    @discardableResult
    func create(in runs: any Directory, decisions: [Int] = [1]) throws -> LedgerHead {
        let (bytes, head) = lines(decisions)
        _ = try RunFolders(runs).create(run, definition: definition, lines: bytes)
        return head
    }
}
