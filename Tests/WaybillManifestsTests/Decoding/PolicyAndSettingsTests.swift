import Testing
import WaybillCore
import WaybillExpressions
import WaybillManifests

@Suite("Policies and settings")
struct PolicyAndSettingsTests {
    private static func policy(_ rest: String) -> String { "kind: Policy\nname: p\n\(rest)\n" }

    @Test("a policy says what it matches and what it denies")
    func policy() throws {
        let text = """
            kind: Policy
            name: guard
            match: {workflows: {names: [release], labels: {environment: production}}, steps: {ids: [publish], actions: [run]}}
            rules:
              - {id: tools, at: step.before, deny: "!(step.argv[0] in ['make'])", message: "tool ${{ step.argv[0] }} is not allowed"}
            mode: warn
            binds: start
            """
        let catalog = load(["workflows/p.yaml": text])
        #expect(catalog.diagnostics == [])
        let policy = try #require(catalog.policies.first)
        #expect(policy.name == "guard")
        #expect(policy.place == SourcePlace(file: "workflows/p.yaml", line: 2, column: 7))
        #expect(policy.mode == .warn)
        #expect(policy.match.matches(workflow: "release", labels: ["environment": "production", "a": "b"]))
        #expect(!policy.match.matches(workflow: "release", labels: [:]))
        #expect(policy.match.matches(step: "publish", action: "run"))
        #expect(!policy.match.matches(step: "publish", action: "ask"))
        #expect(policy.rules.map(\.id) == ["tools"])
        #expect(policy.rules.first?.verdict.denial == "!(step.argv[0] in ['make'])")
    }

    @Test(
        "a policy's field with a mistake gets one diagnostic",
        arguments: [
            ("rules: []", "3:8 `rules` is empty (it needs at least 1 of its entries)"),
            ("mode: enforce", "1:1 a policy needs `rules` (expected a list)"),
            ("rules: [{id: r, at: step.before}]", "3:9 a rule needs a verdict (give it one of `deny`)"),
            ("rules: [{id: r, deny: 'true'}]", "3:9 a rule with `deny` needs `at` (write `at: step.before`)"),
            (
                "rules: [{id: r, at: step.after, deny: 'true'}]",
                "3:21 `at: step.after` is not carried out by this version yet (write `at: step.before`)"
            ),
            (
                "rules: [{id: r, at: before, deny: 'true'}]",
                "3:21 `at` expects `run.admit`, `step.before`, `step.after`, `answer` or `migrate`, got `before`"
            ),
            ("rules: [{id: r, at: step.before, require: {}}]", "3:34 `require` is not carried out by this version yet"),
            ("rules: [{id: r, limit: {steps: 5}}]", "3:17 `limit` is not carried out by this version yet"),
            (
                "rules: [{id: r, at: step.before, deny: true}, {id: r, at: step.before, deny: true}]",
                "3:52 the id `r` is taken in line 3 (rename one of the two)"
            ),
            (
                "binds: running\nrules: [{id: r, at: step.before, deny: true}]",
                "3:8 `binds: running` is not carried out by this version yet (write `binds: start`)"
            ),
            (
                "match: {steps: {actions: [rnu]}}\nrules: [{id: r, at: step.before, deny: true}]",
                "3:27 an entry of `actions` expects `run`, `ask`, `wait`, `set`, `snapshot`, `fail`, `finish`, `http`, `first`, `emit`, `call`, `steps`, `uses`, `llm`, `tool` or `plan`, got `rnu` (did you mean 'run'?)"
            ),
        ])
    func policyMistakes(rest: String, expected: String) {
        #expect(diagnose(Self.policy(rest)) == [expected])
    }

    @Test("settings say how much goes on at once and what processes start from")
    func settings() {
        let catalog = load([
            "workflows/settings.yaml":
                "kind: Settings\nname: default\nconcurrency: {runs: 5, steps: 2}\nenv: {PATH: /usr/bin, N: 1}\n"
        ])
        #expect(catalog.diagnostics == [])
        #expect(catalog.settings.concurrentRuns == 5)
        #expect(catalog.settings.concurrentSteps == 2)
        #expect(catalog.settings.environment.map { "\($0.name)=\($0.value)" } == ["PATH=/usr/bin", "N=1"])
        #expect(load([:]).settings.concurrentSteps == 8)
    }

    @Test("a tree has one settings document")
    func oneSettings() {
        let catalog = load([
            "workflows/a.yaml": "kind: Settings\nconcurrency: {runs: 5}\n", "workflows/b.yaml": "kind: Settings\n",
        ])
        #expect(
            catalog.diagnostics.map(\.text) == [
                "workflows/b.yaml:1:1: error: a tree has one `kind: Settings`, and there is one at workflows/a.yaml:1:1\n  hint: merge the two"
            ])
        #expect(catalog.settings.concurrentRuns == 1_000)
    }

    @Test(
        "a setting with a mistake gets one diagnostic",
        arguments: [
            ("concurrency: {steps: 0}", "2:22 `steps` expects an integer from 1 to 10000, got 0"),
            ("concurrency: 5", "2:14 `concurrency` expects a map, got an integer"),
            ("runs: /var/runs", "2:1 `runs` is not carried out by this version yet"),
            ("secrets: {}", "2:1 `secrets` is not carried out by this version yet"),
            ("env: {A: '${{ x }}'}", "2:10 `A` takes no `${{ }}` (write the value itself)"),
            ("pool: 3", "2:1 settings has no field `pool` (did you mean 'pools'?)"),
        ])
    func settingMistakes(rest: String, expected: String) {
        #expect(diagnose("kind: Settings\n\(rest)\n") == [expected])
    }
}

extension PolicyRule.Verdict {
    fileprivate var denial: String? {
        if case .deny(let expression) = self { expression.source } else { nil }
    }
}
