import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillExpressions
import WaybillManifests
import WaybillPorts
import WaybillStore
import WaybillTestKit

@testable import WaybillRuntime

@Suite("The manifests of a tree, and what a run keeps of them")
struct SourceTreeTests {
    private let fileSystem = MemoryFileSystem()

    /// A tree with these files; a text that begins with `#!` is executable.
    private func tree(_ files: [String: String]) throws -> SourceTree {
        try fileSystem.createDirectories("/tree/workflows")
        let root = try #require(try fileSystem.openDirectory("/tree"))
        for (path, text) in files {
            let path = FilePath(path)
            try root.createDirectories(path.removingLastComponent())
            try root.write(
                Array(text.utf8), toNew: path, permissions: text.hasPrefix("#!") ? 0o700 : 0o600, durability: .relaxed)
        }
        return try SourceTree(root: root)
    }

    private static func capability(_ version: String) -> String {
        "kind: Capability\nname: publish\nversion: \(version)\nrun: [./publish.sh]\ncompensate: {run: [./bin/undo.sh]}\n"
    }

    private static let files = [
        "workflows/ship/ship.yaml": """
        kind: Workflow
        name: ship
        files: [data/**]
        steps:
          - {id: g, steps: [{id: build, run: [./build.sh], compensate: {run: [./clean.sh]}}]}
          - {id: publish, uses: publish@1, onUnknown: {check: {run: [./check.sh]}}}
          - {id: sub, call: {workflow: notify}}
        finally: [{id: tidy, run: [./tidy.sh]}]
        """,
        "workflows/notify/notify.yaml": """
        kind: Workflow
        name: notify
        labels: {loud: "true"}
        steps: [{id: each, forEach: [1], run: [./send.sh]}]
        """,
        "workflows/other.yaml": "kind: Workflow\nname: other\nsteps: [{id: a, run: [./other.sh]}]\n",
        "workflows/lib/1.2.yaml": capability("1.2.0"), "workflows/lib/1.10.yaml": capability("1.10.0"),
        "workflows/policies/loud.yaml":
            "kind: Policy\nname: loud\nmatch: {workflows: {labels: {loud: 'true'}}}\nrules: [{id: r, limit: {steps: 9}}]\n",
        "workflows/policies/others.yaml":
            "kind: Policy\nname: others\nmatch: {workflows: {names: [other]}}\nrules: [{id: r, limit: {steps: 9}}]\n",
        "workflows/settings.yaml": "kind: Settings\npools: {gpu: 1}\n",
        "workflows/ship/data/a/b.txt": "b", "workflows/ship/build.sh": "#!", "workflows/ship/clean.sh": "#!",
        "workflows/ship/check.sh": "#!", "workflows/ship/tidy.sh": "#!", "workflows/ship/unused.sh": "#!",
        "workflows/notify/send.sh": "#!", "workflows/lib/publish.sh": "#!", "workflows/lib/bin/undo.sh": "#!",
        "workflows/other.sh": "#!",
    ]

    @Test(
        "a run keeps its workflow and those it calls, their policies, the capabilities they resolved to, and all programs"
    )
    func freezing() throws {
        let sources = try tree(Self.files)
        #expect(sources.catalog.diagnostics == [])
        let frozen = try sources.freeze(#require(sources.catalog.workflows["ship"])) { paths in
            paths.contains("workflows/lib/1.10.yaml") ? "abc" : nil
        }
        #expect(frozen.commit == "abc")
        #expect(
            frozen.sources.map(\.path) == [
                "workflows/lib/1.10.yaml", "workflows/lib/bin/undo.sh", "workflows/lib/publish.sh",
                "workflows/notify/notify.yaml", "workflows/notify/send.sh", "workflows/policies/loud.yaml",
                "workflows/settings.yaml", "workflows/ship/build.sh", "workflows/ship/check.sh",
                "workflows/ship/clean.sh", "workflows/ship/data/a/b.txt", "workflows/ship/ship.yaml",
                "workflows/ship/tidy.sh",
            ])
        #expect(frozen.sources.filter(\.isExecutable).count == 7)
    }

    @Test("frozen sources alone give the same definition, whatever else the tree had")
    func compiling() throws {
        let sources = try tree(Self.files)
        let frozen = try sources.freeze(#require(sources.catalog.workflows["ship"])) { _ in nil }
        let run = try #require(RunID("ship-1"))
        let definition = try DefinitionCache.compile(frozen, run, zones: UniversalTime())
        #expect(definition.workflow.name == "ship")
        #expect(definition.workflows.keys.sorted() == ["notify", "ship"])
        #expect(definition.settings.pools == ["gpu": 1])
        guard case .uses(let use) = definition.workflow.plan.steps[1].action else {
            Issue.record("the step uses nothing")
            return
        }
        #expect(use.capability?.version.description == "1.10.0")
        let called = FrozenDefinition(workflow: "notify", commit: nil, sources: frozen.sources)
        #expect(try DefinitionCache.compile(called, run, zones: UniversalTime()).policies.map(\.name) == ["loud"])
    }

    @Test("what stands beside the workflow in its file and needs what was not frozen harms nobody")
    func neighbours() throws {
        var files = Self.files
        files["workflows/other.yaml"] = """
            kind: Workflow
            name: other
            steps: [{id: a, run: [./other.sh]}]
            ---
            kind: Workflow
            name: neighbour
            steps: [{id: a, call: {workflow: ship}}]
            ---
            kind: Test
            name: t
            workflow: ship
            cases: [{name: c, expect: {status: completed}}]
            """
        let sources = try tree(files)
        #expect(sources.catalog.diagnostics == [])
        let frozen = try sources.freeze(#require(sources.catalog.workflows["other"])) { _ in nil }
        let definition = try DefinitionCache.compile(frozen, #require(RunID("other-1")), zones: UniversalTime())
        #expect(definition.workflow.name == "other")
        #expect(definition.policies.map(\.name) == ["others"])
    }

    @Test("links, FIFOs and other things that look like manifests are named")
    func refused() throws {
        _ = try tree(["workflows/good.yaml": "kind: Workflow\nname: good\nsteps: [{id: a, set: {x: 1}}]\n"])
        for (kind, name) in [
            (FileKind.link, "a.yaml"), (.fifo, "b.yml"), (.socket, "c.yaml"), (.device, "d.yaml"), (.fifo, "e.txt"),
        ] {
            try fileSystem.place(kind, at: FilePath("/tree/workflows/\(name)"))
        }
        let root = try #require(try fileSystem.openDirectory("/tree"))
        let catalog = try SourceTree(root: root).catalog
        let rest = "manifests are read from plain files only"
        #expect(
            catalog.diagnostics.map(\.text) == [
                "workflows/a.yaml:1:1: error: is a symbolic link; \(rest)",
                "workflows/b.yml:1:1: error: is a FIFO; \(rest)",
                "workflows/c.yaml:1:1: error: is a socket; \(rest)",
                "workflows/d.yaml:1:1: error: is a device; \(rest)",
            ])
        #expect(catalog.workflows.keys.sorted() == ["good"])
    }

    // MARK: - Changes that somebody heard of

    @Test(
        "of the files that are said to have changed, each is taken in, and what was not said is found when all are read"
    )
    func changed() throws {
        var tree = try tree([
            "workflows/a.yaml": "kind: Workflow\nname: a\nsteps: [{id: s, set: {x: 1}}]\n",
            "workflows/b.yaml": "kind: Workflow\nname: b\nsteps: [{id: s, set: {x: 1}}]\n",
        ])
        let root = try #require(try fileSystem.openDirectory("/tree"))
        func write(_ label: String, _ name: String) throws {
            let text = "kind: Workflow\nname: \(name)\nlabels: {at: '\(label)'}\nsteps: [{id: s, set: {x: 1}}]\n"
            _ = try root.remove(FilePath("workflows/\(name).yaml"))
            try root.write(Array(text.utf8), toNew: FilePath("workflows/\(name).yaml"), durability: .relaxed)
        }
        func label(_ name: String) -> Value? { tree.catalog.workflows[name]?.labels["at"] }

        #expect(try tree.refresh(changed: ["workflows/a.yaml"]) == false)
        try write("1", "a")
        try write("1", "b")
        #expect(try tree.refresh(changed: ["workflows/a.yaml"]) == true)
        #expect(label("a") == "1")
        #expect(label("b") == nil)
        #expect(try tree.refresh() == true)
        #expect(label("b") == "1")
        // Whoever names one that is not known, or is gone, has everything looked at.
        try write("2", "c")
        try write("2", "b")
        #expect(try tree.refresh(changed: ["workflows/c.yaml"]) == true)
        #expect(tree.catalog.workflows.keys.sorted() == ["a", "b", "c"])
        #expect(label("b") == "2")
        _ = try root.remove("workflows/b.yaml")
        try write("3", "a")
        #expect(try tree.refresh(changed: ["workflows/a.yaml", "workflows/b.yaml"]) == true)
        #expect(tree.catalog.workflows.keys.sorted() == ["a", "c"])
        #expect(label("a") == "3")
        // As long as one cannot be read, everything is looked at.
        _ = try root.remove("workflows/c.yaml")
        let tooLarge = [UInt8](repeating: UInt8(ascii: " "), count: SourceTree.largestManifest + 1)
        try root.write(tooLarge, toNew: "workflows/c.yaml", durability: .relaxed)
        #expect(try tree.refresh(changed: ["workflows/c.yaml"]) == true)
        #expect(tree.catalog.diagnostics.count == 1)
        try write("4", "c")
        #expect(try tree.refresh(changed: []) == true)
        #expect(label("c") == "4")
    }
}
