import Testing
import WaybillCore
import WaybillEngine

@Suite("Outcomes of processes")
struct AttemptTests {
    @Test(
        "what a process did to itself or had done to it is the step's error",
        arguments: [
            (AttemptResult.Outcome.exited(2), "exitCode=2 exit[a]: exited with code 2"),
            (.signalled(9), "signal[a]: was ended by signal 9"),
            (.timedOut, "timeout[a]: took longer than 10m"),
            (.notStarted("no such file"), "executor[a]: no such file"),
            (.stopped, "cancelled[a]: was stopped"),
            (
                .exceeded(.cpu, signal: 24, exitCode: nil),
                "limit[a]: used more processor time than `limits.cpu` allows (1m30s)"
            ),
            (
                .exceeded(.cpu, signal: nil, exitCode: 152),
                "exitCode=152 limit[a]: used more processor time than `limits.cpu` allows (1m30s)"
            ),
            (
                .exceeded(.memory, signal: 9, exitCode: nil),
                "limit[a]: used more memory than `limits.memory` allows (64MiB)"
            ),
        ])
    func failures(outcome: AttemptResult.Outcome, expected: String) throws {
        var run = try EngineRun.started(graph("{id: a, run: [a], timeout: 10m, limits: {cpu: 90s, memory: 64MiB}}"))
        _ = run.news()
        try run.end("a", outcome)
        #expect(run.news().first == "TASK_END a/1 failed \(expected)")
        #expect(run.state.status == .failed)
        #expect(run.state.usage.activeMicroseconds == 1_000_000)
    }

    @Test("success codes replace 0, and the code is kept")
    func successCodes() throws {
        let yaml = graph("{id: a, run: {argv: [a], successCodes: [0, 3]}}")
        var good = try EngineRun.started(yaml)
        try good.end("a", .exited(3))
        #expect(good.state.status == .completed)
        #expect(good.step("a")?.exitCode == 3)
        var bad = try EngineRun.started(yaml)
        try bad.end("a", .exited(1))
        #expect(bad.state.status == .failed)
    }

    @Test("output is read as JSON, with ints and doubles as they are written")
    func json() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], output: json}",
                "{id: b, set: {i: '${{ steps.a.output.i }}', d: '${{ steps.a.output.d }}'}}"))
        try run.end("a", printing: " {\"i\": 1, \"d\": 1.0, \"big\": 1e3}\n")
        #expect(run.output("a") == ["i": 1, "d": 1.0, "big": 1000.0])
        #expect(run.output("b") == ["i": 1, "d": 1.0])
        #expect(String(decoding: run.lines, as: UTF8.self).contains("\"output\":{\"big\":1000.0,\"d\":1.0,\"i\":1}"))
    }

    @Test(
        "text loses one final newline, lines are split at newlines only",
        arguments: [
            ("text", "a\n\n", "a\n"), ("text", "", ""), ("text", "a\r\n", "a\r"),
            ("lines", "a\nb\n", ["a", "b"]), ("lines", "a\n\nb", ["a", "", "b"]), ("lines", "", []),
            ("lines", "a\r\nb\r\n", ["a\r", "b\r"]), ("lines", "\n", [""]),
        ] as [(String, String, Value)])
    func text(format: String, printed: String, expected: Value) throws {
        var run = try EngineRun.started(graph("{id: a, run: [a], output: \(format)}"))
        try run.end("a", printing: printed)
        #expect(run.output("a") == expected)
    }

    @Test("a step that declares no output has none, whatever it prints")
    func noOutput() throws {
        var run = try EngineRun.started(graph("{id: a, run: [a]}"))
        try run.end("a", printing: "{}")
        #expect(run.output("a") == nil)
        #expect(run.entries(.taskEnd)[0].data["output"] == nil)
    }

    @Test(
        "output that does not parse, does not fit, or is not whole fails the step with `verification`",
        arguments: [
            ("json", AttemptResult.Output.bytes(Array("{".utf8)), "standard output is no JSON: "),
            ("json", .bytes([]), "standard output is no JSON: "),
            ("text", .bytes([0xFF]), "standard output is not UTF-8"),
            ("lines", .bytes([0xC3]), "standard output is not UTF-8"),
            ("json", .tooLarge(2_000_000), "standard output has 2000000 bytes, more than its maxSize of 1048576"),
            ("json", .missing("was cut off"), "standard output: was cut off"),
            ("json", .none, "standard output was not read"),
            ("{from: file, format: text}", .missing("is not there"), "the file WAYBILL_OUTPUT: is not there"),
            (
                "{format: json, schema: {type: object, required: [n]}}", .bytes(Array("{}".utf8)),
                "output does not fit its schema: "
            ),
        ])
    func badOutput(output: String, printed: AttemptResult.Output, message: String) throws {
        var run = try EngineRun.started(graph("{id: a, run: [a], output: \(output)}"))
        try run.end("a", .exited(0), printed)
        #expect(run.state.error?.kind == .verification)
        #expect(run.state.error?.message.hasPrefix(message) == true, "\(run.state.error?.message ?? "")")
        #expect(run.step("a")?.exitCode == 0)
        #expect(run.output("a") == nil)
    }

    @Test("output nested deeper than a ledger can hold is refused, and the run is not lost")
    func deepOutput() throws {
        let deep = String(repeating: "[", count: 101) + String(repeating: "]", count: 101)
        var run = try EngineRun.started(graph("{id: a, run: [a], output: json}"))
        try run.end("a", printing: deep)
        #expect(run.state.error?.kind == .verification)
        let most = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        var other = try EngineRun.started(
            graph(
                "{id: a, run: [a], output: json, verify: ['size(output) == 1']}",
                "{id: b, set: {x: '${{ steps.a.output }}'}}"))
        try other.end("a", printing: most)
        #expect(other.status("a") == .completed)
        #expect(other.state.error == Failure(.limit, "set: is nested deeper than 100 levels", step: "b"))
    }

    @Test("the output of a failed attempt is not read")
    func failedOutput() throws {
        var run = try EngineRun.started(graph("{id: a, run: [a], output: json}"))
        try run.end("a", .exited(1), .bytes(Array("{}".utf8)))
        #expect(run.output("a") == nil)
        #expect(run.state.error?.kind == .exit)
    }

    private let record = ArtifactRecord(
        name: "dist/a.tar.gz", digest: Digest.sha256("a"), size: 1, mediaType: "application/gzip",
        path: "runs/x/a.tar.gz")

    @Test("artifacts are in the step's end, and expressions read them, also after a failure")
    func artifacts() throws {
        var run = try EngineRun.started(
            graph(
                "{id: a, run: [a], artifacts: ['dist/*']}",
                "{id: b, run: [b, '${{ steps.a.artifacts[0].path }}', '${{ steps.a.artifacts[0].size }}']}"))
        try run.end("a", artifacts: [record])
        #expect(try run.attempt("b").intent["argv"] == ["b", "runs/x/a.tar.gz", "1"])
        #expect(run.entries(.taskEnd)[0].data["artifacts"] == [record.value])
        var failed = try EngineRun.started(graph("{id: a, run: [a], artifacts: ['dist/*']}"))
        try failed.end("a", .exited(1), artifacts: [record])
        #expect(failed.step("a")?.artifacts == [record])
    }

    @Test("artifacts that cannot be kept, or are too many for a ledger line, fail the step")
    func artifactProblems() throws {
        var missing = try EngineRun.started(graph("{id: a, run: [a], artifacts: ['dist/*']}"))
        try missing.end("a", artifactProblem: "no file matches")
        #expect(missing.state.error == Failure(.executor, "no file matches", step: "a"))
        var many = try EngineRun.started(graph("{id: a, run: [a], artifacts: ['dist/*']}"))
        try many.end("a", artifacts: [ArtifactRecord](repeating: record, count: 20_000))
        #expect(many.state.error?.kind == .limit)
        #expect(many.step("a")?.artifacts == [])
        #expect(many.lines.count < 10_000)
    }

    @Test("fields that come to more than a megabyte fail the step before it starts")
    func largeIntent() throws {
        var run = try EngineRun.started(
            "kind: Workflow\nname: w\ninputs: {t: {type: string}}\nsteps: [{id: a, run: [a, '${{ inputs.t }}']}]\n",
            inputs: ["t": .string(String(repeating: "x", count: (1 << 20) + 1))])
        #expect(
            run.news().dropFirst() == [
                "TASK_END a failed limit[a]: the fields of a come to more than 1048576 bytes",
                "RUN_END failed limit[a]: the fields of a come to more than 1048576 bytes",
            ])
    }
}
