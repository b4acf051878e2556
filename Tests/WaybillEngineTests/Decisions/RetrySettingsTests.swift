import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

@Suite("What retry comes to")
struct RetrySettingsTests {
    private func settings(_ override: Object = [:]) throws -> RetrySettings {
        let run = try EngineRun(
            """
            kind: Workflow
            name: w
            retry: {initial: 5s, jitter: full}
            steps: [{id: a, uses: c@1, retry: {initial: 3s, backoff: exponential}}]
            ---
            kind: Capability
            name: c
            version: 1.0.0
            inputs: {}
            sideEffects: effect
            run: [x]
            retry: {maxAttempts: 4, initial: 9s, jitter: none}
            """)
        let workflow = run.definition.workflow
        return RetrySettings(
            override: try RetryOverride(.object(override), for: workflow).rule, step: workflow.plan.steps[0],
            workflow: workflow.retry)
    }

    @Test("each field is from the first place that says something, and says which")
    func sources() throws {
        let retry = try settings(["maxAttempts": 7])
        #expect((retry.maxAttempts.value, retry.maxAttempts.source) == (7, .run))
        #expect((retry.initial.value, retry.initial.source) == (.seconds(3), .step))
        #expect((retry.kind.value, retry.kind.source) == (.exponential, .step))
        #expect((retry.jitter.value, retry.jitter.source) == (.full, .workflow))
        #expect((retry.max.value, retry.max.source) == (.seconds(60), .builtIn))
        #expect(retry.on.source == .builtIn)
        let plain = try settings()
        #expect((plain.maxAttempts.value, plain.maxAttempts.source) == (4, .capability))
    }

    @Test("unless a cap is said, a long first back-off is not cut")
    func cap() throws {
        let retry = try settings(["initial": "10m"])
        #expect((retry.max.value, retry.max.source) == (.seconds(600), .builtIn))
    }
}
