import Testing
import WaybillCore
import WaybillManifests

@Suite("Workflows and what they use and call")
struct WorkflowLinkTests {
    private static func capability(_ version: String, inputs: String = "{file: {type: string}}") -> String {
        "kind: Capability\nname: publish\nversion: \(version)\ninputs: \(inputs)\nrun: [./publish.sh, \"${{ inputs.file }}\"]\n"
    }

    private static func workflow(_ name: String, _ steps: String..., inputs: String = "{}") -> String {
        "kind: Workflow\nname: \(name)\ninputs: \(inputs)\nsteps:\n" + steps.map { "  - \($0)\n" }.joined()
    }

    /// The diagnostics as `file:line:column message (hint)`.
    private static func texts(_ catalog: Catalog) -> [String] {
        catalog.diagnostics.map { diagnostic in
            let place = diagnostic.place.map { "\($0.file):\($0.line):\($0.column) " } ?? ""
            let level = diagnostic.level == .error ? "" : "\(diagnostic.level.rawValue): "
            return place + level + diagnostic.message + (diagnostic.hint.map { " (\($0))" } ?? "")
        }
    }

    private static func used(_ step: StepDefinition?) -> String? {
        guard case .uses(let use)? = step?.action else { return nil }
        return use.capability?.version.description
    }

    // MARK: - Capabilities

    @Test("a step uses the newest version that serves, wherever it stands")
    func newest() throws {
        let use = "uses: publish@1, with: {file: a}"
        let steps = [
            "{id: a, \(use)}", "{id: g, steps: [{id: b, \(use)}]}", "{id: l, forEach: [1], \(use)}",
            "{id: c, run: [make], compensate: {\(use)}}", "{id: old, uses: publish@0.9, with: {file: a}}",
        ]
        let text = "kind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined()
        var files = ["workflows/w.yaml": text]
        for version in ["0.9.4", "1.2.0", "1.10.1", "2.0.0", "1.11.0-rc.1"] {
            files["workflows/publish-\(version).yaml"] = Self.capability(version)
        }
        let catalog = load(files)
        #expect(catalog.diagnostics == [])
        let workflow = try #require(catalog.workflows["w"])
        var found: [String] = []
        workflow.visitSteps { visit in
            if let version = Self.used(visit.step) { found.append("\(visit.path) \(version)") }
        }
        #expect(found == ["a 1.10.1", "g.b 1.10.1", "l-* 1.10.1", "c 1.10.1", "old 0.9.4"])
    }

    @Test(
        "a use that leads nowhere sets the workflow aside",
        arguments: [
            (
                "publihs@1",
                "the step `a` uses `publihs@1`, and there is no such capability (did you mean 'publish'?)"
            ),
            (
                "publish@3",
                "the step `a` uses `publish@3`, and there is no such capability (there are the versions `1.2.0` and `2.0.0`)"
            ),
            ("other-thing@1", "the step `a` uses `other-thing@1`, and there is no such capability"),
        ])
    func unknown(reference: String, expected: String) {
        let catalog = load([
            "workflows/w.yaml": Self.workflow("w", "{id: a, uses: \(reference), with: {file: x}}"),
            "workflows/c.yaml": Self.capability("1.2.0"), "workflows/d.yaml": Self.capability("2.0.0"),
        ])
        #expect(Self.texts(catalog) == ["workflows/w.yaml:5:19 \(expected)"])
        #expect(catalog.workflows.isEmpty)
        #expect(catalog.setAside == ["w"])
    }

    @Test("inputs are compared with what the capability takes")
    func inputs() {
        let inputs = "{file: {type: string}, count: {type: integer, minimum: 1}, mode: {type: string, default: fast}}"
        let catalog = load([
            "workflows/c.yaml": Self.capability("1.0.0", inputs: inputs),
            "workflows/w.yaml": Self.workflow(
                "w", "{id: a, uses: publish@1, with: {flie: x, count: 0}}",
                "{id: b, uses: publish@1, with: {other: 1}}",
                "{id: c, uses: publish@1, with: {file: \"${{ run.id }}\", count: 2}}"),
        ])
        let taker = "the capability `publish@1.0.0`"
        #expect(
            Self.texts(catalog) == [
                "workflows/w.yaml:5:37 \(taker) has no input `flie` (did you mean 'file'?)",
                "workflows/w.yaml:5:46 `count` does not fit the schema of \(taker): must be at least 1, got 0",
                "workflows/w.yaml:6:10 \(taker) needs the input `file` (add it to `with`)",
                "workflows/w.yaml:6:10 \(taker) needs the input `count` (add it to `with`)",
                "workflows/w.yaml:6:37 \(taker) has no input `other` (it takes `file`, `count` and `mode`)",
            ])
    }

    @Test("what uses a capability that is set aside is set aside with it, and no older version takes its place")
    func brokenCapability() {
        let broken = Self.capability("1.3.0").replacing("inputs.file", with: "inputs.flie")
        let catalog = load([
            "workflows/a.yaml": Self.capability("1.2.0"), "workflows/b.yaml": broken,
            "workflows/w.yaml": Self.workflow("w", "{id: a, uses: publish@1, with: {file: x}}"),
        ])
        #expect(
            Self.texts(catalog) == [
                "workflows/b.yaml:5:33 in the expression: there is no member 'flie' (did you mean 'file'?)",
                "workflows/w.yaml:5:19 the step `a` uses `publish@1.3.0`, which is set aside, and so is this workflow (mend the capability first)",
            ])
        #expect(catalog.setAside == ["w"])
        #expect(catalog.capabilities.map(\.version.description) == ["1.2.0"])
    }

    // MARK: - Calls

    @Test("a call is compared with the workflow it calls")
    func calls() {
        let callee = Self.workflow("build-it", "{id: a, set: {x: 1}}", inputs: "{tag: {type: string, pattern: '^v'}}")
        let catalog = load([
            "workflows/a.yaml": callee,
            "workflows/b.yaml": Self.workflow("good", "{id: a, call: {workflow: build-it, with: {tag: v1}}}"),
            "workflows/c.yaml": Self.workflow("bad", "{id: a, call: {workflow: build-it, with: {tag: x1}}}"),
            "workflows/d.yaml": Self.workflow("worse", "{id: a, call: {workflow: biuld-it}}"),
        ])
        #expect(
            Self.texts(catalog) == [
                "workflows/c.yaml:5:47 `tag` does not fit the schema of the workflow `build-it`: does not match the pattern '^v', got \"x1\"",
                "workflows/d.yaml:5:30 the step `a` calls the workflow `biuld-it`, which does not exist (did you mean 'build-it'?)",
            ])
        #expect(catalog.workflows.keys.sorted() == ["build-it", "good"])
    }

    @Test("whatever calls what is set aside is set aside, up to the outermost")
    func spread() {
        let catalog = load([
            "workflows/a.yaml": Self.workflow("a", "{id: s, call: {workflow: b, detach: true}}"),
            "workflows/b.yaml": Self.workflow("b", "{id: s, steps: [{id: t, call: {workflow: c}}]}"),
            "workflows/c.yaml": Self.workflow("c", "{id: s, uses: gone@1}"),
            "workflows/d.yaml": Self.workflow("d", "{id: s, call: {workflow: e}}"),
            "workflows/e.yaml": "kind: Workflow\nname: e\nsteps: []\n",
        ])
        #expect(
            Self.texts(catalog) == [
                "workflows/a.yaml:5:30 the step `s` calls the workflow `b`, which is set aside, and so is this one (mend that workflow first)",
                "workflows/b.yaml:5:46 the step `s.t` calls the workflow `c`, which is set aside, and so is this one (mend that workflow first)",
                "workflows/c.yaml:5:19 the step `s` uses `gone@1`, and there is no such capability",
                "workflows/d.yaml:5:30 the step `s` calls the workflow `e`, which is set aside, and so is this one (mend that workflow first)",
                "workflows/e.yaml:3:8 `steps` is empty (it needs at least 1 of its entries)",
            ])
        #expect(catalog.workflows.isEmpty)
        #expect(catalog.setAside == ["a", "b", "c", "d", "e"])
    }

    @Test("calls that go round in a circle for ever are refused, and what calls into it as well")
    func circles() {
        let catalog = load([
            "workflows/a.yaml": Self.workflow("a", "{id: s, call: {workflow: b}}"),
            "workflows/b.yaml": Self.workflow("b", "{id: s, call: {workflow: c}}"),
            "workflows/c.yaml": Self.workflow("c", "{id: s, call: {workflow: b}}"),
            "workflows/d.yaml": Self.workflow("d", "{id: s, call: {workflow: d}}"),
        ])
        #expect(
            Self.texts(catalog) == [
                "workflows/a.yaml:5:30 the step `s` calls the workflow `b`, which is set aside, and so is this one (mend that workflow first)",
                "workflows/c.yaml:5:30 these calls never end: `b` calls `c` calls `b` (give one of these steps an `if`)",
                "workflows/d.yaml:5:30 these calls never end: `d` calls `d` (give one of these steps an `if`)",
            ])
        #expect(catalog.setAside == ["a", "b", "c", "d"])
    }

    @Test("a circle with a condition on its way is a warning, and one that nobody waits for is none")
    func guardedCircles() {
        let catalog = load([
            "workflows/a.yaml": Self.workflow(
                "a", "{id: s, if: 'inputs.n > 0', call: {workflow: a, with: {n: '${{ inputs.n - 1 }}'}}}",
                inputs: "{n: {type: integer}}"),
            "workflows/b.yaml": Self.workflow("b", "{id: s, call: {workflow: b, detach: true}}"),
            "workflows/c.yaml":
                "kind: Workflow\nname: c\nstates:\n  s: {set: {x: 1}, next: [{if: 'run.id == \"\"', to: t}, {to: end}]}\n  t: {call: {workflow: c}, next: end}\n",
            "workflows/d.yaml": Self.workflow(
                "d", "{id: e, if: 'run.id == \"\"', finish: {}}", "{id: s, call: {workflow: d}}"),
        ])
        let hint = "(make sure that the condition on the way ends it)"
        #expect(
            Self.texts(catalog) == [
                "workflows/a.yaml:5:50 warning: these calls may go round in a circle: `a` calls `a` \(hint)",
                "workflows/c.yaml:5:24 warning: these calls may go round in a circle: `c` calls `c` \(hint)",
                "workflows/d.yaml:6:30 warning: these calls may go round in a circle: `d` calls `d` \(hint)",
            ])
        #expect(catalog.workflows.count == 4)
    }

    @Test("a chain of calls may be as long as a tree has workflows")
    func longChain() {
        var files: [String: String] = [:]
        let count = 3_000
        for index in 0..<count {
            let step = index == count - 1 ? "{id: s, uses: gone@1}" : "{id: s, call: {workflow: w\(index + 1)}}"
            files["workflows/w\(index).yaml"] = Self.workflow("w\(index)", step)
        }
        let catalog = load(files)
        #expect(catalog.workflows.isEmpty)
        #expect(catalog.diagnostics.count == count)
    }

    @Test("the closure of a workflow is all it may come to call")
    func closure() throws {
        let catalog = load([
            "workflows/a.yaml": Self.workflow("a", "{id: s, call: {workflow: b}}", "{id: t, call: {workflow: c}}"),
            "workflows/b.yaml": Self.workflow("b", "{id: s, if: 'run.id != \"\"', call: {workflow: a}}"),
            "workflows/c.yaml": Self.workflow("c", "{id: s, set: {x: 1}}"),
            "workflows/d.yaml": Self.workflow("d", "{id: s, set: {x: 1}}"),
        ])
        #expect(try catalog.closure(of: #require(catalog.workflows["a"])).keys.sorted() == ["a", "b", "c"])
        #expect(try catalog.closure(of: #require(catalog.workflows["d"])).keys.sorted() == ["d"])
    }

    // MARK: - Settings

    @Test("a pool must be one of the settings'")
    func pools() {
        let step = "{id: a, pool: gup, run: [make]}"
        #expect(
            Self.texts(load(["workflows/w.yaml": Self.workflow("w", step)])) == [
                "workflows/w.yaml:5:10 the step `a` names the pool `gup`, which no `kind: Settings` declares (add `pools: {gup: 1}` to the settings)"
            ])
        let catalog = load([
            "workflows/w.yaml": Self.workflow("w", step), "workflows/s.yaml": "kind: Settings\npools: {gpu: 2}\n",
        ])
        #expect(
            Self.texts(catalog) == [
                "workflows/w.yaml:5:10 the step `a` names the pool `gup`, which no `kind: Settings` declares (did you mean 'gpu'?)"
            ])
    }
}
