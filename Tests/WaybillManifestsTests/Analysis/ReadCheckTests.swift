import Testing
import WaybillCore
import WaybillManifests

/// What an expression may read of other steps, by the place it stands at.
@Suite("Reads of other steps")
struct ReadCheckTests {
    private func graph(_ steps: String...) -> String {
        "kind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined()
            + "inputs: {deploy: {type: boolean}, x: {}, z: {}}\ncontext: {y: true}\n"
    }

    @Test("a step reads what has ended before it")
    func order() {
        #expect(
            diagnose(
                graph(
                    "{id: a, run: [x], output: json}", "{id: b, run: [x]}",
                    "{id: c, run: [x], if: steps.a.output.ok && steps.b.status == 'completed'}")) == [])
        #expect(
            diagnose(
                graph(
                    "{id: a, run: [x], output: json}", "{id: b, needs: [], run: [x], if: steps.a.output.ok}",
                    "{id: c, run: [x], if: steps.a.output.ok}")) == [
                    "5:38 the step `a` may not have ended when `b` starts (add `a` to its `needs`)",
                    "6:27 the step `a` may not have ended when `c` starts (add `a` to its `needs`)",
                ])
        #expect(
            diagnose(graph("{id: a, run: [x], output: json, if: steps.a.output.ok}")) == [
                "4:41 the step `a` reads itself before it has ended (its result is `output` in `verify` and `update`)"
            ])
    }

    @Test("a process without `output` has none to read")
    func noOutput() {
        #expect(
            diagnose(graph("{id: a, run: [x]}", "{id: b, run: [x], if: steps.a.output == 1}")) == [
                "5:27 the step `a` has no output (add `output: json`, `lines` or `text` to `a`)"
            ])
        #expect(
            diagnose(graph("{id: a, wait: {for: 1m}}", "{id: b, run: [x], if: steps.a.output == 1}")) == [
                "5:27 the step `a` never has an output"
            ])
    }

    private static let missing =
        "`steps.a.output` may be missing here: `a` has an `if` and may be skipped (write `steps.a.?output.ok.orValue(null)`, or give the step `if: has(steps.a.output)`)"

    private static let reads: [(condition: String, expected: String?)] = [
        ("steps.a.output.ok", "5:28 " + missing),
        ("inputs.x && steps.a.output.ok", "5:40 " + missing),
        ("steps.a.?output.ok.orValue(false)", nil),
        ("steps.?a.output.hasValue()", nil),
        ("steps['a'].output.ok", "5:28 " + missing),
        ("has(steps.a.output)", nil),
        ("has(steps.a.output) && steps.a.output.ok", nil),
        ("steps.a.output.ok && has(steps.a.output)", "5:28 " + missing),
        ("!has(steps.a.output) || steps.a.output.ok", nil),
        ("has(steps.a.output) || steps.a.output.ok", "5:51 " + missing),
        ("has(steps.a.output) ? steps.a.output.ok : false", nil),
        ("has(steps.a.output) ? false : steps.a.output.ok", "5:58 " + missing),
        ("steps.a.status == 'completed' && steps.a.output.ok", nil),
        ("steps.a.status == 'failed' && steps.a.output.ok", "5:58 " + missing),
        ("steps.a.?output.hasValue() && steps.a.output.ok", nil),
        ("steps.a.?output.ok.orValue(false) && steps.a.output.ok", nil),
        ("steps.a.?output.ok.orValue(true) && steps.a.output.ok", "5:64 " + missing),
        ("steps.a.?output.k.orValue('') == 'y' && steps.a.output.ok", nil),
        ("inputs.deploy && steps.a.output.ok", nil),
        ("steps.a.output.ok && inputs.deploy", nil),
        ("inputs.deploy || steps.a.output.ok", "5:45 " + missing),
        ("[1].exists(steps, steps.a.output.ok)", nil),
        ("steps.a.status == 'skipped'", nil),
    ]

    @Test("the output of a step that may be skipped is read with care", arguments: reads)
    func skippable(condition: String, expected: String?) {
        let text = graph(
            "{id: a, run: [x], output: json, if: inputs.deploy}", "{id: b, run: [x], if: \"\(condition)\"}")
        #expect(diagnose(text).filter { $0.contains("`steps.a.output`") } == (expected.map { [$0] } ?? []))
    }

    @Test("an `if` guards the other fields of its step")
    func ownCondition() {
        let a = "{id: a, run: [x], output: json, if: inputs.deploy && context.y}"
        let read = "verify: [steps.a.output.ok]"
        #expect(
            diagnose(graph(a, "{id: b, run: [x], if: has(steps.a.output), \(read)}")).filter { $0.contains("missing") }
                == [])
        #expect(
            diagnose(graph(a, "{id: b, run: [x], if: context.y && inputs.z && inputs.deploy, \(read)}")).filter {
                $0.contains("missing")
            } == [])
        #expect(
            diagnose(graph(a, "{id: b, run: [x], if: inputs.deploy, \(read)}")).filter { $0.contains("missing") }.count
                == 1)
        #expect(diagnose(graph(a, "{id: b, run: [x], \(read)}")).filter { $0.contains("missing") }.count == 1)
    }

    @Test("a step that may fail and let the run go on is read with care")
    func lenient() {
        #expect(
            diagnose(
                graph(
                    "{id: a, run: [x], output: json, continueOnError: true}", "{id: b, run: [x], if: steps.a.output.ok}"
                )) == [
                    "5:27 `steps.a.output` may be missing here: `a` may fail and let the run go on (write `steps.a.?output.ok.orValue(null)`, or give the step `if: has(steps.a.output)`)"
                ])
        #expect(
            diagnose(
                graph(
                    "{id: a, run: [x], output: json}",
                    "{id: b, needs: [{step: a, when: ended}], run: [x], if: steps.a.output.ok}",
                    "{id: c, needs: [{step: a, when: failed}], run: [x]}",
                    "{id: d, needs: [c], run: [x], if: steps.a.output.ok}")
            ).map { $0.prefix(60) } == [
                "5:60 `steps.a.output` may be missing here: `a` may have been",
                "7:39 `steps.a.output` may be missing here: `a` may have been",
            ])
    }

    @Test("a state reads what every way to it has visited")
    func machines() {
        let text = machine(
            "a: {ask: {prompt: x, choices: [p, q]}, next: [{if: output == 'p', to: b}, {to: c}]}",
            "b: {run: [x], output: json, next: c}",
            "c: {run: [x], if: \"steps.a.output == 'p' && steps.b.output.ok\", next: [{if: steps.d.?output.hasValue(), to: end}, {to: d}]}",
            "d: {run: [x], output: json, if: steps.e.output.ok, next: e}",
            "e: {run: [x], output: json, next: end}")
        #expect(
            diagnose(text) == [
                "6:47 `steps.b.output` may be missing here: not every way leads through `b` (write `steps.b.?output.ok.orValue(null)`, or give the step `if: has(steps.b.output)`)",
                "6:79 the state `d` is never visited before `c`",
                "7:35 the state `e` is never visited before `d`",
            ])
    }

    @Test("a rewrite ends with a value of the output's type")
    func rewrites() {
        let a =
            "{id: a, run: [x], if: inputs.x, output: {format: json, schema: {type: object, properties: {n: {type: integer}, t: {type: array, items: {type: string}}}}}}"
        let text = graph(
            a, "{id: b, run: [x], if: steps.a.output.n > 1}", "{id: c, run: [x], verify: ['steps.a.output.t == []']}")
        #expect(
            diagnose(text).compactMap { $0.split(separator: "write `").last?.split(separator: "`").first } == [
                "steps.a.?output.n.orValue(0)", "steps.a.?output.t.orValue([])",
            ])
    }
}
