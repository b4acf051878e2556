import Foundation
import WaybillCore
import WaybillManifests

/// `jsonschema`: a schema, an instance and whether it is valid. The documents that schemas refer to lie beside the
/// cases, in `remotes.jsonl` and `metaschemas.jsonl`.
func runJSONSchemaSuite(lines: [String], path: String, report: Report) throws {
    let resources = try documents(besideFile: path)
    for line in lines {
        let test = try JSON.parse(line)
        guard let id = test["id"]?.stringValue, let schema = test["schema"], let data = test["data"],
            let isValid = test["valid"]?.boolValue
        else { throw SuiteError(message: "a case lacks id, schema, data or valid") }
        // Only the cases about formats want them asserted; by default a format describes.
        let options = JSONSchema.Options(assertsFormats: test["set"] == "format")
        let expected = isValid ? "valid" : "invalid"
        do {
            let violations = try JSONSchema(schema, resources: resources, options: options).validate(data)
            report.check(
                id, violations.isEmpty == isValid, expected: expected,
                actual: violations.isEmpty ? "valid" : violations.map(\.message).joined(separator: "; "))
        } catch {
            report.fail(id, expected: expected, actual: "\(error)")
        }
    }
}

private func documents(besideFile path: String) throws -> [String: Value] {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    var documents: [String: Value] = [:]
    for name in ["remotes.jsonl", "metaschemas.jsonl"] {
        let file = folder.appendingPathComponent(name).path
        guard FileManager.default.fileExists(atPath: file) else { continue }
        for line in try lines(ofFile: file) {
            let entry = try JSON.parse(line)
            guard let uri = entry["uri"]?.stringValue, let schema = entry["schema"] else {
                throw SuiteError(message: "\(name): a document lacks uri or schema")
            }
            documents[uri] = schema
        }
    }
    return documents
}
