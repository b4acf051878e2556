import Foundation
import Testing
import WaybillCore

/// The published schemas before a validator that somebody else wrote.
@Suite("The published schemas and an independent validator")
struct PublishedSchemaTests {
    /// Reads a schema and manifests, and prints what does not fit.
    private static let script = """
        import json, sys, yaml, jsonschema
        # YAML 1.1 would read `no` and `on` as booleans, which 1.2 does not.
        class Loader(yaml.SafeLoader): pass
        Loader.yaml_implicit_resolvers = {
            key: [entry for entry in entries if entry[0] not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
            for key, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()}
        import re
        Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        count = 0
        for path in sys.argv[2:]:
            for document in yaml.load_all(open(path), Loader):
                if document is None: continue
                count += 1
                for error in validator.iter_errors(document):
                    print(path, error.json_path, error.message[:200])
        print(count, "documents")
        """

    private static let hasValidator: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3", "-W", "ignore", "-c", "import jsonschema, yaml; jsonschema.Draft202012Validator",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test("every example manifest fits the published schema", .enabled(if: hasValidator))
    func examples() async throws {
        let tree = try ScratchTree(copying: ["workflows"])
        try tree.write(Self.script, to: "check.py")
        let schema = try await tree.expect(0, "schema")
        try tree.write(schema.output, to: "schema.json")
        let found = FileManager.default.enumerator(atPath: tree["workflows"].path())?.compactMap { $0 as? String } ?? []
        let paths = found.filter { $0.hasSuffix(".yaml") }.sorted().map { "workflows/\($0)" }
        let finished = try await tree.run(
            "sh", "-c", "exec python3 -W ignore check.py schema.json \(paths.joined(separator: " "))")
        #expect(finished.status == 0, "\(finished)")
        #expect(finished.lines.count == 1, "\(finished.output)")
    }

    @Test("each kind has a schema of its own that a validator takes", .enabled(if: hasValidator))
    func kinds() async throws {
        let tree = try ScratchTree()
        try tree.write(Self.script, to: "check.py")
        for kind in ["workflow", "policy", "capability", "run", "settings", "test"] {
            let schema = try await tree.expect(0, "schema", kind)
            try tree.write(schema.output, to: "\(kind).json")
            let finished = try await tree.run("python3", "-W", "ignore", "check.py", "\(kind).json")
            #expect(finished.output == "0 documents\n", "\(kind): \(finished)")
        }
    }
}
