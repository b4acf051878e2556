import Testing
import WaybillCore
import WaybillEngine

@Suite("Outputs, goals and verification")
struct OutputsTests {
    @Test("an output that reads a step which did not complete is left out")
    func skippedOutput() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, if: false, run: [a], output: json}", "{id: b, set: {x: 1}}",
                also: "outputs: {a: '${{ steps.a.output.x }}', b: '${{ steps.b.output.x }}'}\n"))
        #expect(run.outputs == ["b": 1])
    }

    @Test("an output whose own expression fails, fails the run")
    func failingOutput() throws {
        var run = try EngineRun.started(
            graph("{id: a, set: {x: []}}", also: "outputs: {bad: '${{ steps.a.output.x[3] }}'}\n"))
        let last = try #require(run.news().last)
        #expect(last.hasPrefix("RUN_END failed expression[run]: outputs.bad: "), "\(last)")
        #expect(run.state.outputs == nil)
    }

    @Test("a failing output is not excused by a status it reads of a skipped step")
    func notExcused() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, if: false, run: [a]}", "{id: b, set: {x: []}}",
                also: "outputs: {bad: '${{ steps.a.status == \"skipped\" ? steps.b.output.x[3] : 0 }}'}\n"))
        #expect(run.state.status == .failed)
    }

    @Test("an output that is optional.none() is left out")
    func optional() throws {
        let run = try EngineRun.started(
            graph("{id: a, set: {x: 1}}", also: "outputs: {a: '${{ optional.none() }}', b: 2}\n"))
        #expect(run.outputs == ["b": 2])
    }

    @Test("a goal that is met completes the run, one that is not fails it, and both are recorded")
    func goal() throws {
        let yaml =
            "goal: {summary: s, acceptance: [outputs.x > 1, 'outputs.x < 5']}\noutputs: {x: '${{ inputs.x }}'}\n"
            + "inputs: {x: {type: integer}}\n"
        var met = try EngineRun.started(graph("{id: a, set: {y: 1}}", also: yaml), inputs: ["x": 2])
        #expect(
            met.news().suffix(3) == [
                "VERIFICATION goal.acceptance[0] (outputs.x > 1) is true",
                "VERIFICATION goal.acceptance[1] (outputs.x < 5) is true", "RUN_END completed outputs={\"x\":2}",
            ])
        var missed = try EngineRun.started(graph("{id: a, set: {y: 1}}", also: yaml), inputs: ["x": 1])
        #expect(
            missed.news().suffix(3) == [
                "VERIFICATION goal.acceptance[0] (outputs.x > 1) is false", "ERROR",
                "RUN_END failed verification[run]: goal.acceptance[0] does not hold: outputs.x > 1",
            ])
        #expect(missed.entries(.verification)[0].data["values"] == ["outputs.x": 1])
    }

    @Test("a result is verified before it counts; one that is rejected fails the step and has no output")
    func verify() throws {
        let yaml = graph(
            "{id: a, run: [a], output: json, verify: [output.n > 1, 'output.n != 5'], update: {best: '${{ output.n }}'}}",
            also: "vars: {best: {default: 0}}\n")
        var good = try EngineRun.started(yaml)
        try good.end("a", printing: "{\"n\":2}")
        #expect(
            good.news().suffix(4) == [
                "VERIFICATION a verify[0] (output.n > 1) is true", "VERIFICATION a verify[1] (output.n != 5) is true",
                "TASK_END a/1 completed output={\"n\":2} exitCode=0 update={\"best\":2}",
                "RUN_END completed outputs={}",
            ])
        #expect(good.state.variables == ["best": 2])
        var bad = try EngineRun.started(yaml)
        try bad.end("a", printing: "{\"n\":5}")
        #expect(
            bad.news().suffix(3) == [
                "VERIFICATION a verify[1] (output.n != 5) is false",
                "TASK_END a/1 failed exitCode=0 verification[a]: verify[1] does not hold: output.n != 5",
                "RUN_END failed verification[a]: verify[1] does not hold: output.n != 5",
            ])
        #expect(bad.output("a") == nil)
        #expect(bad.state.variables == ["best": 0])
    }

    @Test("a verification that cannot be evaluated does not hold")
    func brokenVerify() throws {
        var run = try EngineRun.started(graph("{id: a, run: [a], output: json, verify: [output.n > 1]}"))
        try run.end("a", printing: "{}")
        #expect(run.state.error?.kind == .verification)
        #expect(run.entries(.verification)[0].data["result"] == false)
        #expect(run.entries(.verification)[0].data["error"] != nil)
    }

    @Test("outputs nested too deep to be read back fail the run instead of losing it")
    func tooDeep() throws {
        let deep = String(repeating: "[", count: 99) + String(repeating: "]", count: 99)
        var run = try EngineRun.started(
            graph("{id: a, run: [a], output: json}", also: "outputs: {a: {b: {c: '${{ steps.a.output }}'}}}\n"))
        try run.end("a", printing: deep)
        #expect(run.status("a") == .completed)
        #expect(run.news().last == "RUN_END failed limit[run]: outputs: are nested deeper than 100 levels")
    }
}
