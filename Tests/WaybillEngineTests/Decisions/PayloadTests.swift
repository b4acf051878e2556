import Testing
import WaybillCore
import WaybillEngine

@Suite("Large payloads")
struct PayloadTests {
    private let large = String(repeating: "x", count: 70_000)

    @Test("an output over 64 KiB is stored aside, referenced, and still evaluates")
    func output() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], output: text, verify: ['size(output) == 70000']}",
                "{id: b, set: {n: '${{ size(steps.a.output) }}'}}",
                also: "outputs: {all: '${{ steps.a.output }}', n: '${{ steps.b.output.n }}'}\n"))
        try run.end("a", printing: large)
        #expect(run.output("b") == ["n": 70_000])
        #expect(run.outputs == ["all": .string(large), "n": 70_000])
        let end = run.entries(.taskEnd)[0]
        #expect(end.data["output"] == nil)
        let digest = Digest.sha256(JSON.compact(.string(large)))
        #expect(end.data["outputRef"] == ["sha256": .string(digest.hex), "size": 70_002])
        #expect(run.lines.count < 10_000)
        #expect(RunProjection.bytes(run.state).count < 4_000)
    }

    @Test("a payload of exactly 64 KiB stays in the ledger")
    func border() throws {
        for (count, isInline) in [(65_534, true), (65_535, false)] {
            var run = try EngineRun.started(graph("{id: a, run: [a], output: text}"))
            try run.end("a", printing: String(repeating: "x", count: count))
            #expect((run.entries(.taskEnd)[0].data["output"] != nil) == isInline)
        }
    }

    @Test("large inputs and answers are stored aside")
    func inputsAndAnswers() throws {
        var run = try EngineRun.started(
            "kind: Workflow\nname: w\ninputs: {t: {type: string}}\n"
                + "steps: [{id: a, set: {n: '${{ size(inputs.t) }}'}}, {id: q, ask: {prompt: Go?}}]\n",
            inputs: ["t": .string(large)])
        #expect(run.output("a") == ["n": 70_000])
        #expect(run.entries(.runStart)[0].data["inputsRef"] != nil)
        try run.drop("q.txt", large)
        let content = AcceptedAnswer.content(of: run.entries(.answerAccepted)[0])
        #expect(content == .artifact(Digest.sha256(large)))
        #expect(run.store.bytes(Digest.sha256(large)) == Array(large.utf8))
        #expect(run.output("q") == .string(large))
    }

    @Test("large outputs of `finish` are stored aside; erased ones fail the run instead of being made up")
    func finish() throws {
        let yaml = graph(
            "{id: a, run: [a], output: text}", "{id: slow, needs: [], run: [slow]}",
            "{id: f, needs: [a], finish: {outputs: {t: '${{ steps.a.output }}'}}}", also: "outputs: {t: own}\n")
        var run = try EngineRun.started(yaml)
        try run.end("a", printing: large)
        #expect(run.state.ending == .finish)
        try run.end("slow", .stopped)
        #expect(run.outputs == ["t": .string(large)])
        var erased = try EngineRun.started(yaml)
        try erased.end("a", printing: large)
        erased.store.remove(Digest.sha256(JSON.compact(["t": .string(large)])))
        try erased.end("slow", .stopped)
        #expect(erased.state.error?.kind == .internal)
        #expect(erased.state.status == .failed)
    }

    @Test("an output that was erased cannot be read, and the reading step fails")
    func erased() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], output: text}", "{id: b, run: [b]}",
                "{id: c, set: {n: '${{ size(steps.a.output) }}'}}"))
        try run.end("a", printing: large)
        run.store.remove(Digest.sha256(JSON.compact(.string(large))))
        try run.end("b")
        #expect(run.state.error?.step == "c")
        #expect(run.state.error?.kind == .expression)
    }
}
