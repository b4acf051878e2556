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

    /// Changes of one file, and whether the others can tell.
    private static let revisions: [(path: String, text: String, isAlone: Bool)] = [
        ("workflows/alone.yaml", "kind: Workflow\nname: alone\nsteps: [{id: b, set: {x: 2}}]\n", true),
        // A warning comes, stays, and goes.
        (
            "workflows/alone.yaml",
            "kind: Workflow\nname: alone\nsteps: [{id: a, set: {x: 1}}, {id: a, set: {x: 1}}]\n", false
        ),
        ("workflows/alone.yaml", "kind: Workflow\nname: alone\nsteps: [{id: a, set: {x: 1}}]\n", false),
        ("workflows/alone.yaml", "kind: Workflow\nname: alone\nsteps: [{id: a, run: [./none.sh]}]\n", true),
        ("workflows/alone.yaml", "# again\nkind: Workflow\nname: alone\nsteps: [{id: a, set: {x: 1}}]\n", true),
        ("workflows/callee.yaml", "# as before\n" + (files["workflows/callee.yaml"] ?? ""), true),
        ("workflows/callee.yaml", "kind: Workflow\nname: callee\nsteps: [{id: a, set: {url: x}}]\n", false),
        ("workflows/callee.yaml", files["workflows/callee.yaml"] ?? "", false),
        (
            "workflows/callee.yaml",
            "kind: Workflow\nname: callee\ninputs: {n: {type: integer}}\nsteps: [{id: a, set: {url: x}}]\noutputs: {url: x}\n",
            false
        ),
        ("workflows/callee.yaml", files["workflows/callee.yaml"] ?? "", false),
        // Round in a circle, and back.
        (
            "workflows/callee.yaml",
            "kind: Workflow\nname: callee\nsteps: [{id: a, call: {workflow: caller}}]\noutputs: {url: x}\n", false
        ),
        ("workflows/callee.yaml", files["workflows/callee.yaml"] ?? "", false),
        ("workflows/caller.yaml", "# more\n\n" + (files["workflows/caller.yaml"] ?? ""), true),
        ("workflows/caller.yaml", "kind: Workflow\nname: caller\nsteps: [{id: use, uses: publish@7}]\n", false),
        ("workflows/caller.yaml", "kind: Workflow\nname: caller\nsteps: [{id: p, run: [x], pool: none}]\n", false),
        ("workflows/caller.yaml", files["workflows/caller.yaml"] ?? "", false),
        ("workflows/alone.yaml", "kind: Workflow\nname: other\nsteps: [{id: a, set: {x: 1}}]\n", false),
        ("workflows/alone.yaml", "kind: Workflow\nname: callee\nsteps: [{id: a, set: {x: 1}}]\n", false),
        ("workflows/alone.yaml", files["workflows/alone.yaml"] ?? "", false),
        ("workflows/guard.yaml", "# more\n" + (files["workflows/guard.yaml"] ?? ""), false),
        ("workflows/publish.yaml", publish("1.0.0", output: "place") + "\n# more\n", false),
        // A test looks into it.
        ("workflows/alone.yaml", "kind: Test\nname: t\nworkflow: callee\ncases: []\n", false),
        ("workflows/callee.yaml", "# more\n" + (files["workflows/callee.yaml"] ?? ""), false),
        ("workflows/alone.yaml", files["workflows/alone.yaml"] ?? "", false),
        ("workflows/callee.yaml", files["workflows/callee.yaml"] ?? "", true),
    ]

    @Test("a catalog that is revised says what one says that is loaded, and is revised where no other file can tell")
    func revised() {
        let cache = ManifestCache()
        var files = Self.files
        files["workflows/own.sh"] = ""
        files["workflows/publish.sh"] = ""
        var catalog = Self.load(files, cache)
        for (number, change) in Self.revisions.enumerated() {
            files[change.path] = change.text
            let before = Self.text(catalog)
            let file = SourceFile(path: change.path, bytes: Array(change.text.utf8))
            let isRevised = catalog.revise(file, exists: { [files] in Self.stands($0, in: files) }, cache: cache)
            #expect(isRevised == change.isAlone, "change \(number): \(change.path) is \(change.text)")
            if !isRevised {
                #expect(Self.text(catalog) == before)
                catalog = Self.load(files, cache)
            }
            #expect(
                Self.text(catalog) == Self.text(Self.load(files, nil)),
                "change \(number): \(change.path) is \(change.text)")
        }
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
            exists: { stands($0, in: files) }, cache: cache, isKept: isKept)
    }

    private static func stands(_ path: String, in files: [String: String]) -> Bool {
        files.keys.contains { $0.hasSuffix(path) }
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
