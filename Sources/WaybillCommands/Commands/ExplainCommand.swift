import ArgumentParser
import WaybillCore
import WaybillManifests
import WaybillRuntime

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say in words what a workflow's steps will do, and where each rule comes from.",
        discussion: "`waybill explain release#group.build` says it of one step; items are written as `load-*.triage`.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "A workflow's name or its file, with `#<step>` for one step.")
    var subject: String

    func run() throws {
        let catalog = try SourceTree(root: options.tree().root).catalog
        let parts = subject.split(separator: "#", maxSplits: 1).map(String.init)
        let workflows = try workflows(parts.first ?? "", catalog)
        var found: [(workflow: String, step: StepExplanation)] = []
        var addresses: [String] = []
        for workflow in workflows {
            workflow.visitSteps { visit in
                let isWanted = parts.count < 2 || visit.path == parts[1]
                if visit.role == .step || visit.role == .item { addresses.append(visit.path) }
                if isWanted { found.append((workflow.name, StepExplanation(visit, of: workflow, in: catalog))) }
            }
        }
        guard !found.isEmpty else {
            let step = parts.count > 1 ? parts[1] : ""
            throw CommandError(
                "not-found", "there is no step '\(step)' in \(parts.first ?? "")",
                hint: Suggestion.hint(for: step, among: addresses) ?? Suggestion.list(addresses),
                status: .usage)
        }
        print(found)
    }

    private func workflows(_ name: String, _ catalog: Catalog) throws(CommandError) -> [WorkflowDefinition] {
        if let workflow = catalog.workflows[name] { return [workflow] }
        let inFile = catalog.workflows.values.filter { $0.sourcePath == name || $0.sourcePath.hasSuffix("/" + name) }
        guard !inFile.isEmpty else {
            throw CommandError(
                "not-found", "there is no valid workflow '\(name)', and none in a file of that name",
                hint: Suggestion.hint(for: name, among: catalog.workflows.keys.sorted())
                    ?? "`waybill validate` says what is wrong with workflows/", status: .usage)
        }
        return inFile.sorted { $0.name < $1.name }
    }

    private func print(_ found: [(workflow: String, step: StepExplanation)]) {
        let output = options.console.output
        guard !options.isJSON else { return output.prettyJSON(.list(found.map(\.step.value))) }
        for (index, entry) in found.enumerated() {
            if index > 0 { output.line("") }
            output.line("\(entry.workflow)#\(entry.step.address)")
            for line in entry.step.lines { output.line("  \(line.subject): \(line.text)") }
        }
    }
}
