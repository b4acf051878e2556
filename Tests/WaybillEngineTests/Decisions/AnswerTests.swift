import Testing
import WaybillCore
import WaybillEngine

@Suite("Answers")
struct AnswerTests {
    private func asking(_ ask: String = "prompt: Go?", more: String = "") throws -> EngineRun {
        var run = try EngineRun.started(graph("{id: q, ask: {\(ask)}\(more)}"))
        _ = run.news()
        return run
    }

    @Test("a question opens a wait that says everything, and an answer completes the step")
    func ask() throws {
        var run = try EngineRun.started(
            graph(
                "{id: q, ask: {prompt: 'Ship ${{ run.id }}?', choices: [yes, no], attach: ['dist/${{ visit }}.txt'], timeout: 2h, default: no}}"
            ))
        #expect(
            run.news() == [
                "RUN_START", "TASK_START q/1 ask", "TASK_WAITING q/1 q user until 2026-11-20T12:00:00.000000Z",
            ])
        #expect(
            run.entries(.taskWaiting)[0].data == [
                "key": "q", "reason": "user", "prompt": .string("Ship \(EngineRun.id)?"), "reply": "choices",
                "choices": ["yes", "no"], "attach": ["dist/1.txt"], "until": "2026-11-20T12:00:00.000000Z",
                "default": "no",
            ])
        #expect(run.state.status == .waiting)
        #expect(run.status("q") == .waiting)
        try run.drop("q.txt", "yes\n")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED q q by bob", "TASK_RESUMED q/1 q by answer", "TASK_END q/1 completed output=\"yes\"",
                "RUN_END completed outputs={}",
            ])
        let accepted = run.entries(.answerAccepted)[0]
        #expect(accepted.actor == .user)
        #expect(
            accepted.data == [
                "key": "q", "file": "q.txt", "size": 4, "uid": 1000, "user": "bob", "bytes": "yes\n",
                "changedAt": .string(EngineRun.start.description), "sha256": .string(Digest.sha256("yes\n").hex),
            ])
        #expect(AcceptedAnswer.content(of: accepted) == .inline(Array("yes\n".utf8)))
        #expect(run.settlement == Settlement(verdict: .accepted, key: "q", seq: accepted.seq, message: "accepted"))
        #expect(
            run.step("q")?.answers == [
                [
                    "at": .string(EngineRun.start.description), "by": "bob", "source": "person",
                    "sha256": .string(Digest.sha256("yes\n").hex), "uid": 1000, "user": "bob",
                ]
            ])
    }

    @Test(
        "every kind of question takes every format it can be said in",
        arguments: [
            ("prompt: Go?", "q.json", "{\"a\":[1,2.0]}", ["a": [1, 2.0]]),
            ("prompt: Go?", "q--from-bob.json", "null", .null),
            ("prompt: Go?", "q.yaml", "a: [1, no]\n", ["a": [1, "no"]]),
            ("prompt: Go?", "q.yml", "7", 7),
            ("prompt: Go?", "q.txt", " as it is \n", " as it is "),
            ("prompt: Go?, schema: {type: integer}", "q.json", "7", 7),
            ("prompt: Go?, schema: {type: integer}", "q.yaml", "7", 7),
            ("prompt: Go?, schema: {type: string}", "q.txt", " x \n", " x "),
            ("prompt: Go?, schema: {type: string}", "q.json", "\"x\"", "x"),
            ("prompt: Go?, choices: [yes, no]", "q.txt", "\t yes \r\n", "yes"),
            ("prompt: Go?, choices: [yes, no]", "q.json", "\"no\"", "no"),
            ("prompt: Go?, choices: [yes, no]", "q.yaml", "yes\n", "yes"),
            ("prompt: Go?, approval: true", "q.txt", "Yes\n", ["approve": true]),
            ("prompt: Go?, approval: true", "q.txt", "n", ["approve": false]),
            (
                "prompt: Go?, approval: true", "q.json", "{\"approve\":false,\"comment\":\"no\"}",
                ["approve": false, "comment": "no"]
            ),
            ("prompt: Go?, approval: true", "q.json", "true", ["approve": true]),
            ("prompt: Go?, approval: true", "q.yaml", "approve: true", ["approve": true]),
        ] as [(String, String, String, Value)])
    func formats(ask: String, name: String, text: String, expected: Value) throws {
        var run = try asking(ask)
        try run.drop(name, text)
        #expect(run.settlement?.verdict == .accepted, "\(run.settlement?.message ?? "")")
        #expect(run.output("q") == expected)
    }

    @Test(
        "what does not fit is rejected with a reason, and the wait stays open",
        arguments: [
            ("prompt: Go?", "q.json", "{", RefusalKind.syntax),
            ("prompt: Go?", "q.json", "{\"a\":1,\"a\":2}", .syntax),
            ("prompt: Go?", "q.yaml", "a: [", .syntax),
            ("prompt: Go?", "q.exe", "x", .syntax),
            ("prompt: Go?", "q", "x", .syntax),
            ("prompt: Go?, schema: {type: integer}", "q.json", "\"7\"", .schema),
            ("prompt: Go?, schema: {type: integer}", "q.txt", "7", .syntax),
            ("prompt: Go?, choices: [yes, no]", "q.txt", "maybe", .schema),
            ("prompt: Go?, choices: [yes, no]", "q.json", "true", .schema),
            ("prompt: Go?, approval: true", "q.txt", "ok", .schema),
            ("prompt: Go?, approval: true", "q.json", "{}", .schema),
            ("prompt: Go?, approval: true", "q.json", "{\"approve\":\"yes\"}", .schema),
            ("prompt: Go?, approval: true", "q.json", "{\"approve\":true,\"x\":1}", .schema),
            ("prompt: Go?, approval: true", "q.json", "{\"approve\":true,\"comment\":1}", .schema),
            ("prompt: Go?, approval: true", "q.json", "1", .schema),
        ])
    func refusals(ask: String, name: String, text: String, kind: RefusalKind) throws {
        var run = try asking(ask)
        try run.drop(name, text)
        #expect(run.settlement?.verdict == .rejected(kind), "\(run.settlement?.message ?? "")")
        #expect(run.settlement?.seq == run.state.seq)
        #expect(run.state.disposition(ofKey: "q") == .open)
        #expect(run.entries(.answerRejected).count == 1)
        try run.drop("q.json", ask.contains("schema") ? "7" : ask.contains("approval") ? "true" : "\"yes\"")
        #expect(run.state.status == .completed)
    }

    @Test("bytes that are not UTF-8 are no answer, whatever the format")
    func encodings() throws {
        var run = try asking()
        try run.send(.file(EngineRun.file("q.txt", [0xFF, 0xFE], changedAt: run.now)))
        #expect(run.settlement?.verdict == .rejected(.syntax))
        let wide: [UInt8] = [0xFF, 0xFE] + Array("a: 1".utf8).flatMap { [$0, 0] }
        try run.send(.file(EngineRun.file("q.yaml", wide, changedAt: run.now)))
        #expect(run.settlement?.verdict == .rejected(.syntax))
        try run.send(.file(EngineRun.file("q.json", [0x22, 0xFF, 0x22], changedAt: run.now)))
        #expect(run.settlement?.verdict == .rejected(.syntax))
        #expect(run.state.disposition(ofKey: "q") == .open)
    }

    @Test("the same bytes again are acknowledged without an entry, other bytes are `already-answered`")
    func again() throws {
        var run = try EngineRun.started(graph("{id: q, ask: {prompt: Go?}}", "{id: r, run: [r]}"))
        try run.drop("q.json", "1")
        let accepted = run.entries(.answerAccepted)[0].seq
        let seq = run.state.seq
        try run.drop("q--again.json", "1")
        #expect(run.settlement?.verdict == .duplicate)
        #expect(run.settlement?.seq == accepted)
        #expect(run.state.seq == seq)
        try run.drop("q.json", "2")
        #expect(run.settlement?.verdict == .rejected(.alreadyAnswered))
        #expect(run.settlement?.message == "q was answered in entry \(accepted)")
    }

    @Test("an unknown key is rejected, with a hint at an open one")
    func unknownKey() throws {
        var run = try asking()
        try run.drop("Q.json", "1")
        #expect(run.settlement?.verdict == .rejected(.unknownWait))
        #expect(run.settlement?.message.contains("q") == true)
        #expect(run.state.disposition(ofKey: "Q") == .unknown)
        #expect(run.state.disposition(ofKey: "q.2") == .unknown)
    }

    @Test("an early answer is told from an unknown one")
    func early() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [a]}", "{id: q, ask: {prompt: Go?}}", "{id: s, if: false, ask: {prompt: Go?}}"))
        #expect(run.state.disposition(ofKey: "q") == .early)
        #expect(run.state.disposition(ofKey: "a") == .unknown)
        try run.end("a")
        #expect(run.state.disposition(ofKey: "q") == .open)
        try run.drop("q.json", "1")
        #expect(run.state.disposition(ofKey: "s") == .ended)
    }

    @Test("a wait for the clock takes no answer")
    func clock() throws {
        var run = try EngineRun.started(graph("{id: t, wait: {for: 1h}}"))
        #expect(run.state.disposition(ofKey: "t") == .notAnswerable)
        try run.drop("t.json", "1")
        #expect(run.settlement?.verdict == .rejected(.unknownWait))
        #expect(run.state.waits.count == 1)
    }

    @Test("a wait that a failure closed takes no answer any more")
    func closed() throws {
        var run = try EngineRun.started(
            graph(
                "{id: q, needs: [], ask: {prompt: Go?}}", "{id: a, needs: [], run: [a]}", "{id: b, needs: [], run: [b]}"
            ))
        try run.end("a", .exited(1))
        #expect(run.state.disposition(ofKey: "q") == .closed)
        try run.drop("q.json", "1")
        #expect(run.settlement?.verdict == .rejected(.unknownWait))
    }

    @Test("an envelope with the wait's token is opened; any other object is the answer itself")
    func envelopes() throws {
        var run = try asking()
        let token = try #require(run.state.waits["q"]?.token?.hex)
        #expect(token == Digest.sha256(EntryCodec.line(run.entries(.taskWaiting)[0])).hex)
        try run.drop("q.json", "{\"token\":\"\(token)\",\"answer\":{\"x\":1}}")
        #expect(run.output("q") == ["x": 1])
        var other = try asking()
        let zero = String(repeating: "0", count: 64)
        try other.drop("q.json", "{\"token\":\"\(zero)\",\"answer\":1}")
        #expect(other.output("q") == ["token": .string(zero), "answer": 1])
    }

    @Test("an answer that its step's verification rejects, fails the step")
    func verified() throws {
        var run = try asking(more: ", verify: ['output > 3']")
        try run.drop("q.json", "1")
        #expect(run.settlement?.verdict == .accepted)
        #expect(run.state.error?.kind == .verification)
    }

    @Test("a file that was refused unread is recorded with its kind")
    func refusedUnread() throws {
        var run = try asking()
        try run.dropRefused("q.json", .size, size: 1 << 30)
        #expect(run.news() == ["ANSWER_REJECTED q size: refused"])
        #expect(run.entries(.answerRejected)[0].by == "uid:1000")
        #expect(run.entries(.answerRejected)[0].data["sha256"] == nil)
    }

    @Test("before RUN_START and after RUN_END a ledger takes no files")
    func ended() throws {
        var run = try EngineRun(graph("{id: a, set: {x: 1}}"))
        #expect(throws: EngineError.self) { try run.drop("q.json", "1") }
        try run.begin()
        let seq = run.state.seq
        #expect(throws: EngineError.self) { try run.drop("q.json", "1") }
        #expect(throws: EngineError.self) { try run.dropRefused("q.json", .type) }
        #expect(throws: EngineError.self) { try run.drop("@cancel.json", "{") }
        #expect(throws: EngineError.self) { try run.dropRefused("@cancel.json", .type) }
        #expect(run.state.seq == seq)
    }

    @Test("expressions read who answered, and what")
    func answersInScope() throws {
        var run = try EngineRun.started(
            graph(
                "{id: q, ask: {prompt: Go?}}",
                "{id: a, set: {by: '${{ steps.q.answers[0].by }}', v: '${{ steps.q.answers[0].value }}'}}"))
        try run.drop("q.json", "[7]")
        #expect(run.output("a") == ["by": "bob", "v": [7]])
    }
}
