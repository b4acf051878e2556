import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillRuntime
import WaybillStore

struct EraseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Remove what a step left outside of the ledger, for good.",
        discussion: """
            Removes the payloads of a step that lie in artifacts (sensitive ones, those of more than 64 KiB, and files), \
            its logs and its copies, and records ERASED, also in a run that has ended. The chain still verifies: the \
            ledger holds digests only. Steps that still need the output fail. Backups are yours to erase.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp("The run's id, or the beginning of it.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String
    @Option(help: "The address of the step; a group or loop stands for all inside of it.")
    var step: String
    @Flag(help: "Do it: what is erased cannot be brought back.")
    var yes = false

    func run() throws {
        let tree = try options.tree()
        let folder = try tree.run(named: runName)
        guard yes else {
            throw CommandError.usage(
                "what is erased cannot be brought back", hint: "add --yes to erase \(step) of \(folder.run)")
        }
        try tree.signing.use(try SourceTree(root: tree.root).catalog.settings)
        let report = try Erasure(tree: tree).erase(folder.run, step: step, by: tree.user)
        let console = options.console
        let what = Text.count(report.payloads.count, "payload") + " and " + Text.count(report.files, "file")
        let entry = report.seq.map { " (entry \($0))" } ?? "; they had been erased before"
        console.print(
            [
                "run": .string(folder.run.text), "step": .string(step),
                "seq": report.seq.map { .int(Int64($0)) } ?? .null,
                "payloads": .list(report.payloads.map { .string($0.hex) }), "files": .int(Int64(report.files)),
                "copies": .list(report.copies.map { .string($0.text) }),
            ], text: "erased \(what) of \(step)\(entry)")
        for run in report.copies { console.note("\(run) holds the same content: erase it there, too") }
    }
}
