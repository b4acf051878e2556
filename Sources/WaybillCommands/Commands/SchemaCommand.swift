import ArgumentParser
import WaybillCore
import WaybillManifests

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of manifests, which gives editors completion.",
        discussion: """
            Without a kind: the schema that holds for every kind. In an editor with the YAML language server:
              # yaml-language-server: $schema=waybill.schema.json
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: "workflow, policy, capability, run, settings or test.",
        completion: .list(PublishedSchemas.all.map { $0.name.lowercased() }))
    var kind: String = "manifest"

    func run() throws {
        let schemas = PublishedSchemas.all
        guard let found = schemas.first(where: { $0.name.lowercased() == kind.lowercased() }) else {
            let names = schemas.map { $0.name.lowercased() }
            throw CommandError.usage(
                "there is no schema of '\(kind)'",
                hint: Suggestion.hint(for: kind, among: names) ?? Suggestion.list(names))
        }
        Output.standard.prettyJSON(found.schema)
    }
}
