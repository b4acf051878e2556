import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

@Suite("Policies that require something, after a step, on answers and at admission")
struct RequirementTests {
    private func policy(_ rules: String..., name: String = "p", more: String = "") -> String {
        "---\nkind: Policy\nname: \(name)\n\(more)rules:\n" + rules.map { "  - \($0)\n" }.joined()
    }

    @Test("an approval is waited for, and what was recorded is begun")
    func approved() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [make, x], env: {K: v}}")
                + policy("{id: big, at: step.before, require: {approval: {prompt: 'Run ${{ step.argv[0] }}?'}}}"))
        #expect(
            run.news() == ["RUN_START", "POLICY_PRE a p/big enforce require", "TASK_WAITING a a-big policy"])
        #expect(run.state.status == .waiting)
        #expect(run.state.waits["a-big"]?.prompt == "Run make?")
        #expect(run.launched == [])
        try run.drop("a-big.txt", "yes\n")
        #expect(
            run.news() == ["ANSWER_ACCEPTED a a-big by bob", "TASK_RESUMED a a-big by answer", "TASK_START a/1 run"])
        #expect(run.launched == ["a"])
        #expect(try run.attempt("a").intent["argv"] == ["make", "x"])
        #expect(run.step("a")?.answers == [])
        try run.end("a")
        #expect(run.state.status == .completed)
    }

    @Test("a refusal denies, and so does nobody's answer")
    func refused() throws {
        let yaml =
            graph("{id: a, run: [make]}")
            + policy("{id: big, at: step.before, require: {approval: {timeout: 1h}}}")
        var run = try EngineRun.started(yaml)
        try run.drop("a-big.json", "{\"approve\": false, \"comment\": \"not today\"}")
        #expect(run.news().last == "RUN_END failed policy[a]: p/big: refused by bob: not today")
        run = try EngineRun.started(yaml)
        try run.tick(after: .seconds(3_600))
        #expect(run.news().last == "RUN_END failed policy[a]: p/big: nobody approved by 2026-11-20T11:00:00.000000Z")
    }

    @Test("all denials come before any requirement, and conditions before approvals")
    func order() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [make]}")
                + policy("{id: ask, at: step.before, require: {approval: {}}}", name: "a")
                + policy("{id: no, at: step.before, deny: 'true'}", name: "b"))
        #expect(
            run.news() == [
                "RUN_START", "POLICY_PRE a b/no enforce deny", "TASK_END a failed policy[a]: b/no: denied by true",
                "RUN_END failed policy[a]: b/no: denied by true",
            ])
        run = try EngineRun.started(
            graph("{id: a, run: [make]}")
                + policy(
                    "{id: ask, at: step.before, require: {approval: {}}}",
                    "{id: must, at: step.before, require: {verification: ['size(step.argv) == 2']}}"))
        #expect(
            run.news() == [
                "RUN_START", "POLICY_PRE a p/must enforce deny",
                "TASK_END a failed policy[a]: p/must: does not hold: size(step.argv) == 2",
                "RUN_END failed policy[a]: p/must: does not hold: size(step.argv) == 2",
            ])
    }

    @Test("several approvals are asked for one after the other")
    func several() throws {
        var run = try EngineRun.started(
            graph("{id: a, set: {x: 1}}")
                + policy("{id: ok, at: step.before, require: {approval: {}}}", name: "a")
                + policy("{id: ok, at: step.before, require: {approval: {}}}", name: "b"))
        #expect(run.news().last == "TASK_WAITING a a-ok policy")
        try run.drop("a-ok.txt", "yes")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED a a-ok by bob", "TASK_RESUMED a a-ok by answer", "TASK_WAITING a a-ok_ policy",
            ])
        try run.drop("a-ok_.txt", "yes")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED a a-ok_ by bob", "TASK_RESUMED a a-ok_ by answer", "TASK_START a/1 set",
                "TASK_END a/1 completed output={\"x\":1}", "RUN_END completed outputs={}",
            ])
    }

    @Test("retries of a visit reuse an approval; another visit asks again")
    func retries() throws {
        var run = try EngineRun.started(
            machine(
                "a: {run: [make], retry: {maxAttempts: 2, initial: 0s}, next: [{if: 'visit < 2', to: a}, {to: end}]}")
                + policy("{id: ok, at: step.before, require: {approval: {}}}"))
        try run.drop("a-ok.txt", "yes")
        try run.end("a", .exited(1))
        #expect(run.launched == ["a"])
        _ = run.news()
        try run.end("a")
        #expect(
            run.news() == [
                "TASK_END a/2 completed exitCode=0", "BRANCH_TAKEN a to a", "POLICY_PRE a.2 p/ok enforce require",
                "TASK_WAITING a.2 a.2-ok policy",
            ])
        try run.drop("a.2-ok.txt", "yes")
        #expect(try run.attempt("a").reference == AttemptReference(step: "a", visit: 2, attempt: 1))
    }

    @Test("a question and a loop begin as they were approved, with deadlines that count from then")
    func recorded() throws {
        var run = try EngineRun.started(
            graph("{id: a, ask: {prompt: 'Go?', timeout: 1h}}", "{id: b, forEach: [1, 2], set: {n: '${{ item }}'}}")
                + policy(
                    "{id: ok, at: step.before, require: {approval: {}}}",
                    more: "match: {steps: {actions: [ask, forEach]}}\n"))
        run.now = run.now + .seconds(7_200)
        try run.drop("a-ok.txt", "yes")
        #expect(run.state.waits["a"]?.until?.description == "2026-11-20T13:00:00.000000Z")
        try run.drop("a.json", "1")
        try run.drop("b-ok.txt", "yes")
        #expect(run.output("b") == nil)
        #expect(run.state.status == .completed)
    }

    @Test("a result is rejected after the step, and what was done is undone")
    func after() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [make], output: json, compensate: {run: [unmake]}}")
                + policy("{id: small, at: step.after, deny: 'output.size > 3', message: 'too big: ${{ output.size }}'}")
        )
        try run.end("a", printing: "{\"size\": 4}")
        #expect(
            run.news() == [
                "RUN_START", "TASK_START a/1 run", "POLICY_POST a",
                "TASK_END a/1 failed exitCode=0 policy[a]: p/small: too big: 4", "COMPENSATION a",
                "TASK_START a-compensate/1 run",
            ])
    }

    @Test("an answer that a rule denies is rejected; a later one may pass")
    func answers() throws {
        var run = try EngineRun.started(
            graph("{id: a, ask: {prompt: 'How many?', schema: {type: integer}}}")
                + policy("{id: few, at: answer, deny: 'answer > 10'}"))
        try run.drop("a.json", "11")
        #expect(
            run.news().suffix(2) == [
                "POLICY_PRE a p/few enforce deny", "ANSWER_REJECTED a policy: p/few: denied by answer > 10",
            ])
        try run.drop("a--2.json", "3")
        #expect(run.state.status == .completed)
    }

    @Test("what must be verified rejects a result; `warn` and `audit` record that alone, of results as of answers")
    func afterwards() throws {
        let rules = [
            "{id: few, at: step.after, require: {verification: ['output < 3', 'output.nothing']}}",
            "{id: odd, at: answer, require: {verification: ['answer % 2 == 1']}}",
        ]
        let steps = graph("{id: a, ask: {prompt: 'How many?', schema: {type: integer}}}")
        var run = try EngineRun.started(steps + policy(rules[0], rules[1]))
        try run.drop("a.json", "4")
        #expect(run.news().last == "ANSWER_REJECTED a policy: p/odd: does not hold: answer % 2 == 1")
        try run.drop("a--2.json", "5")
        #expect(run.state.error?.message == "p/few: does not hold: output < 3")
        for (mode, warnings) in [("warn", 2), ("audit", 0)] {
            run = try EngineRun.started(steps + policy(rules[0], rules[1], more: "mode: \(mode)\n"))
            try run.drop("a.json", "4")
            #expect(run.state.status == .completed)
            #expect(run.state.diagnostics.warnings == warnings)
            #expect(
                (run.entries(.policyPre) + run.entries(.policyPost)).map { $0.data["verdict"] } == ["deny", "deny"])
        }
    }

    @Test("an `if`, a verification or a prompt that cannot be evaluated denies, at every point")
    func unevaluable() throws {
        let broken = [
            "if: step.env.NONE == 'x', deny: 'true'", "require: {verification: ['step.env.NONE == \"x\"']}",
            "require: {approval: {prompt: '${{ step.env.NONE }}'}}",
        ]
        for rule in broken {
            let run = try EngineRun.started(
                graph("{id: a, run: [make]}") + policy("{id: r, at: step.before, \(rule)}"))
            #expect(run.launched == [])
            #expect(run.state.error?.message.hasPrefix("p/r: cannot be evaluated: ") == true, "\(rule)")
        }
        let run = try EngineRun.started(
            graph("{id: a, run: [make]}")
                + policy("{id: r, at: run.admit, if: inputs.missing == 1, require: {approval: {}}}"))
        #expect(run.launched == [])
        #expect(run.state.error?.kind == .policy)
    }

    @Test("admission is judged before a run is made, and recorded with its start")
    func admission() throws {
        let yaml =
            graph("{id: a, set: {x: 1}}", also: "inputs: {n: {type: integer}}\n")
            + policy("{id: few, at: run.admit, deny: 'inputs.n > 10'}")
        var run = try EngineRun(yaml)
        let start = RunStart(
            id: EngineRun.id, commit: nil, inputs: ["n": 11], trigger: ["type": "manual"], actor: .user, by: "alice")
        #expect(run.engine.admission(of: start, at: run.now).refusal == "p/few: denied by inputs.n > 10")
        try run.begin(inputs: ["n": 3])
        #expect(run.news().prefix(2) == ["RUN_START", "POLICY_PRE p/few enforce allow"])
    }

    @Test("a present policy that binds running runs denies what the run's own do not know")
    func running() throws {
        var run = try EngineRun.started(
            graph("{id: w, ask: {prompt: 'Go?'}}", "{id: a, run: [make]}")
                + policy("{id: known, at: step.before, deny: 'false'}", more: "binds: running\n"))
        let catalog = Catalog.load(
            [
                SourceFile(
                    path: "workflows/p.yaml",
                    bytes: Array(
                        policy(
                            "{id: known, at: step.before, deny: 'false'}",
                            "{id: new, at: step.before, deny: 'step.action == \"run\"'}", more: "binds: running\n"
                        )
                        .utf8))
            ]
        ) { _ in true }
        run.bind(catalog.policies)
        _ = run.news()
        try run.drop("w.json", "1")
        #expect(
            run.news().suffix(5) == [
                "TASK_END w/1 completed output=1", "POLICY_PRE a p/known enforce allow",
                "POLICY_PRE a p/new enforce deny",
                "TASK_END a failed policy[a]: p/new: denied by step.action == \"run\"",
                "RUN_END failed policy[a]: p/new: denied by step.action == \"run\"",
            ])
        #expect(run.entries(.policyPre).last?.data["binds"] == "running")
        #expect(run.entries(.policyPre).last?.data["digest"] == .string(catalog.policies[0].rules[1].digest))
    }

    @Test("what was approved for a rule is not asked again for the tree's present form of the same rule")
    func approvedOnce() throws {
        let rule = policy(
            "{id: ok, at: step.before, require: {approval: {}}}",
            more: "binds: running\nmatch: {steps: {actions: [run]}}\n")
        let catalog = Catalog.load([SourceFile(path: "workflows/p.yaml", bytes: Array(rule.utf8))]) { _ in true }
        for own in ["", rule] {
            var run = try EngineRun.started(
                graph(
                    "{id: w, ask: {prompt: 'Go?'}}",
                    "{id: a, run: [make, '${{ steps.w.output }}'], env: {A: b}, retry: {maxAttempts: 2, initial: 0s}}")
                    + own)
            run.bind(catalog.policies)
            try run.drop("w.json", "1")
            #expect(run.state.waits.keys.sorted() == ["a-ok"])
            try run.drop("a-ok.txt", "yes")
            #expect(run.launched == ["a"])
            try run.end("a", .exited(1))
            #expect(run.launched == ["a"])
            try run.end("a")
            #expect(run.state.status == .completed)
        }
    }

    @Test("a policy's own cases are tried on its rules")
    func cases() throws {
        let catalog = Catalog.load(
            [
                SourceFile(
                    path: "workflows/p.yaml",
                    bytes: Array(
                        """
                        kind: Policy
                        name: p
                        rules:
                          - {id: no, at: step.before, deny: 'step.argv[0] == "rm"'}
                          - {id: ask, at: step.before, if: step.shell, require: {approval: {}}}
                        tests:
                          - {name: removal, at: step.before, given: {step: {argv: [rm]}}, expect: deny, rule: no}
                          - {name: script, at: step.before, given: {step: {argv: [sh], shell: true}}, expect: require}
                          - {name: wrong, at: step.before, given: {step: {argv: [ls]}}, expect: deny}
                        """.utf8))
            ]
        ) { _ in true }
        let policy = try #require(catalog.policies.first)
        #expect(policy.cases.map { PolicyJudge.test($0, of: policy).verdict } == ["deny", "require", "allow"])
        #expect(policy.cases.map { PolicyJudge.test($0, of: policy).isExpected } == [true, true, false])
    }
}
