import Foundation
import Testing
import WaybillCore
import WaybillManifests

@Suite("JSON Schema against the published cases")
struct JSONSchemaConformanceTests {
    /// The cases lie beside the repository on the machines that have them.
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("../shared/conformance/jsonschema").path

    private func cases(_ name: String) throws -> [Value] {
        let text = try String(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)"), encoding: .utf8)
        return try text.split(separator: "\n").map { try JSON.parse(String($0)) }
    }

    @Test("every case has the published answer", .enabled(if: FileManager.default.fileExists(atPath: folder)))
    func suite() throws {
        var resources: [String: Value] = [:]
        for document in try cases("remotes.jsonl") + cases("metaschemas.jsonl") {
            resources[try #require(document["uri"]?.stringValue)] = document["schema"]
        }
        for test in try cases("cases.jsonl") {
            let options = JSONSchema.Options(assertsFormats: test["set"] == "format")
            let schema = try JSONSchema(try #require(test["schema"]), resources: resources, options: options)
            let isValid = schema.isValid(try #require(test["data"]))
            #expect(.bool(isValid) == test["valid"], "\(test["id"]?.stringValue ?? "")")
        }
    }
}
