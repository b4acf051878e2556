import ArgumentParser
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Say what is wrong with a quarantined run, and mend what can be mended.",
        discussion: """
            Without --yes nothing is changed: it says what is wrong, which heads are known, and what would be done. The \
            bytes as they were are always kept, under damaged/ in the run's folder. What is known to have been there is \
            given up only with --accept-loss; the run then waits, paused, until somebody resumes or cancels it. Exits 0 \
            if the run is sound now, else 1.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp("The run's id, or the beginning of it.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String
    @Option(
        help: ArgumentHelp("Another ledger of this run, such as a backup's.", valueName: "file"), completion: .file())
    var from: String?
    @Flag(help: "Give up what is gone, and go on from what is left.")
    var acceptLoss = false
    @Flag(help: "Do it.")
    var yes = false
    @Flag(help: "Only say what would be done, which is what happens without --yes.")
    var dryRun = false

    func run() throws {
        if yes, dryRun { throw CommandError.usage("--yes and --dry-run contradict each other") }
        let tree = try options.tree()
        let folder = try tree.run(named: runName)
        let staged = try from.map { try StagedBackup($0, in: folder) }
        defer { staged?.remove() }
        let repair = RunRepair(tree: tree, folder: folder, backup: staged.map { ($0.path, $0.name) })
        let report = RepairReport(run: folder.run, diagnosis: try repair.diagnose(), acceptsLoss: acceptLoss)
        let console = options.console
        guard yes, report.isPossible, !report.isSound else {
            console.print(report.value, text: report.text)
            if !report.isSound { throw ExitStatus.failed.exit }
            return
        }
        try tree.signing.use(try SourceTree(root: tree.root).catalog.settings)
        let outcome = try repair.repair(acceptsLoss: acceptLoss, by: tree.user)
        var value = report.value.objectValue ?? Object()
        value["repaired"] = true
        value["status"] = .string(outcome.status.rawValue)
        value["head"] = ["seq": .int(Int64(outcome.head.seq)), "sha256": .string(outcome.head.digest.hex)]
        value["evidence"] = outcome.evidence.map { .string($0.string) } ?? .null
        let evidence = outcome.evidence.map { "; the bytes as they were are in \($0)" } ?? ""
        console.print(
            .object(value),
            text: "\(report.findings)\nrepaired: \(folder.run) is \(outcome.status.rawValue), "
                + "its ledger ends at entry \(outcome.head.seq)\(evidence)")
    }
}

/// A ledger from elsewhere, brought into the run's folder to be looked at.
private struct StagedBackup {
    private static let limit = 4 << 30

    let path: FilePath
    /// As it was given.
    let name: String
    private let folder: RunFolder

    init(_ source: String, in folder: RunFolder) throws {
        self.folder = folder
        name = source
        let place = try WorkingDirectory.path().pushing(FilePath(source))
        guard let file = place.lastComponent,
            let directory = try LocalFileSystem().openDirectory(place.removingLastComponent()),
            let bytes = try directory.read(FilePath(root: nil, [file]), limit: Self.limit)
        else { throw CommandError("unknown-file", "there is no file \(place)", status: .usage) }
        path = try TemporaryName.next(for: RunFolder.ledger, in: folder.directory)
        try folder.directory.write(bytes, toNew: path, durability: .full)
    }

    func remove() { _ = try? folder.directory.remove(path) }
}

/// What a repair found, and what it would do.
struct RepairReport {
    let run: RunID
    let diagnosis: RunRepair.Diagnosis
    let acceptsLoss: Bool

    var isSound: Bool { if case .nothing = diagnosis.remedy { true } else { false } }

    /// Whether `--yes` does something about it.
    var isPossible: Bool {
        switch diagnosis.remedy {
        case .none: false
        case .loss: acceptsLoss
        case .nothing, .projections, .cutTail, .restore: true
        }
    }

    /// What is wrong, and what speaks for that.
    var findings: String {
        var lines = ["\(run)"]
        switch diagnosis.verdict {
        case .whole(let head)?: lines.append("  the ledger is sound: \(Text.count(head.seq, "entry", "entries"))")
        case .torn(_, _, let reason)?, .damaged(_, let reason)?:
            lines.append("  entry \(reason.seq), byte \(reason.offset): \(reason.message)")
        case nil: break
        }
        for head in diagnosis.known {
            lines.append("  \(head.source) knows entry \(head.seq) as \(head.digest)")
        }
        return lines.joined(separator: "\n")
    }

    var text: String {
        let next = isSound || !isPossible ? "" : "\n  nothing was changed; add --yes to do it"
        return "\(findings)\n  \(remedy)\(next)"
    }

    private var remedy: String {
        switch diagnosis.remedy {
        case .nothing: return "nothing is to be done"
        case .projections: return "remedy: write run.json and what else follows from the ledger anew"
        case .cutTail(let bytes):
            return
                "remedy: save \(Text.count(bytes, "byte")) of a write that was never acknowledged aside, and cut them off"
        case .restore(_, let head, let from):
            return "remedy: put back what \(from) holds, up to entry \(head.seq), which agrees with all that is known"
        case .loss(let head, let lost):
            let what = lost.map { "entry \($0.seq), which \($0.source) knows" }.joined(separator: "; ")
            let gone = what.isEmpty ? "all behind it" : what
            return
                "no safe remedy: a backup of ledger.jsonl (--from) would be one. With --accept-loss: go on from entry "
                + "\(head.seq), and give up \(gone)"
        case .none(let reason): return "no remedy here: \(reason)"
        }
    }

    var value: Value {
        var object: Object = [
            "run": .string(run.text), "sound": .bool(isSound), "repaired": false, "possible": .bool(isPossible),
            "remedy": .string(word),
            "known": .list(
                diagnosis.known.map { head in
                    [
                        "seq": .int(Int64(head.seq)), "sha256": .string(head.digest.hex),
                        "source": .string(head.source),
                    ]
                }),
        ]
        switch diagnosis.verdict {
        case .torn(_, _, let reason)?, .damaged(_, let reason)?:
            object["problem"] = [
                "kind": .string(reason.code.rawValue), "message": .string(reason.message),
                "seq": .int(Int64(reason.seq)), "byte": .int(Int64(reason.offset)),
            ]
        case .whole?, nil: object["problem"] = .null
        }
        object["explanation"] = .string(remedy)
        return .object(object)
    }

    private var word: String {
        switch diagnosis.remedy {
        case .nothing: "nothing"
        case .projections: "projections"
        case .cutTail: "cut"
        case .restore: "restore"
        case .loss: "loss"
        case .none: "none"
        }
    }
}
