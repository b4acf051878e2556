import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillRuntime
import WaybillStore

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that history was not edited.",
        discussion: """
            Checks a run's definition, the chain of its ledger, and every head that is known from elsewhere: run.json, \
            checkpoints and the journal. Without a run: the journal and all runs. Exits 1 if anything is wrong.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp("The run's id, or the beginning of it.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String?
    @Flag(help: "Also fold the ledger and compare every projection byte for byte.")
    var deep = false

    func run() throws {
        let tree = try options.tree()
        let isOK = try runName.map { try verify(run: $0, in: tree) } ?? verifyAll(tree)
        if !isOK { throw ExitStatus.failed.exit }
    }

    private func verify(run: String, in tree: Tree) throws -> Bool {
        let folder = try tree.run(named: run)
        // A journal that is damaged vouches for nothing here; `verify` without a run says so.
        let index = try? tree.journal.index(following: true)
        let verification = RunVerification(tree: tree, folder: folder, recordedEnd: index?.runs[folder.run]?.ended)
        let report = try verification.report(deep: deep)
        let console = options.console
        console.print(report.value, text: report.text(for: console.terminal))
        return report.isOK
    }

    private func verifyAll(_ tree: Tree) throws -> Bool {
        let console = options.console
        let (journal, index) = try JournalVerification(tree: tree).report()
        var failed = journal.isOK ? [] : ["journal"]
        var values: [Value] = []
        var entries = journal.count
        if !journal.findings.isEmpty, !console.isJSON { console.output.line(journal.text(for: console.terminal)) }
        let runs = try tree.runIDs()
        for run in runs {
            let report = report(run, index, tree)
            entries += report.count
            if !report.isOK { failed.append(run.text) }
            if console.isJSON {
                values.append(report.value)
            } else if !report.findings.isEmpty {
                console.output.line(report.text(for: console.terminal))
            }
        }
        console.print(
            [
                "ok": .bool(failed.isEmpty), "count": .int(Int64(entries)), "failed": .list(failed.map(Value.string)),
                "journal": journal.value, "runs": .list(values),
            ],
            text: Self.summary(runs: runs.count, entries: entries, failed: failed, for: console.terminal))
        return failed.isEmpty
    }

    private func report(_ run: RunID, _ index: JournalIndex, _ tree: Tree) -> ChainReport {
        do throws(StoreError) {
            guard let folder = try tree.runs.open(run) else { return ChainReport(name: run.text) }
            let verification = RunVerification(tree: tree, folder: folder, recordedEnd: index.runs[run]?.ended)
            return try verification.report(deep: deep)
        } catch {
            var report = ChainReport(name: run.text)
            report.findings.append(Finding(kind: error.code.rawValue, message: error.message, seq: error.seq))
            return report
        }
    }

    static func summary(runs: Int, entries: Int, failed: [String], for terminal: Terminal) -> String {
        let verdict = failed.isEmpty ? terminal.paint("ok", .green) : terminal.paint("FAILED", .red)
        let what = "\(Text.count(runs, "run")) and the journal, \(Text.count(entries, "entry", "entries"))"
        return "\(verdict)  \(what)" + (failed.isEmpty ? "" : ", wrong: \(failed.joined(separator: ", "))")
    }
}
