import Testing
import WaybillCore
import WaybillManifests

@Suite("Limits of processes")
struct LimitTests {
    private func workflow(_ steps: String...) -> String {
        "kind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined()
    }

    @Test("stand wherever a process stands")
    func places() throws {
        let catalog = load([
            "workflows/w.yaml": workflow(
                "{id: a, run: [make], limits: {cpu: 10m, memory: 2GiB, files: 256, processes: 64}, compensate: {run: [undo], limits: {files: 8}}, onUnknown: {check: {run: [look], limits: {files: 9}}}}",
                "{id: b, forEach: [1], run: [make], limits: {files: 10}}",
                "{id: c, wait: {job: {handle: h, every: 1s, poll: {run: [look], limits: {files: 11}}}}}",
                "{id: d, uses: pay@1, limits: {files: 12}}")
                + "---\nkind: Capability\nname: pay\nversion: 1.0.0\nrun: [pay]\nlimits: {files: 13, cpu: 1500ms}\n"
        ])
        #expect(catalog.diagnostics == [])
        let plan = try #require(catalog.workflows["w"]).plan
        #expect(
            plan.steps[0].limits
                == ProcessLimits(cpu: .seconds(600), memoryBytes: 2 << 30, files: 256, processes: 64))
        #expect(plan.steps[0].compensation?.step.limits.files == 8)
        guard case .check(let check) = plan.steps[0].onUnknown, case .forEach(let loop) = plan.steps[1].action,
            case .wait(.job(let job)) = plan.steps[2].action
        else {
            Issue.record("the plan has another form")
            return
        }
        #expect(check.steps[0].limits.files == 9)
        #expect(loop.body.steps[0].limits.files == 10)
        #expect(job.poll.steps[0].limits.files == 11)
        #expect(plan.steps[3].limits == ProcessLimits(files: 12))
        #expect(plan.steps[3].performed.limits == ProcessLimits(cpu: .milliseconds(1_500), files: 13))
        #expect(
            plan.steps[3].limits.completed(by: plan.steps[3].performed.limits)
                == ProcessLimits(cpu: .milliseconds(1_500), files: 12))
    }

    @Test(
        "with a mistake get one diagnostic at its place",
        arguments: [
            (
                "{cpu: 10}",
                "4:40 `cpu` expects a duration such as `90s`, `10m`, `1h30m` or `3d`, got an integer (`10`)"
            ),
            ("{cpu: 0s}", "4:40 `cpu` must be longer than nothing (such as `30s`)"),
            ("{memory: 0}", "4:43 `memory` expects a size from 1MiB such as `512MiB` or `2GiB`, got an integer (`0`)"),
            ("{memory: 64KiB}", "4:43 `memory` expects a size from 1MiB such as `512MiB` or `2GiB`, got `64KiB`"),
            ("{memory: 2GB}", "4:43 `memory` expects a size from 1MiB such as `512MiB` or `2GiB`, got `2GB`"),
            ("{files: 0}", "4:42 `files` expects an integer from 8 to 1048576, got 0"),
            ("{processes: many}", "4:46 `processes` expects an integer from 1 to 1000000, got `many`"),
            ("{processes: '${{ 3 }}'}", "4:46 `processes` takes no `${{ }}` (write the value itself)"),
            ("{memroy: 1GiB}", "4:35 `limits` of a process has no field `memroy` (did you mean 'memory'?)"),
            ("{elapsed: 1h}", "4:35 `elapsed` is a budget of a run; it belongs to the `limits` of the workflow"),
            ("[cpu]", "4:34 `limits` expects a map, got a list"),
        ])
    func mistakes(limits: String, expected: String) {
        #expect(diagnose(workflow("{id: a, run: [make], limits: \(limits)}")) == [expected])
    }

    @Test("mean nothing where nothing runs")
    func elsewhere() {
        #expect(
            diagnose(workflow("{id: a, ask: {prompt: x}, limits: {files: 9}}"))
                == ["4:31 `limits` means nothing for `ask` (it belongs to `run` or `uses`)"])
        let poll = "{id: a, wait: {job: {handle: h, every: 1s, poll: {http: {url: 'http://x'}, limits: {files: 9}}}}}"
        #expect(
            diagnose(workflow(poll)) == [
                "4:80 `limits` means nothing for a poll over `http` (it belongs to a poll with `run`)"
            ])
        #expect(
            diagnose("kind: Workflow\nname: w\nlimits: {cpu: 10s}\nsteps: [{id: a, run: [x]}]\n")
                == ["3:10 `cpu` is what a process may use; it belongs to the `limits` of a step"])
        let capability = "---\nkind: Capability\nname: c\nversion: 1.0.0\nhttp: {url: 'http://x'}\n"
        #expect(
            diagnose(workflow("{id: a, uses: c@1, limits: {files: 9}}") + capability)
                == ["4:10 `limits` of the step `a` mean nothing: c@1.0.0 sends a request (remove them)"])
    }
}
