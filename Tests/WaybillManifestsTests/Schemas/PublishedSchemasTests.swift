import Testing
import WaybillCore
import WaybillManifests

@Suite("Published schemas")
struct PublishedSchemasTests {
    private static let release = """
        kind: Workflow
        name: release
        labels: {environment: production}
        inputs: {version: {type: string, pattern: '^v'}}
        context: {minCoverage: 80.0}
        goal: {summary: "Ship ${{ inputs.version }}", acceptance: ["outputs.?url.hasValue()"]}
        files: [scripts/**]
        checkpoint: {every: 10}
        steps:
          - id: build
            run: [make, dist]
            env: {VERSION: "${{ inputs.version }}", JOBS: 4}
            timeout: 10m
            output: {format: json, maxSize: 2MiB, schema: {type: object, properties: {coverage: {type: number}}}}
            artifacts: [dist/*.tar.gz]
            verify: [output.coverage >= context.minCoverage]
          - id: approve
            needs: [build]
            ask: {prompt: "Ship (${{ steps.build.output.coverage }} %)?", approval: true, timeout: 48h, default: {approve: false}}
          - {id: refused, if: "!steps.approve.output.approve", fail: {message: refused}}
          - {id: publish, needs: [approve, {step: refused, when: ended}], run: {script: make publish, successCodes: [0, 2]}, output: text}
        outputs: {url: "${{ steps.publish.output }}"}
        """

    private func violations(_ text: String, of name: String) throws -> [String] {
        let schema = try JSONSchema(try #require(PublishedSchemas.schema(for: name)))
        let value = try #require(YAML.documents(Array(text.utf8)).documents.first).value
        return schema.validate(value).map(\.message)
    }

    @Test("every kind has a schema, and one more holds for any of them")
    func kinds() {
        #expect(
            PublishedSchemas.all.map(\.name) == [
                "Workflow", "Policy", "Capability", "Run", "Settings", "Test", "Manifest",
            ])
        for (_, schema) in PublishedSchemas.all {
            #expect(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        }
    }

    @Test("what the reader accepts fits the schema")
    func valid() throws {
        #expect(diagnose(Self.release) == [])
        #expect(try violations(Self.release, of: "Workflow") == [])
        #expect(try violations(Self.release, of: "Manifest") == [])
        let policy = "kind: Policy\nname: p\nrules: [{id: r, at: step.before, deny: true}]\n"
        #expect(try violations(policy, of: "Manifest") == [])
        #expect(try violations("kind: Settings\nconcurrency: {steps: 2}\n", of: "Manifest") == [])
        for (kind, text) in Self.others {
            #expect(try violations(text, of: kind) == [])
            #expect(try violations(text, of: "Manifest") == [])
        }
        let states = machine("a: {wait: {for: 1h}, next: [{if: 'true', to: a}, {to: end}]}")
        #expect(try violations(states, of: "Workflow") == [])
    }

    @Test(
        "a mistake in the shape does not fit the schema",
        arguments: [
            ("name: release", "name: Release"), ("timeout: 10m", "timeout: ten"), ("timeout: 10m", "tiemout: 10m"),
            ("run: [make, dist]", "run: []"), ("id: approve", "id: a-b"), ("approval: true", "approval: maybe"),
            ("approval: true", "approval: true, choices: [a]"), ("when: ended", "when: done"),
            ("kind: Workflow", "kind: Flow"),
            ("run: [make, dist]", "retry: {tries: 2}\n    run: [make, dist]"), ("every: 10", "every: 0"),
            ("output: text", "output: xml"), ("script: make publish", "script: make publish, argv: [x]"),
        ])
    func invalid(from: String, to: String) throws {
        let text = Self.release.replacing(from, with: to)
        #expect(text != Self.release)
        #expect(try !violations(text, of: "Workflow").isEmpty)
        #expect(!diagnose(text).isEmpty)
    }

    private static let others = [
        (
            "Policy",
            """
            kind: Policy
            name: p
            match: {workflows: {names: [release]}}
            rules:
              - {id: spend, at: step.before, if: "true", require: {approval: {prompt: Spend?, timeout: 1h}}}
              - {id: checked, at: step.after, require: {verification: [output.ok]}}
              - {id: budget, limit: {steps: 5, cost: 1.5, active: 2h}}
            binds: running
            tests: [{name: a, at: step.before, given: {step: {argv: [make]}}, expect: allow}]
            """
        ),
        (
            "Capability",
            """
            kind: Capability
            name: publish
            version: 1.2.0-rc.1
            inputs: {file: {type: string}}
            output: {type: object}
            sideEffects: idempotent
            http: {method: PUT, url: "https://a.test/${{ inputs.file }}", expect: {status: [2xx, 409]}}
            retry: {maxAttempts: 2, on: [executor, {status: [429, 5xx]}]}
            compensate: {http: {method: DELETE, url: "https://a.test"}}
            """
        ),
        (
            "Test",
            """
            kind: Test
            name: t
            workflow: release
            cases:
              - name: c
                stubs: {build: [{exitCode: 1}, {output: {}}], load-3.fetch: {status: 500}}
                answers: {approve: no}
                events: [{type: a, data: 1}]
                advance: 49h
                expect: {status: completed, steps: {stage: compensated, a: {attempts: 2}}, ledger: [RUN_END, {type: TASK_END}]}
            """
        ),
        (
            "Run",
            """
            kind: Run
            name: r
            workflow: release
            inputs: {version: v1}
            labels: {a: b}
            notBefore: "2026-11-20T10:00:00Z"
            generation: 2
            """
        ),
    ]

    @Test("every manifest of the tree's own examples fits the schema of its kind")
    func examples() throws {
        var count = 0
        for (path, text) in try ExampleManifests.all() {
            for document in YAML.documents(Array(text.utf8)).documents {
                let kind = try #require(document.value["kind"]?.stringValue)
                for name in [kind, "Manifest"] {
                    let schema = try JSONSchema(try #require(PublishedSchemas.schema(for: name)))
                    #expect(schema.validate(document.value).map(\.message) == [], "\(path) as \(name)")
                }
                count += 1
            }
        }
        #expect(count >= 5)
    }

    @Test("every field that may be used has a description for the editor")
    func descriptions() throws {
        func check(_ schema: Value, _ path: String) {
            for (name, property) in schema["properties"]?.objectValue ?? [:] {
                #expect(property["description"]?.stringValue?.isEmpty == false, "\(path).\(name)")
                check(property, "\(path).\(name)")
            }
            for branch in schema["anyOf"]?.listValue ?? [] { check(branch, path) }
            if let items = schema["items"] { check(items, path + "[]") }
            if let others = schema["additionalProperties"] { check(others, path + ".*") }
        }
        for (name, schema) in PublishedSchemas.all where name != "Manifest" { check(schema, name) }
    }
}
