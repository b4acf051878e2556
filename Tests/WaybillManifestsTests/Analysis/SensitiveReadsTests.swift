import Testing

/// Where a sensitive output may be read.
@Suite("Reads of sensitive outputs")
struct SensitiveReadsTests {
    private func graph(_ steps: String..., rest: String = "") -> String {
        "kind: Workflow\nname: w\nsteps:\n  - {id: a, run: [x], output: {format: json, sensitive: true}}\n"
            + steps.map { "  - \($0)\n" }.joined() + rest
    }

    private static let hint = "(a process may read it by `env` or `stdin`, and conditions may)"
    private static let refusal = "the output of `a` is sensitive, and would be recorded here \(hint)"

    @Test(
        "conditions, the environment and the standard input may",
        arguments: [
            "{id: b, run: [x], if: steps.a.output.ok}", "{id: b, run: [x], env: {T: \"${{ steps.a.output.t }}\"}}",
            "{id: b, run: {argv: [x], stdin: \"${{ steps.a.output }}\"}}",
            "{id: b, run: [x, \"${{ steps.a.status }}\", \"${{ steps.a.exitCode }}\"]}",
        ])
    func allowed(step: String) { #expect(diagnose(graph(step)) == []) }

    @Test(
        "what would be recorded may not",
        arguments: [
            ("{id: b, run: [x, \"${{ steps.a.output.t }}\"]}", "5:27"),
            ("{id: b, set: {t: \"${{ steps.a.output.t }}\"}}", "5:27"),
            ("{id: b, ask: {prompt: \"${{ steps.a.output.t }}\"}}", "5:32"),
        ])
    func refused(step: String, place: String) {
        #expect(diagnose(graph(step)) == ["\(place) \(Self.refusal)"])
    }

    @Test("neither may the workflow's outputs, nor the step's own `update`")
    func others() {
        #expect(
            diagnose(graph(rest: "outputs: {t: \"${{ steps.a.output.t }}\"}\n")) == ["5:19 \(Self.refusal)"])
        let update =
            "kind: Workflow\nname: w\nvars: {v: {default: 0}}\nsteps:\n"
            + "  - {id: a, run: [x], output: {format: json, sensitive: true}, update: {v: \"${{ output.t }}\"}}\n"
        #expect(diagnose(update) == ["5:81 \(Self.refusal)"])
    }

    @Test("only a process has one")
    func onlyProcesses() {
        let text =
            "kind: Workflow\nname: w\nsteps:\n  - {id: a, http: {url: 'http://h/'}, output: {format: json, sensitive: true}}\n"
        #expect(diagnose(text).contains { $0.hasSuffix("`sensitive` belongs to a step with `run`") })
    }
}
