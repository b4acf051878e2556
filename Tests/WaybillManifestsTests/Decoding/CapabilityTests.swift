import Testing
import WaybillCore
import WaybillExpressions
import WaybillManifests

@Suite("Capabilities")
struct CapabilityTests {
    private static let publish = """
        kind: Capability
        name: publish
        version: 1.2.0
        inputs: {file: {type: string}, tries: {type: integer, default: 3}}
        output: {type: object, properties: {url: {type: string}}, required: [url]}
        sideEffects: effect
        run: [./publish.sh, "${{ inputs.file }}"]
        env: {RUN: "${{ run.id }}", KEY: "${{ step.idempotencyKey }}"}
        timeout: 5m
        retry: {maxAttempts: 2}
        onUnknown: {check: {run: [./published.sh, "${{ inputs.file }}"]}}
        compensate: {run: [./unpublish.sh, "${{ output.url }}"], retry: {maxAttempts: 5}}
        artifacts: [dist/*]
        verify: [output.url.startsWith('https')]
        """

    @Test("a capability says what it takes, does and gives")
    func complete() throws {
        let catalog = load(["workflows/lib/publish.yaml": Self.publish])
        #expect(catalog.diagnostics == [])
        let capability = try #require(catalog.capabilities.first)
        #expect(capability.name == "publish")
        #expect(capability.version.description == "1.2.0")
        #expect(capability.sourcePath == "workflows/lib/publish.yaml")
        #expect(capability.inputs.map(\.name) == ["file", "tries"])
        #expect(capability.inputs[1].defaultValue == 3)
        #expect(capability.outputSchema?["required"] == ["url"])
        let step = capability.step
        #expect(step.action.name == "run")
        #expect(step.output?.format == .json)
        #expect(step.output?.schemaValue == capability.outputSchema)
        #expect(step.timeout == .seconds(300))
        #expect(step.retry?.maxAttempts == 2)
        #expect(step.artifacts == ["dist/*"])
        #expect(step.verifications.map(\.source) == ["output.url.startsWith('https')"])
        #expect(step.compensation?.step.retry?.maxAttempts == 5)
        guard case .check(let check) = step.onUnknown else {
            Issue.record("there is no check")
            return
        }
        #expect(check.steps[0].output?.schemaValue == capability.outputSchema)
    }

    @Test("a request has its response as its output, and may be asked again if it changes nothing")
    func requests() throws {
        let text = """
            kind: Capability
            name: look-up
            version: 0.1.0
            inputs: {id: {type: string}}
            http: {url: "https://example.test/${{ inputs.id }}"}
            verify: [output.status == 200]
            """
        let catalog = load(["workflows/c.yaml": text])
        #expect(catalog.diagnostics == [])
        #expect(try #require(catalog.capabilities.first).step.onUnknown.word == "retry")
    }

    @Test("versions of one name stand side by side, in order")
    func versions() {
        let other = Self.publish.replacing("1.2.0", with: "1.10.0")
        let catalog = load(["workflows/a.yaml": other, "workflows/b.yaml": Self.publish])
        #expect(catalog.diagnostics == [])
        #expect(catalog.capabilities.map(\.version.description) == ["1.2.0", "1.10.0"])
    }

    @Test("a version that two documents claim belongs to neither")
    func duplicates() {
        let catalog = load(["workflows/a.yaml": Self.publish, "workflows/b.yaml": Self.publish])
        #expect(
            catalog.diagnostics.map(\.text) == [
                "workflows/b.yaml:2:7: error: the version `publish@1.2.0` is taken at workflows/a.yaml:2:7\n  hint: rename one of the two"
            ])
        #expect(catalog.capabilities.isEmpty)
    }

    @Test(
        "a capability with a mistake gets one diagnostic",
        arguments: [
            (
                "version: 1.2.0", "version: 1.2",
                "3:10 `version` expects a version such as `1.2.0`, got `1.2` (write `1.2.0`)"
            ),
            ("version: 1.2.0", "version: v1.2.0", "3:10 `version` expects a version such as `1.2.0`, got `v1.2.0`"),
            (
                "inputs.file }}\"]\nenv", "inputs.flie }}\"]\nenv",
                "7:33 in the expression: there is no member 'flie' (did you mean 'file'?)"
            ),
            (
                "${{ run.id }}", "${{ trigger.type }}",
                "8:17 in the expression: there is no 'trigger' here (there are attempt, inputs, run, step, steps, visit)"
            ),
            (
                "${{ run.id }}", "${{ steps.a.output }}",
                "8:23 in the expression: there is no member 'a'"
            ),
            (
                "output.url.starts", "output.ulr.starts",
                "14:17 in the expression: there is no member 'ulr' (did you mean 'url'?)"
            ),
            (
                "compensate: {run: [./unpublish.sh, \"${{ output.url }}\"], retry: {maxAttempts: 5}}",
                "compensate: {emit: {type: undo}}",
                "12:13 a capability is undone by `run` or `http`, not by `emit`"
            ),
            ("timeout: 5m", "needs: []", "9:1 a capability has no field `needs`"),
            (
                "timeout: 5m", "http: {url: 'https://a.test'}",
                "9:1 a capability has one action, and `http` stands beside `run` (keep one of the two)"
            ),
            ("timeout: 5m", "with: {a: 1}", "9:1 `with` belongs to the step that uses the capability"),
            (
                "default: 3", "default: x",
                "4:64 the default of `tries` does not fit the schema: expected integer, got string"
            ),
        ])
    func mistakes(from: String, to: String, expected: String) {
        let text = Self.publish.replacing(from, with: to)
        #expect(text != Self.publish)
        #expect(diagnose(text) == [expected])
    }

    @Test("a modifier that means nothing for a request is named")
    func modifiers() {
        let text = "kind: Capability\nname: c\nversion: 1.0.0\nhttp: {url: 'https://a.test'}\nartifacts: [x]\n"
        #expect(diagnose(text) == ["5:1 `artifacts` means nothing for `http` (it belongs to `run`)"])
    }
}
