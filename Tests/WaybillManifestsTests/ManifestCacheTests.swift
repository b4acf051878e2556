import Testing
import WaybillCore

@testable import WaybillManifests

@Suite("What is kept of manifests that were read")
struct ManifestCacheTests {
    private static let files = [
        "workflows/caller.yaml": """
        kind: Workflow
        name: caller
        steps:
          - {id: sub, call: {workflow: callee}}
          - {id: use, uses: publish@1, with: {file: "${{ steps.sub.output.url }}"}}
          - {id: own, run: [./own.sh, "${{ steps.use.output.place }}"]}
        """,
        "workflows/callee.yaml": """
        kind: Workflow
        name: callee
        steps: [{id: a, set: {url: x}}]
        outputs: {url: "${{ steps.a.output.url }}"}
        """,
        "workflows/publish.yaml": publish("1.0.0", output: "place"),
        "workflows/guard.yaml":
            "kind: Policy\nname: guard\nmatch: {workflows: {names: [callee]}}\nrules: [{id: r, limit: {steps: 9}}]\n",
        "workflows/alone.yaml": "kind: Workflow\nname: alone\nsteps: [{id: a, set: {x: 1}}]\n",
    ]

    private static func publish(_ version: String, output: String) -> String {
        """
        kind: Capability
        name: publish
        version: \(version)
        inputs: {file: {type: string}}
        output: {type: object, properties: {\(output): {type: string}}, required: [\(output)]}
        run: [./publish.sh, "${{ inputs.file }}"]
        """
    }

    /// What happens to files one after the other: a path, and its new text, or nil where it goes.
    private static let changes: [(path: String, text: String?)] = [
        ("workflows/alone.yaml", "kind: Workflow\nname: alone\nsteps: [{id: b, set: {x: 2}}]\n"),
        // What the caller reads of the other workflow is not there any more, and comes back.
        ("workflows/callee.yaml", "kind: Workflow\nname: callee\nsteps: [{id: a, set: {url: x}}]\n"),
        ("workflows/callee.yaml", files["workflows/callee.yaml"]),
        // A newer capability serves, of another output; it goes; the older one is broken; it is mended.
        ("workflows/newer.yaml", publish("1.1.0", output: "elsewhere")),
        ("workflows/newer.yaml", nil),
        ("workflows/publish.yaml", "kind: Capability\nname: publish\nversion: 1.0.0\nrun: 7\n"),
        ("workflows/publish.yaml", files["workflows/publish.yaml"]),
        // No YAML at all, and a second document of a name.
        ("workflows/alone.yaml", "kind: Policy\nname: {"),
        ("workflows/alone.yaml", "kind: Workflow\nname: callee\nsteps: [{id: a, set: {x: 1}}]\n"),
        ("workflows/alone.yaml", nil),
        // A program goes, and comes back.
        ("workflows/own.sh", nil), ("workflows/own.sh", ""),
        ("workflows/callee.yaml", nil),
    ]

    @Test("a catalog is the same with it and without, whatever changes")
    func sameCatalog() {
        let cache = ManifestCache()
        var files = Self.files
        files["workflows/own.sh"] = ""
        files["workflows/publish.sh"] = ""
        _ = Self.load(files, cache)
        for (number, change) in Self.changes.enumerated() {
            files[change.path] = change.text
            #expect(
                Self.text(Self.load(files, cache)) == Self.text(Self.load(files, nil)),
                "change \(number): \(change.path) is \(change.text ?? "gone")")
        }
    }

    @Test("only what changed, and what depends on it, is read again")
    func readAgain() {
        let cache = ManifestCache()
        var files = Self.files
        files["workflows/own.sh"] = ""
        files["workflows/publish.sh"] = ""
        func changed(_ path: String, _ text: String?) -> [String] {
            let before = cache.known.mapValues(\.reading)
            files[path] = text
            _ = Self.load(files, cache)
            return cache.known.filter { before[$0.key] != $0.value.reading }.keys.sorted()
        }
        #expect(changed("workflows/none.txt", "").count == 5)
        #expect(changed("workflows/none.txt", "x") == [])
        #expect(changed("workflows/alone.yaml", "kind: Workflow\nname: alone\nsteps: []\n") == ["workflows/alone.yaml"])
        #expect(
            changed("workflows/publish.yaml", Self.publish("1.0.1", output: "place"))
                == ["workflows/caller.yaml", "workflows/publish.yaml"])
        #expect(
            changed("workflows/callee.yaml", "kind: Workflow\nname: callee\nsteps: [{id: a, set: {url: x}}]\n")
                == ["workflows/callee.yaml", "workflows/caller.yaml"])
        // Its outputs are as before.
        #expect(
            changed("workflows/callee.yaml", "kind: Workflow\nname: callee\nsteps: [{id: a, set: {url: y}}]\n")
                == ["workflows/callee.yaml"])
        #expect(changed("workflows/own.sh", nil) == ["workflows/caller.yaml"])
    }

    @Test("whoever only asks it leaves what it knows as it is")
    func asking() {
        let cache = ManifestCache()
        var files = Self.files
        _ = Self.load(files, cache)
        let before = cache.known.mapValues(\.reading)
        files["workflows/callee.yaml"] = nil
        files["workflows/alone.yaml"] = "kind: Workflow\nname: alone\nsteps: []\n"
        let catalog = Self.load(files, cache, isKept: false)
        #expect(Self.text(catalog) == Self.text(Self.load(files, nil)))
        #expect(cache.known.mapValues(\.reading) == before)
    }

    private static func load(_ files: [String: String], _ cache: ManifestCache?, isKept: Bool = true) -> Catalog {
        let manifests = files.filter { $0.key.hasSuffix(".yaml") }
        return Catalog.load(
            manifests.map { SourceFile(path: $0.key, bytes: Array($0.value.utf8)) },
            exists: { path in files.keys.contains { $0.hasSuffix(path) } }, cache: cache,
            isKept: isKept)
    }

    /// What a catalog says, in an order that does not depend on hashes.
    private static func text(_ catalog: Catalog) -> [String] {
        var lines: [String] = []
        for (name, workflow) in catalog.workflows.sorted(by: { $0.key < $1.key }) {
            lines.append("\(name) \(workflow.outputs.map(\.name)) \(workflow.calledWorkflows.sorted())")
            workflow.visitSteps { lines.append("\(name).\($0.path) at \($0.step.place)") }
        }
        lines += catalog.policies.map { "policy \($0.name)" }
        lines += catalog.capabilities.map { "capability \($0.name)@\($0.version)" }
        return lines + catalog.setAside.sorted() + catalog.brokenRules.sorted() + catalog.diagnostics.map(\.text)
    }
}
