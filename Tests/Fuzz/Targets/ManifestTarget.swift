import WaybillCore
import WaybillManifests

/// The schema of any manifest.
private let schema = PublishedSchemas.schema(for: "Manifest").flatMap { try? JSONSchema($0) }

/// A file gives definitions or errors, never neither; nothing that has an error may run, and what has none fits the
/// published schema.
func fuzzManifest(_ bytes: [UInt8]) {
    let file = SourceFile(path: "workflows/fuzz.yaml", bytes: bytes)
    let catalog = Catalog.load([file]) { !$0.contains("missing") }
    let lines = bytes.count + 1
    for diagnostic in catalog.diagnostics {
        require(!diagnostic.message.isEmpty, "a diagnostic says something")
        guard let place = diagnostic.place else { continue }
        require(place.file == file.path && (1...lines).contains(place.line), "a diagnostic stands in the file")
    }
    let hasError = catalog.diagnostics.contains { $0.level == .error }
    let definitions = catalog.workflows.count + catalog.policies.count
    require(!hasError || definitions == 0, "a file with an error is set aside as a whole")
    require(!hasError || catalog.setAside.isDisjoint(with: catalog.workflows.keys), "what is set aside cannot run")
    let again = Catalog.load([file]) { !$0.contains("missing") }
    require(again.diagnostics == catalog.diagnostics, "a file always has the same diagnostics")
    guard !hasError else { return }
    for document in YAML.documents(bytes).documents where !document.value.isNull {
        require(schema?.isValid(document.value) == true, "what is read fits the schema that editors use")
    }
    guard definitions == 0 else { return }
    for document in YAML.documents(bytes).documents {
        let kind = document.value["kind"]?.stringValue
        require(
            document.value.isNull || kind != nil && kind != "Workflow" && kind != "Policy",
            "a document that says something is a definition or has an error")
    }
}
