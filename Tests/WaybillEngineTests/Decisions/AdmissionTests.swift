import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

@Suite("Whether a run may begin")
struct AdmissionTests {
    private static let cleanUp = "onFailure: [{id: told, set: {x: 1}}]\nfinally: [{id: tidy, set: {x: 1}}]\n"

    private func workflow(_ rules: String..., also: String = "", more: String = "") -> String {
        graph("{id: a, run: [a]}", also: "inputs: {n: {type: integer, default: 1}}\n" + also)
            + "---\nkind: Policy\nname: p\n\(more)rules:\n" + rules.map { "  - \($0)\n" }.joined()
    }

    private static let big =
        "{id: big, at: run.admit, if: inputs.n > 3, require: {approval: {prompt: 'Run ${{ inputs.n }}?', timeout: 1h}}}"

    @Test("an approval at admission is waited for by the run itself, and nothing begins before")
    func approved() throws {
        var run = try EngineRun.started(workflow(Self.big, also: Self.cleanUp), inputs: ["n": 4])
        #expect(
            run.news() == [
                "RUN_START", "POLICY_PRE p/big enforce require",
                "TASK_WAITING admit-big policy until 2026-11-20T11:00:00.000000Z",
            ])
        #expect(run.state.status == .waiting)
        #expect(run.launched == [])
        let wait = try #require(run.state.waits["admit-big"])
        #expect(wait.isOfRun)
        #expect(wait.prompt == "Run 4?")
        #expect(wait.details?["digest"]?.stringValue?.count == 64)
        #expect(run.state.disposition(ofKey: "admit-big") == .open)
        try run.drop("admit-big.txt", "perhaps")
        #expect(run.news().first?.hasPrefix("ANSWER_REJECTED admit-big schema: ") == true)
        try run.drop("admit-big--2.txt", "yes")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED admit-big by bob", "TASK_RESUMED admit-big by answer", "TASK_START a/1 run",
            ])
        #expect(run.entries(.taskResumed).last?.data["digest"] == wait.details?["digest"])
        try run.end("a")
        #expect(run.state.status == .completed)
        #expect(try EngineRun.started(workflow(Self.big), inputs: ["n": 1]).launched == ["a"])
    }

    @Test("a refusal, and nobody's answer, fail the run by `policy`, and nothing of it ran, not even what cleans up")
    func refused() throws {
        var run = try EngineRun.started(workflow(Self.big, also: Self.cleanUp), inputs: ["n": 4])
        _ = run.news()
        try run.drop("admit-big.json", "{\"approve\": false, \"comment\": \"not today\"}")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED admit-big by bob", "TASK_RESUMED admit-big by answer", "ERROR",
                "RUN_END failed policy[run]: p/big: refused by bob: not today",
            ])
        #expect(run.entries(.runEnd).last?.data["compensation"] == nil)
        run = try EngineRun.started(workflow(Self.big, also: "failure: hold\n" + Self.cleanUp), inputs: ["n": 4])
        try run.tick(after: .seconds(3_600))
        #expect(
            run.news().suffix(3) == [
                "TASK_RESUMED admit-big by deadline", "ERROR",
                "RUN_END failed policy[run]: p/big: nobody approved by 2026-11-20T11:00:00.000000Z",
            ])
        try #require(run.state.waits.isEmpty)
    }

    @Test("several approvals are asked for one after the other, each by its own rule, under keys that no step has")
    func several() throws {
        var run = try EngineRun.started(
            graph("{id: admit, set: {x: 1}}")
                + "---\nkind: Policy\nname: p\nrules: [{id: one, at: run.admit, require: {approval: {}}}]\n"
                + "---\nkind: Policy\nname: q\nrules: [{id: one, at: run.admit, require: {approval: {}}}]\n")
        #expect(run.state.waits["admit_-one"]?.prompt == "p/one: may this run of w begin?")
        let first = run.state.waits["admit_-one"]?.details?["digest"]
        try run.drop("admit_-one.txt", "yes")
        #expect(run.state.status == .waiting)
        let second = run.state.waits["admit_-one_"]?.details?["digest"]
        #expect(second != nil && second != first)
        try run.drop("admit_-one_.txt", "yes")
        #expect(run.state.status == .completed)
    }

    @Test("all denials come before any requirement, and a denied start ends where it begins")
    func order() throws {
        let ask = "{id: ask, at: run.admit, require: {approval: {}}}"
        var run = try EngineRun.started(workflow(ask, "{id: no, at: run.admit, deny: 'true'}", also: Self.cleanUp))
        #expect(
            run.news() == [
                "RUN_START", "POLICY_PRE p/no enforce deny", "ERROR",
                "RUN_END failed policy[run]: p/no: denied by true",
            ])
        run = try EngineRun.started(
            workflow(ask, "{id: must, at: run.admit, require: {verification: ['inputs.n == 2', 'inputs.nobody']}}"),
            inputs: ["n": 1])
        #expect(run.state.error?.message == "p/must: does not hold: inputs.n == 2")
        run = try EngineRun.started(
            workflow(ask, "{id: must, at: run.admit, require: {verification: ['inputs.n == 1']}}"), inputs: ["n": 1])
        #expect(run.state.status == .waiting)
    }

    @Test("`warn` and `audit` let a run begin that `enforce` would hold up")
    func modes() throws {
        for (mode, warnings) in [("warn", 1), ("audit", 0)] {
            let run = try EngineRun.started(workflow(Self.big, more: "mode: \(mode)\n"), inputs: ["n": 4])
            #expect(run.launched == ["a"])
            #expect(run.state.diagnostics.warnings == warnings)
        }
    }

    @Test("a rule on answers is put to the approval of a run, where its policy is about every step")
    func answers() throws {
        let rule = "{id: brief, at: answer, deny: 'step.id == \"\" && has(answer.comment)'}"
        var run = try EngineRun.started(workflow(Self.big, rule), inputs: ["n": 4])
        _ = run.news()
        try run.drop("admit-big.json", "{\"approve\": true, \"comment\": \"well\"}")
        #expect(
            run.news() == [
                "POLICY_PRE p/brief enforce deny",
                "ANSWER_REJECTED admit-big policy: p/brief: denied by step.id == \"\" && has(answer.comment)",
            ])
        run = try EngineRun.started(
            workflow(Self.big, rule, more: "match: {steps: {actions: [run]}}\n"), inputs: ["n": 4])
        try run.drop("admit-big.json", "{\"approve\": true, \"comment\": \"well\"}")
        #expect(run.launched == ["a"])
    }

    @Test("a run that is not admitted can be paused and cancelled, and queues in its group beside the question")
    func waiting() throws {
        let yaml = workflow(Self.big, also: "onPause: rollback\n" + Self.cleanUp)
        var run = try EngineRun.started(yaml, inputs: ["n": 4])
        try run.drop("@pause.json")
        #expect(run.state.status == .paused)
        try run.drop("@resume.json")
        #expect(run.state.status == .waiting)
        try run.drop("@cancel.json")
        #expect(
            run.news().suffix(2) == ["TASK_RESUMED admit-big by end", "RUN_END cancelled cancelled[run]: cancelled"])
        var start = RunStart(
            id: EngineRun.id, commit: nil, inputs: ["n": 4], trigger: ["type": "manual"], actor: .user, by: "alice")
        start.group = "g"
        run = try EngineRun(yaml)
        try run.send(.start(start))
        #expect(run.state.status == .waiting)
        try run.drop("admit-big.txt", "yes")
        #expect(run.state.status == .pending)
        try run.send(.admitted)
        #expect(run.launched == ["a"])
        run = try EngineRun(yaml)
        try run.send(.start(start))
        try run.send(.admitted)
        #expect(run.launched == [])
        try run.drop("admit-big.txt", "yes")
        #expect(run.launched == ["a"])
    }

    @Test("the tree's present policies that bind running runs are put to a run that is about to begin")
    func present() throws {
        let catalog = Catalog.load(
            [
                SourceFile(
                    path: "workflows/p.yaml",
                    bytes: Array(
                        "kind: Policy\nname: freeze\nbinds: running\nrules: [{id: all, at: run.admit, deny: 'true'}]\n"
                            .utf8))
            ]
        ) { _ in true }
        var run = try EngineRun(workflow(Self.big))
        run.bind(catalog.policies)
        let start = RunStart(
            id: EngineRun.id, commit: nil, inputs: ["n": 1], trigger: ["type": "manual"], actor: .user, by: "alice")
        let verdicts = run.engine.admission(of: start, at: run.now)
        #expect(verdicts.refusal == "freeze/all: denied by true")
        #expect(verdicts.denial?.data["binds"] == "running")
    }
}
