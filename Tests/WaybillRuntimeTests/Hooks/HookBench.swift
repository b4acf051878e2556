import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillProcesses
import WaybillStore
import WaybillTestKit

@testable import WaybillRuntime

/// A tree with hooks and a run, on the machine's own files and with its own processes. Time stands still, so that what
/// is delayed is called by the drain at the end of a test or not at all.
final class HookBench {
    static let run = RunID("release-20261120T101500-7k3f9q").unsafelyUnwrapped

    let folder = ScratchFolder()
    let clock = ManualClock(now: SystemClock().now())
    let launcher: SupervisedLauncher
    let tree: Tree
    private(set) var head: LedgerHead

    init() throws {
        tree = try Tree.open(folder.path, fileSystem: LocalFileSystem(), clock: clock)
        launcher = try SupervisedLauncher(caches: tree.layout.caches)
        head = .start(genesis: .zero)
    }

    deinit { launcher.shutDown() }

    /// As a new process would make it.
    func service(_ limits: HookLimits = HookLimits()) -> HookService {
        HookService(tree: tree, launcher: launcher, timer: ManualClock(now: clock.now()), limits: limits)
    }

    /// Puts a shell script into `hooks/`.
    func hook(_ name: String, _ script: String, mode: UInt32 = 0o700) {
        let path = FilePath("hooks/\(name)")
        var folder = FilePath()
        for component in path.removingLastComponent().components {
            folder.append(component)
            mkdir(self.folder.path.pushing(folder).string, 0o700)
        }
        self.folder.write(path.string, "#!/bin/sh\nset -eu\n\(script)\n", mode: mode)
    }

    /// Makes entries durable, as a decision of a run without a folder.
    func entries(_ drafts: [EntryDraft]) -> [SealedEntry] {
        head.append(drafts, at: clock.now()).map {
            SealedEntry(entry: $0.entry, digest: Digest.sha256($0.line.dropLast()))
        }
    }

    /// Starts a run whose ledger holds these decisions.
    func startRun(_ decisions: [[EntryDraft]], at time: Timestamp? = nil) throws {
        let source = FrozenDefinition.Source(path: "workflows/release.yaml", bytes: Array("kind: Workflow".utf8))
        let definition = FrozenDefinition(workflow: "release", commit: nil, sources: [source])
        head = .start(genesis: definition.digest)
        var lines: [UInt8] = []
        for drafts in decisions { for (_, line) in head.append(drafts, at: time ?? clock.now()) { lines += line } }
        _ = try tree.runs.create(Self.run, definition: definition, lines: lines)
    }

    /// Appends a decision to the ledger of a started run.
    func append(_ drafts: [EntryDraft]) throws {
        let ledger = try tree.ledgers.open(Self.run, from: head)
        _ = try ledger.append(drafts, at: clock.now())
        head = ledger.head
        ledger.close()
    }

    /// The lines of a file that hooks wrote; none if it is missing.
    func lines(_ name: String) -> [String] {
        (folder.text(name) ?? "").split(separator: "\n").map(String.init)
    }

    /// The names in a folder of `.waybill/hooks/`.
    func files(_ name: String) throws -> [String] {
        try (tree.caches.entries(FilePath("hooks/\(name)"), limit: 1_000) ?? []).map(\.name.string).sorted()
    }
}

extension EntryDraft {
    static let start = EntryDraft(.runStart)
    static let opened = EntryDraft(.taskWaiting, step: "approve", visit: 1, attempt: 1)
    static let closed = EntryDraft(.taskResumed, step: "approve", visit: 1, attempt: 1)
    static func end(_ status: String) -> EntryDraft { EntryDraft(.runEnd, data: ["status": .string(status)]) }
}

/// A launcher that starts nothing.
final class RefusingLauncher: ProcessLauncher {
    let error: LaunchError
    init(_ error: LaunchError) { self.error = error }

    func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> any RunningProcess { throw error }

    func adopt(
        exitFile: FilePath, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> Adoption { .gone }

    func shutDown() {}
}

/// A launcher that gives one hook no time and the others all they want, so that tests need not be fast.
final class ImpatientLauncher: ProcessLauncher {
    let launcher: any ProcessLauncher
    let hook: String

    init(_ launcher: any ProcessLauncher, with hook: String) {
        self.launcher = launcher
        self.hook = hook
    }

    func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> any RunningProcess {
        var request = request
        let isHurried = request.argv[0].hasSuffix("/\(hook)")
        request.timeout = isHurried ? .milliseconds(50) : nil
        request.grace = .milliseconds(10)
        return try launcher.launch(request, ended: ended)
    }

    func adopt(
        exitFile: FilePath, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> Adoption { try launcher.adopt(exitFile: exitFile, ended: ended) }

    func shutDown() {}
}
