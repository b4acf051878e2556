import Testing
import WaybillCore
import WaybillManifests

@testable import WaybillCommands

@Suite("Explained steps")
struct StepExplanationTests {
    private static let tree = """
        kind: Workflow
        name: w
        labels: {stage: live}
        retry: {initial: 5s, jitter: full}
        concurrency: {group: g, limit: 2, onLimit: skip}
        failure: hold
        steps:
          - {id: plain, run: [x], if: inputs.n > 1, timeout: 10m, pool: gpu, continueOnError: true}
          - {id: again, run: [x], while: visit < 3, maxVisits: 7, retry: {maxAttempts: 3, on: [timeout, {exit: [75]}]}}
          - {id: pay, uses: pay@1, with: {sum: 5}, pivot: true}
          - {id: ask, ask: {prompt: Go?}, catch: [{output: no}]}
          - {id: load, forEach: [1], steps: [{id: one, http: {url: 'https://a.test'}}]}
          - {id: both, first: {late: {for: 1h}, answer: {ask: {prompt: Well?}}}}
          - {id: job, wait: {job: {handle: h, poll: {run: [x]}, every: 1m}}}
          - {id: next, wait: {until: {next: '0 6 * * 1-5', timezone: Europe/Paris}}}
        inputs: {n: {type: integer}}
        ---
        kind: Capability
        name: pay
        version: 1.4.0
        inputs: {sum: {type: integer}}
        sideEffects: idempotent
        run: [x]
        timeout: 20s
        retry: {maxAttempts: 4, initial: 9s, backoff: exponential}
        compensate: {run: [y], on: started}
        ---
        kind: Policy
        name: guard
        match: {workflows: {labels: {stage: live}}, steps: {actions: [run]}}
        mode: warn
        rules: [{id: tools, at: step.before, deny: "step.argv[0] == 'rm'"}]
        ---
        kind: Settings
        name: default
        pools: {gpu: 1}
        """

    private func explain(_ address: String) throws -> [String] {
        let catalog = Catalog.load([SourceFile(path: "workflows/w.yaml", bytes: Array(Self.tree.utf8))]) { _ in true }
        let errors = catalog.diagnostics.filter { $0.level == .error }
        try #require(errors.isEmpty, "\(errors.map(\.text))")
        let workflow = try #require(catalog.workflows["w"])
        var found: [StepExplanation] = []
        workflow.visitSteps { visit in
            guard visit.path == address, visit.role != .poll else { return }
            found.append(StepExplanation(visit, of: workflow, in: catalog))
        }
        return try #require(found.first).lines.map { "\($0.subject): \($0.text)" }
    }

    private static let group = "group: 2 run at once in the workflow's group; then skip"
    private static let failure = "failure: fails what it is in; then the workflow's `failure: hold`"
    private static let policy = "policy: guard (warn): tools (workflows/w.yaml:29:7)"

    @Test("a process: its condition, limits, place, and what follows a failure")
    func process() throws {
        #expect(
            try explain("plain") == [
                "does: runs a process (workflows/w.yaml:8:10)", "if: is skipped unless inputs.n > 1", "timeout: 10m",
                "retry: none: one attempt (built in); `waybill run --retry` would come first",
                "failure: the run goes on (continueOnError)", "unknown outcome: ask (side effects: effect)",
                "pool: gpu, which has 1 place", Self.group, Self.policy,
            ])
    }

    @Test("each field of a retry with where it comes from")
    func retry() throws {
        #expect(
            try explain("again").filter { $0.hasPrefix("retry") || $0.hasPrefix("while") } == [
                "while: is visited while visit < 3, 7 times at most",
                "retry: 3 attempts (the step); fixed back-off (built in); from 5s (the workflow); to 1m (built in); "
                    + "jitter full (the workflow); on timeout, exit codes 75 (the step); "
                    + "`waybill run --retry` would come first",
            ])
    }

    @Test("what a capability brings is said to be its own")
    func capability() throws {
        #expect(
            try explain("pay") == [
                "does: uses the capability pay@1.4.0 (workflows/w.yaml:19:7), which runs a process (workflows/w.yaml:10:10)",
                "timeout: 20s, from its capability",
                "retry: 4 attempts (the capability); exponential back-off (the capability); from 5s (the workflow); "
                    + "to 1m (built in); jitter full (the workflow); on exit, signal, timeout, executor (built in); "
                    + "`waybill run --retry` would come first",
                Self.failure, "unknown outcome: retry (side effects: idempotent)",
                "compensation: runs a process, also after an attempt that failed (its capability)",
                "pivot: once it completed, nothing before it is undone", Self.group, Self.policy,
            ])
    }

    @Test(
        "every action has a sentence",
        arguments: [
            ("ask", "does: asks a question, and waits for the answer as a file"),
            ("load", "does: does the same for each item, 10 at once"),
            ("load-*", "does: is a group of 1 step"),
            ("load-*.one", "does: sends a GET request"),
            ("both", "does: waits for the first of late, answer"),
            ("job", "does: waits for a job elsewhere, and asks about it now and then"),
            ("next", "does: waits for the next time of '0 6 * * 1-5' in Europe/Paris"),
        ])
    func sentences(address: String, sentence: String) throws {
        #expect(try explain(address).first?.hasPrefix(sentence) == true)
    }

    @Test("a question is not retried, and a catch is told")
    func question() throws {
        let lines = try explain("ask")
        #expect(!lines.contains { $0.hasPrefix("retry") || $0.hasPrefix("unknown") })
        #expect(lines.contains("catch: 1 entry may pass over a failure"))
    }
}
