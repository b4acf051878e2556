import Testing
import WaybillCore
import WaybillManifests

@Suite("Which policies apply to which steps")
struct PolicyCoverageTests {
    private static let files = [
        "workflows/c.yaml": "kind: Capability\nname: publish\nversion: 1.0.0\nrun: [make]\n",
        "workflows/p.yaml": """
        kind: Policy
        name: tools
        match: {workflows: {labels: {environment: production}}, steps: {actions: [run]}}
        rules: [{id: a, at: step.before, deny: false}, {id: b, limit: {steps: 5}}]
        mode: warn
        ---
        kind: Policy
        name: all
        rules: [{id: c, limit: {steps: 5}}]
        """,
        "workflows/w.yaml": """
        kind: Workflow
        name: w
        labels: {environment: production}
        steps:
          - {id: make, run: [make], compensate: {run: [unmake]}}
          - {id: note, set: {x: 1}}
          - {id: publish, uses: publish@1}
          - {id: load, forEach: [1], steps: [{id: fetch, run: [fetch]}, {id: ask, ask: {prompt: Well?}}]}
          - {id: each, forEach: [1], run: [make]}
        finally: [{id: tidy, run: [make]}]
        ---
        kind: Workflow
        name: x
        steps: [{id: a, set: {x: 1}}]
        """,
    ]

    @Test("a policy applies to the steps whose action it names, and to uses of capabilities that come to it")
    func coverage() {
        let catalog = load(Self.files)
        #expect(catalog.diagnostics == [])
        #expect(
            catalog.coverage.map(\.value) == [
                [
                    "policy": "all", "mode": "enforce", "workflow": "w", "rules": ["c"], "run": ["c"],
                    "steps": [
                        "make", "note", "publish", "load-*", "load-*.fetch", "load-*.ask", "each-*", "tidy",
                    ],
                ],
                [
                    "policy": "tools", "mode": "warn", "workflow": "w", "rules": ["a", "b"], "run": ["b"],
                    "steps": ["make", "publish", "load-*.fetch", "each-*", "tidy"],
                ],
                [
                    "policy": "all", "mode": "enforce", "workflow": "x", "rules": ["c"], "run": ["c"], "steps": ["a"],
                ],
            ])
        #expect(catalog.coverage.map(\.isWhole) == [true, false, true])
    }
}
