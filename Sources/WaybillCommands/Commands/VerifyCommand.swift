import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillRuntime
import WaybillStore

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that history was not edited.",
        discussion: """
            Checks a run's definition, the chain of its ledger, and every head that is known from elsewhere: run.json, \
            checkpoints, the journal, and those given with --head. Without a run: the journal and all runs. With \
            trusted keys (--trust, or `keys` in the settings) the signatures count, too: then even a history that was \
            written anew as a whole is found. Exits 1 if anything is wrong.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp("The run's id, or the beginning of it.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String?
    @Flag(help: "Also fold the ledger and compare every projection byte for byte.")
    var deep = false
    @Option(
        help: ArgumentHelp(
            "Trust this public key, or those in this file, and not those of the settings; may be repeated.",
            valueName: "key"),
        completion: .file())
    var trust: [String] = []
    @Option(
        help: ArgumentHelp("A head that is known: <run>=<seq>:<sha256>; may be repeated.", valueName: "head"))
    var head: [String] = []
    @Option(
        help: ArgumentHelp("A head of the journal that is known: <seq>:<sha256>; may be repeated.", valueName: "head"))
    var journalHead: [String] = []
    @Option(
        help: ArgumentHelp("A file of heads that are known, as --print-heads writes it.", valueName: "file"),
        completion: .file())
    var heads: [String] = []
    @Flag(help: "Print the heads of all that verifies, one in a line, to be kept or published elsewhere.")
    var printHeads = false

    func run() throws {
        let tree = try options.tree()
        let vouchers = try self.vouchers(tree)
        let isOK = try runName.map { try verify(run: $0, in: tree, vouchers) } ?? verifyAll(tree, vouchers)
        if !isOK { throw ExitStatus.failed.exit }
    }

    private func vouchers(_ tree: Tree) throws -> Vouchers {
        var vouchers = Vouchers()
        for text in head { try vouchers.add(text, option: "--head") }
        for text in journalHead { try vouchers.addJournal(text, option: "--journal-head") }
        for path in heads { try vouchers.add(file: path) }
        if trust.isEmpty {
            let files = KeyFiles(root: tree.layout.root, fileSystem: tree.fileSystem)
            vouchers.trusted = try files.trusted(by: try SourceTree(root: tree.root).catalog.settings)
        } else {
            let files = KeyFiles(root: try WorkingDirectory.path(), fileSystem: tree.fileSystem)
            for argument in trust { vouchers.trusted += try files.publicKeys(from: argument) }
        }
        return vouchers
    }

    // MARK: - One run

    private func verify(run: String, in tree: Tree, _ vouchers: Vouchers) throws -> Bool {
        let folder = try tree.run(named: run)
        var journal = JournalKnowledge()
        var journalReport: ChainReport?
        if vouchers.asksForSignatures {
            let checked = try JournalVerification(tree: tree, vouchers: vouchers).report()
            (journalReport, journal) = (checked.report, checked.journal)
        } else if let index = try? tree.journal.index(following: true) {
            // A journal that is damaged vouches for nothing here; `verify` without a run says so.
            journal.index = index
        }
        let report = try RunVerification(tree: tree, folder: folder, journal: journal, vouchers: vouchers)
            .report(deep: deep)
        let console = options.console
        // What the signed journal says of other runs is not asked for here; that it cannot be trusted is.
        let journalErrors = journalReport?.errors.filter { $0.kind != "removed" } ?? []
        if printHeads {
            printHeads([report])
        } else {
            console.print(report.value, text: report.text(for: console.terminal))
        }
        for error in journalErrors { console.note("journal: \(error.text)") }
        return report.isOK && journalErrors.isEmpty
    }

    // MARK: - The tree

    private func verifyAll(_ tree: Tree, _ vouchers: Vouchers) throws -> Bool {
        let console = options.console
        let (journalReport, journal) = try JournalVerification(tree: tree, vouchers: vouchers).report()
        var failed = journalReport.isOK ? [] : ["journal"]
        var reports = [journalReport]
        var entries = journalReport.count
        if !console.isJSON { say(journalReport) }
        let runs = try tree.runIDs()
        for run in runs {
            let report = report(run, journal, tree, vouchers)
            entries += report.count
            if !report.isOK { failed.append(run.text) }
            if console.isJSON || printHeads { reports.append(report) }
            if !console.isJSON { say(report) }
        }
        if printHeads {
            printHeads(reports)
            return failed.isEmpty
        }
        console.print(
            [
                "ok": .bool(failed.isEmpty), "count": .int(Int64(entries)), "failed": .list(failed.map(Value.string)),
                "journal": journalReport.value, "runs": .list(reports.dropFirst().map(\.value)),
            ],
            text: Self.summary(runs: runs.count, entries: entries, failed: failed, for: console.terminal))
        return failed.isEmpty
    }

    private func say(_ report: ChainReport) {
        guard !report.findings.isEmpty else { return }
        let console = options.console
        // Where heads are asked for, they alone are the result.
        (printHeads ? console.errors : console.output).line(report.text(for: printHeads ? .plain : console.terminal))
    }

    private func report(_ run: RunID, _ journal: JournalKnowledge, _ tree: Tree, _ vouchers: Vouchers) -> ChainReport {
        do throws(StoreError) {
            guard let folder = try tree.runs.open(run) else { return ChainReport(name: run.text) }
            var journal = journal
            // A run that started since the journal was read is in it by now.
            if vouchers.asksForSignatures, journal.index.runs[run] == nil {
                journal.index = try tree.journal.index(following: true)
            }
            return try RunVerification(tree: tree, folder: folder, journal: journal, vouchers: vouchers)
                .report(deep: deep)
        } catch {
            var report = ChainReport(name: run.text)
            report.findings.append(Finding(kind: error.code.rawValue, message: error.message, seq: error.seq))
            return report
        }
    }

    private func printHeads(_ reports: [ChainReport]) {
        let sound = reports.filter { $0.isOK && $0.count > 0 }
        let console = options.console
        console.print(
            .object(
                Object(
                    sound.map { ($0.name, ["seq": .int(Int64($0.count)), "sha256": .string($0.head.hex)]) })),
            text: sound.map(\.headText).joined(separator: "\n"))
    }

    static func summary(runs: Int, entries: Int, failed: [String], for terminal: Terminal) -> String {
        let verdict = failed.isEmpty ? terminal.paint("ok", .green) : terminal.paint("FAILED", .red)
        let what = "\(Text.count(runs, "run")) and the journal, \(Text.count(entries, "entry", "entries"))"
        return "\(verdict)  \(what)" + (failed.isEmpty ? "" : ", wrong: \(failed.joined(separator: ", "))")
    }
}
