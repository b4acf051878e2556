import Testing
import WaybillCore

@testable import WaybillManifests

@Suite("The retry of a run")
struct RetryOverrideTests {
    private func workflow() throws -> WorkflowDefinition {
        let text = """
            kind: Workflow
            name: w
            inputs: {n: {type: integer}}
            steps: [{id: a, run: [x]}]
            """
        let catalog = Catalog.load([SourceFile(path: "workflows/w.yaml", bytes: Array(text.utf8))]) { _ in true }
        return try #require(catalog.workflows["w"])
    }

    @Test("it is read as a manifest's, and kept as it was given")
    func read() throws {
        let given: Object = [
            "maxAttempts": 5, "backoff": "exponential", "initial": "2s", "max": "1m", "jitter": "full",
            "on": ["timeout", ["exit": [75]], ["if": "attempt < inputs.n && error.kind == 'exit'"]],
        ]
        let override = try RetryOverride(.object(given), for: workflow())
        #expect(Value.object(override.source) == .object(given))
        #expect(override.rule.maxAttempts == 5)
        #expect(override.rule.backoff == .exponential)
        #expect(override.rule.initial == .seconds(2))
        #expect(override.rule.max == .seconds(60))
        #expect(override.rule.jitter == .full)
        #expect(override.rule.on?.count == 3)
        #expect(RetryOverride(recorded: given, for: try workflow()).rule.on?.count == 3)
    }

    private static let wrong: [(given: Object, message: String)] = [
        (["maxAttempts": 0], "`maxAttempts` expects an integer from 1 to 1000000, got 0"),
        (["maxAttemps": 2], "`retry` has no field `maxAttemps` (did you mean 'maxAttempts'?)"),
        (["initial": "soon"], "`initial` expects a duration such as `90s`, `10m`, `1h30m` or `3d`, got `soon`"),
        (
            ["initial": "2m", "max": "1m"],
            "`max` is shorter than `initial` (the back-off grows from `initial` up to `max`)"
        ),
        (
            ["on": [["if": "erorr.kind == 'exit'"]]],
            "in the expression: there is no 'erorr' here (did you mean 'error'?)"
        ),
    ]

    @Test("a mistake is told as in a manifest", arguments: wrong)
    func mistakes(given: Object, message: String) throws {
        let workflow = try workflow()
        let problems = try #require(throws: RetryOverride.Problems.self) {
            try RetryOverride(.object(given), for: workflow)
        }
        #expect(problems.messages == [message])
    }

    @Test("what is no map is told")
    func noMap() throws {
        let workflow = try workflow()
        let problems = try #require(throws: RetryOverride.Problems.self) { try RetryOverride(5, for: workflow) }
        #expect(problems.messages == ["`retry` expects a map, got an integer"])
    }
}
