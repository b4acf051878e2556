import Testing
import WaybillCore
import WaybillEngine

@Suite("Policies before a step")
struct PolicyTests {
    private func policy(_ rules: String..., name: String = "p", more: String = "") -> String {
        "---\nkind: Policy\nname: \(name)\n\(more)rules:\n" + rules.map { "  - \($0)\n" }.joined()
    }

    @Test("a denial stops the step before it starts, and every verdict is recorded")
    func deny() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [rm, -rf]}")
                + policy(
                    "{id: fine, at: step.before, deny: 'false'}",
                    "{id: listed, at: step.before, deny: \"!(step.argv[0] in ['make'])\", message: 'no ${{ step.argv[0] }}'}",
                    "{id: after, at: step.before, deny: 'true'}"))
        #expect(
            run.news() == [
                "RUN_START", "POLICY_PRE a p/fine enforce allow", "POLICY_PRE a p/listed enforce deny",
                "POLICY_PRE a p/after enforce deny", "TASK_END a failed policy[a]: p/listed: no rm",
                "RUN_END failed policy[a]: p/listed: no rm",
            ])
        #expect(run.launched == [])
        let verdict = run.entries(.policyPre)[1]
        #expect(verdict.actor == .policy)
        #expect(verdict.data["message"] == "no rm")
        #expect(verdict.data["values"] != nil)
    }

    @Test("what cannot be evaluated denies, and a rule whose `if` is false does not apply")
    func brokenRules() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [make]}")
                + policy(
                    "{id: off, at: step.before, if: 1 > 2, deny: 'true'}",
                    "{id: broken, at: step.before, deny: 'step.argv[7] == \"x\"'}"))
        let news = run.news()
        #expect(news[1] == "POLICY_PRE a p/off enforce not-applicable")
        #expect(news[2] == "POLICY_PRE a p/broken enforce deny")
        #expect(run.state.error?.kind == .policy)
        #expect(run.state.error?.message.hasPrefix("p/broken: cannot be evaluated: ") == true)
    }

    @Test("`warn` records a diagnostic and `audit` a verdict; neither stops the step")
    func modes() throws {
        var run = try EngineRun.started(
            graph("{id: a, set: {x: 1}}")
                + policy("{id: w, at: step.before, deny: 'true'}", name: "a-warning", more: "mode: warn\n")
                + policy("{id: s, at: step.before, deny: 'true'}", name: "b-silent", more: "mode: audit\n"))
        #expect(
            run.news() == [
                "RUN_START", "POLICY_PRE a a-warning/w warn deny", "DIAGNOSTIC a a-warning/w: denied by true",
                "POLICY_PRE a b-silent/s audit deny", "TASK_START a/1 set", "TASK_END a/1 completed output={\"x\":1}",
                "RUN_END completed outputs={}",
            ])
        #expect(run.state.diagnostics.warnings == 1)
    }

    @Test("policies speak in the order of their names, and only where they match")
    func matching() throws {
        let yaml =
            "kind: Workflow\nname: w\nlabels: {tier: web}\nsteps: [{id: a, set: {x: 1}}, {id: b, run: [b]}]\n"
            + policy("{id: r, at: step.before, deny: 'false'}", name: "z-all")
            + policy(
                "{id: r, at: step.before, deny: 'false'}", name: "runs", more: "match: {steps: {actions: [run]}}\n")
            + policy(
                "{id: r, at: step.before, deny: 'true'}", name: "elsewhere",
                more: "match: {workflows: {labels: {tier: mail}}}\n")
            + policy("{id: r, at: step.before, deny: 'false'}", name: "named", more: "match: {steps: {ids: [a]}}\n")
        var run = try EngineRun.started(yaml)
        #expect(
            run.news().filter { $0.hasPrefix("POLICY") } == [
                "POLICY_PRE a named/r enforce allow", "POLICY_PRE a z-all/r enforce allow",
                "POLICY_PRE b runs/r enforce allow", "POLICY_PRE b z-all/r enforce allow",
            ])
    }

    @Test("a script is seen as shell, `-c` and text; a rule sees every member, whatever the action")
    func view() throws {
        let script = try EngineRun.started(
            graph("{id: a, run: 'rm x', env: {K: v}}")
                + policy(
                    "{id: r, at: step.before, deny: 'step.shell && step.argv == [\"/bin/sh\", \"-c\", \"rm x\"] && step.env.K == \"v\"'}"
                ))
        #expect(script.state.error?.kind == .policy)
        let set = try EngineRun.started(
            graph("{id: a, set: {x: 1}}")
                + policy(
                    "{id: r, at: step.before, deny: 'step.action != \"set\" || step.argv != [] || step.shell || step.http != null || step.secrets != [] || step.sideEffects != \"effect\"'}"
                ))
        #expect(set.state.status == .completed)
    }

    @Test("a denied step may be passed over like any failure")
    func handled() throws {
        let run = try EngineRun.started(
            graph("{id: a, run: [a], continueOnError: true}", "{id: b, set: {x: 1}}")
                + policy("{id: r, at: step.before, deny: 'step.action == \"run\"'}"))
        #expect(run.state.status == .completed)
        #expect(run.status("a") == .failed)
        #expect(run.state.usage.steps == 1)
    }
}
