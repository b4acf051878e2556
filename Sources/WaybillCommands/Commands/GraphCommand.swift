import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillRuntime
import WaybillStore

struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draw a workflow, or a run with the status of its steps.",
        discussion: "Groups and loops are drawn around their members.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case mermaid, dot
    }

    @OptionGroup var options: GlobalOptions
    @Argument(help: "A workflow's name, or a run's id.", completion: .custom(Completions.runs))
    var name: String
    @Option(help: "mermaid or dot.")
    var format: Format = .mermaid

    func run() throws {
        let tree = try options.tree()
        let catalog = try SourceTree(root: tree.root).catalog
        let graph: PlanGraph
        if let workflow = catalog.workflows[name] {
            graph = PlanGraph(workflow)
        } else {
            graph = try runGraph(tree, catalog)
        }
        if options.isJSON {
            options.console.output.prettyJSON(graph.value)
        } else {
            options.console.output.write(
                Array((format == .mermaid ? MermaidDrawing.text(graph) : DotDrawing.text(graph)).utf8))
        }
    }

    private func runGraph(_ tree: Tree, _ catalog: Catalog) throws -> PlanGraph {
        let folder = try folder(tree, catalog)
        let workflow = try DefinitionCache().definition(of: folder.run, in: tree).workflow
        let steps = ShowCommand.history(of: folder, in: tree).steps
        let statuses = Dictionary(steps.map { ($0.id, $0.status) }, uniquingKeysWith: { first, _ in first })
        return PlanGraph(workflow, statuses: statuses)
    }

    private func folder(_ tree: Tree, _ catalog: Catalog) throws(CommandError) -> RunFolder {
        do throws(CommandError) {
            return try tree.run(named: name)
        } catch {
            guard error.code == "unknown-run" else { throw error }
            let names = catalog.workflows.keys.sorted()
            let known =
                names.isEmpty
                ? "`waybill validate` says what is wrong with workflows/"
                : Suggestion.list(names)
            throw CommandError(
                "not-found", "there is neither a workflow nor a run '\(name)'",
                hint: Suggestion.hint(for: name, among: names) ?? known, status: .usage)
        }
    }
}
