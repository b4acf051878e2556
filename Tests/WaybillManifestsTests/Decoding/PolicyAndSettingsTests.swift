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
        let workflow = "kind: Workflow\nname: release\nsteps: [{id: publish, run: [make]}]\n"
        let catalog = load(["workflows/p.yaml": text, "workflows/w.yaml": workflow])
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
            (
                "rules: [{id: r, at: step.before}]",
                "3:9 a rule needs a verdict (give it one of `deny`, `require` or `limit`)"
            ),
            ("rules: [{id: r, deny: 'true'}]", "3:9 a rule with `deny` needs `at` (write `at: step.before`)"),
            (
                "rules: [{id: r, at: before, deny: 'true'}]",
                "3:21 `at` expects `run.admit`, `step.before`, `step.after`, `answer` or `migrate`, got `before`"
            ),
            (
                "rules: [{id: r, at: step.before, require: {}}]",
                "3:43 `require` needs a requirement (give it one of `approval` or `verification`)"
            ),
            (
                "rules: [{id: r, require: {approval: {}}}]",
                "3:9 a rule with `require` needs `at` (write `at: step.before`)"
            ),
            (
                "rules: [{id: r, at: step.before, require: {approval: {from: {notBy: [a]}}}}]",
                "3:62 `notBy` belongs to an `ask`: a policy knows no steps of a workflow"
            ),
            (
                "rules: [{id: r, at: step.after, require: {approval: {}}}]",
                "3:43 an approval stands before a step or a run, and `at: step.after` is no such place (write `at: step.before`)"
            ),
            (
                "rules: [{id: r, at: step.before, require: {verification: []}}]",
                "3:58 `verification` is empty (it needs at least 1 of its entries)"
            ),
            (
                "rules: [{id: r, at: step.before, limit: {steps: 1}}]",
                "3:17 `at` means nothing for `limit`, which is checked before each step (remove `at`)"
            ),
            (
                "rules: [{id: r, limit: {}}]",
                "3:24 `limit` is empty (it may have `steps`, `retries`, `elapsed`, `active`, `cost` and `tokens`)"
            ),
            (
                "rules: [{id: r, limit: {cots: 1}}]",
                "3:25 `limit` has no field `cots` (did you mean 'cost'?)"
            ),
            ("rules: [{id: r, limit: {cost: -1}}]", "3:31 `cost` expects a number from 0, got an integer (`-1`)"),
            (
                "rules: [{id: r, at: run.admit, deny: \"step.id == 'a'\"}]",
                "3:39 in the expression: there is no 'step' here (there are context, inputs, run)"
            ),
            (
                "rules: [{id: r, at: step.before, deny: \"output == 'a'\"}]",
                "3:41 in the expression: there is no 'output' here (there are context, inputs, run, step)"
            ),
            (
                "rules: [{id: r, at: step.before, deny: \"step.arvg[0] == 'a'\"}]",
                "3:46 in the expression: there is no member 'arvg' (did you mean 'argv'?)"
            ),
            (
                "rules: [{id: r, at: step.before, deny: true}, {id: r, at: step.before, deny: true}]",
                "3:52 the id `r` is taken in line 3 (rename one of the two)"
            ),
            (
                "match: {steps: {actions: [rnu]}}\nrules: [{id: r, at: step.before, deny: true}]",
                "3:27 an entry of `actions` expects `run`, `http`, `ask`, `wait`, `first`, `emit`, `call`, `steps`, `uses`, `set`, `snapshot`, `fail`, `finish`, `llm`, `tool`, `plan` or `forEach`, got `rnu` (did you mean 'run'?)"
            ),
        ])
    func policyMistakes(rest: String, expected: String) {
        #expect(diagnose(Self.policy(rest)) == [expected])
    }

    @Test("a rule may stand at every point and sees what there is")
    func points() throws {
        let text = """
            kind: Policy
            name: all
            rules:
              - {id: admit, at: run.admit, deny: "run.id == 'x' || inputs.a > context.b"}
              - {id: spend, at: step.before, if: "step.with.?amount.orValue(0) > 1000", require: {approval: {prompt: "Spend ${{ step.with.amount }}?", timeout: 1h}}}
              - {id: checked, at: step.after, require: {verification: ["output.ok", "step.sideEffects != 'effect'"]}}
              - {id: polite, at: answer, deny: "answer == 'never' && step.id == 'ask'"}
              - {id: moved, at: migrate, deny: "inputs.a == 1"}
              - {id: budget, limit: {steps: 500, active: 2h, elapsed: 7d, retries: 20, cost: 50, tokens: 200000}}
            binds: running
            """
        let catalog = load(["workflows/p.yaml": text])
        #expect(catalog.diagnostics == [])
        let policy = try #require(catalog.policies.first)
        #expect(policy.binding == .running)
        #expect(policy.rules.map(\.point) == [.admission, .before, .after, .answer, .migration, .before])
        guard case .approval(let approval) = policy.rules[1].verdict,
            case .verification(let conditions) = policy.rules[2].verdict,
            case .limit(let limit) = policy.rules[5].verdict
        else {
            Issue.record("the verdicts are others")
            return
        }
        #expect(approval.timeout == .seconds(3_600))
        #expect(conditions.map(\.source) == ["output.ok", "step.sideEffects != 'effect'"])
        #expect(limit.steps == 500)
        #expect(limit.active == .seconds(7_200))
        #expect(limit.elapsed == .seconds(604_800))
        #expect(limit.retries == 20)
        #expect(limit.cost == 50)
        #expect(limit.tokens == 200_000)
    }

    @Test("the digest of a rule is that of what it says, however it is spelt")
    func digests() throws {
        let rules = ["{id: r, at: step.before, deny: 'true'}", "\n  - deny: \"true\"\n    at: step.before\n    id: r"]
        let digests = try rules.map { rule in
            let text = rule.hasPrefix("{") ? "rules: [\(rule)]" : "rules:\(rule)"
            return try #require(load(["workflows/p.yaml": Self.policy(text)]).policies.first).rules[0].digest
        }
        #expect(digests[0] == Digest.sha256(#"{"at":"step.before","deny":"true","id":"r"}"#).hex)
        #expect(digests[1] == digests[0])
    }

    @Test("a policy has a table of cases")
    func cases() throws {
        let text = Self.policy(
            """
            rules: [{id: r, at: step.before, deny: "step.argv[0] == 'rm'"}]
            tests:
              - {name: no rm, at: step.before, given: {step: {argv: [rm, x]}, inputs: {a: 1}}, expect: deny, rule: r}
              - {name: make, at: step.before, given: {step: {argv: [make]}}, expect: allow}
            """)
        let catalog = load(["workflows/p.yaml": text])
        #expect(catalog.diagnostics == [])
        let cases = try #require(catalog.policies.first).cases
        #expect(cases.map(\.name) == ["no rm", "make"])
        #expect(cases.map(\.verdict) == ["deny", "allow"])
        #expect(cases.map(\.rule) == ["r", nil])
        #expect(cases[0].given == ["step": ["argv": ["rm", "x"]], "inputs": ["a": 1]])
        #expect(cases[0].place == SourcePlace(file: "workflows/p.yaml", line: 5, column: 12))
    }

    @Test(
        "a case of a policy with a mistake gets one diagnostic",
        arguments: [
            (
                "{name: c, at: step.before, expect: deny, rule: rr}",
                "4:56 `rule` names `rr`, which is no rule of this policy (did you mean 'r'?)"
            ),
            (
                "{name: c, at: step.before, expect: allow, rule: r}",
                "4:51 no rule allows: what no rule denies is allowed (remove `rule`)"
            ),
            (
                "{name: c, at: step.before, given: {output: 1}, expect: deny}",
                "4:44 there is no `output` at `step.before` (rules see `context`, `inputs`, `run` and `step` there)"
            ),
            (
                "{name: c, at: step.before, given: {step: {agv: []}}, expect: deny}",
                "4:51 `step` has no field `agv` (did you mean 'argv'?)"
            ),
            (
                "{name: c, at: step.before, expect: refuse}",
                "4:44 `expect` expects `allow`, `deny` or `require`, got `refuse`"
            ),
        ])
    func caseMistakes(entry: String, expected: String) {
        let rules = "rules: [{id: r, at: step.before, deny: true}]"
        #expect(diagnose(Self.policy("\(rules)\ntests: [\(entry)]")) == [expected])
    }

    @Test("settings say how much goes on at once and what processes start from")
    func settings() {
        let catalog = load([
            "workflows/settings.yaml":
                "kind: Settings\nname: default\nconcurrency: {runs: 5, steps: 2}\nenv: {PATH: /usr/bin, N: 1}\npools: {gpu: 4}\n"
        ])
        #expect(catalog.diagnostics == [])
        #expect(catalog.settings.concurrentRuns == 5)
        #expect(catalog.settings.concurrentSteps == 2)
        #expect(catalog.settings.environment.map { "\($0.name)=\($0.value)" } == ["PATH=/usr/bin", "N=1"])
        #expect(catalog.settings.pools == ["gpu": 4])
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
            ("env: {A: '${{ x }}'}", "2:10 `A` takes no `${{ }}` (write the value itself)"),
            ("pools: {gpu: 0}", "2:14 `gpu` expects an integer from 1 to 1000000, got 0"),
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
