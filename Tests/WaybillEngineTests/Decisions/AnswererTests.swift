import Testing
import WaybillCore
import WaybillEngine

/// Who dropped a file, as the machine would say.
struct Person {
    var uid = 1000
    var user: String? = "bob"
    var groups: [String] = []
    var permissions: UInt16 = 0o600
    var isOwnUser = false
    var signature: InboxFile.Signature?

    static let bob = Person()
    static let carol = Person(uid: 1001, user: "carol", groups: ["release", "ops"])
    static let dave = Person(uid: 1002, user: "dave", groups: ["release"])
    static let daemon = Person(uid: 500, user: "waybill", groups: ["release"], isOwnUser: true)

    /// Somebody's signature, in a file of the same owner.
    static func signing(_ principal: String, key: String? = nil, uid: Int = 700) -> Person {
        Person(
            uid: uid, user: "gate",
            signature: .valid(principals: [principal], key: "SHA256:\(key ?? principal)"))
    }
}

extension EngineRun {
    mutating func drop(_ name: String, _ text: String, by person: Person) throws {
        var file = Self.file(name, Array(text.utf8), changedAt: now)
        file.uid = person.uid
        file.user = person.user
        file.groups = person.groups
        file.permissions = person.permissions
        file.isOwnUser = person.isOwnUser
        file.signature = person.signature
        try send(.file(file))
    }

    /// An answer in its envelope.
    mutating func answer(_ key: String, _ json: String, by person: Person, as name: String? = nil) throws {
        let token = try #require(state.waits[key]?.token?.hex)
        try drop(name ?? "\(key).json", #"{"token":"\#(token)","answer":\#(json)}"#, by: person)
    }

    mutating func control(_ key: String, _ json: String = "{}", by person: Person) throws {
        let token = try #require(state.controlToken?.hex)
        try drop("\(key).json", #"{"token":"\#(token)","answer":\#(json)}"#, by: person)
    }

    var refusal: RefusalKind? {
        if case .rejected(let kind)? = settlement?.verdict { kind } else { nil }
    }
}

@Suite("Who may answer")
struct AnswererTests {
    private func asking(_ from: String, more: String = "") throws -> EngineRun {
        let signers = from.contains("signers") ? "---\nkind: Settings\nname: default\nsigners: allowed_signers\n" : ""
        var run = try EngineRun.started(
            graph("{id: q, ask: {prompt: Go?, approval: true, from: {\(from)}\(more)}}") + signers)
        _ = run.news()
        return run
    }

    @Test("only an envelope with this wait's token counts, and its author is recorded")
    func envelope() throws {
        var run = try asking("groups: [release]")
        #expect(run.entries(.taskWaiting)[0].data["from"] == ["groups": ["release"]])
        try run.drop("q.json", "true", by: .carol)
        #expect(run.refusal == .token)
        try run.drop("q.txt", "yes", by: .carol)
        #expect(run.refusal == .token)
        let zero = String(repeating: "0", count: 64)
        try run.drop("q.json", #"{"token":"\#(zero)","answer":true}"#, by: .carol)
        #expect(run.refusal == .token)
        let token = try #require(run.state.waits["q"]?.token?.hex)
        try run.drop("q.json", #"{"token":"\#(token)","answer":true,"more":1}"#, by: .carol)
        #expect(run.refusal == .token)
        #expect(run.status("q") == .waiting)
        try run.answer("q", "true", by: .carol)
        let accepted = try #require(run.entries(.answerAccepted).first)
        #expect(accepted.by == "carol")
        #expect(accepted.data["uid"] == 1001)
        #expect(accepted.data["groups"] == ["release"])
        #expect(accepted.data["mode"] == "0600")
        #expect(run.output("q") == ["approve": true])
    }

    @Test("an envelope of an earlier visit, or of another wait, answers nothing")
    func oldEnvelope() throws {
        var run = try EngineRun.started(
            machine(
                "a: {ask: {prompt: Go?, approval: true, from: {users: [bob]}}, maxVisits: 3, next: [{if: visit < 2, to: a}, {to: end}]}"
            ))
        let token = try #require(run.state.waits["a"]?.token?.hex)
        try run.answer("a", "true", by: .bob)
        #expect(run.state.waits["a.2"]?.token != nil)
        try run.drop("a.2.json", #"{"token":"\#(token)","answer":true}"#, by: .bob)
        #expect(run.refusal == .token)
        try run.answer("a.2", "true", by: .bob)
        #expect(run.state.phase == .completed)
    }

    @Test(
        "the file's owner has to be one of those who are named",
        arguments: [
            ("users: [bob]", Person.bob, nil), ("users: ['uid:1000']", .bob, nil),
            ("users: [alice]", .bob, RefusalKind.owner), ("groups: [release]", .carol, nil),
            ("groups: [release]", .bob, .owner), ("users: [bob], groups: [release]", .carol, nil),
            ("users: [bob]", Person(user: nil), .owner), ("users: ['uid:1000']", Person(user: nil), nil),
            ("users: [bob]", Person(permissions: 0o620), .owner), ("users: [bob]", Person(permissions: 0o602), .owner),
            ("users: [bob]", Person(permissions: 0o644), nil), ("groups: [release]", .daemon, .owner),
            ("groups: [release], self: true", .daemon, nil), ("users: [waybill]", .daemon, .owner),
            ("notStarter: true", .bob, nil), ("notStarter: true", .daemon, .owner),
            ("signers: [alice@x]", .bob, .signature), ("signers: [alice@x]", .signing("alice@x"), nil),
            ("signers: [alice@x]", .signing("mallory@x"), .signature),
            ("signers: [alice@x]", Person(signature: .refused("no")), .signature),
            ("users: [bob], signers: [alice@x]", Person(signature: .refused("no")), .signature),
            ("users: [bob]", Person(signature: .refused("no")), nil),
            ("users: [alice], signers: [alice@x]", .bob, .owner),
        ] as [(String, Person, RefusalKind?)])
    func people(from: String, person: Person, expected: RefusalKind?) throws {
        var run = try asking(from)
        try run.answer("q", "true", by: person)
        #expect(run.refusal == expected, "\(run.settlement?.message ?? "")")
        #expect((run.state.phase == .completed) == (expected == nil))
    }

    @Test("a quorum needs different people, one refusal refuses, and what is missing is said")
    func quorum() throws {
        var run = try asking("groups: [release], quorum: 2")
        try run.answer("q", #"{"approve":true,"comment":"fine"}"#, by: .carol)
        #expect(run.settlement?.verdict == .accepted)
        #expect(run.news() == ["ANSWER_ACCEPTED q q by carol"])
        #expect(run.state.waits["q"]?.missing == 1)
        #expect(run.entries(.answerAccepted)[0].data["missing"] == 1)
        let page = try #require(run.state.waits["q"].map { WaitProjection.bytes($0, run: run.state.id) })
        #expect(try JSON.parse(page)["missing"] == 1)
        try run.answer("q", #"{"approve":true,"comment":"fine"}"#, by: .carol)
        #expect(run.settlement?.verdict == .duplicate)
        try run.answer("q", "true", by: .carol)
        #expect(run.refusal == .alreadyAnswered)
        #expect(run.status("q") == .waiting)
        try run.answer("q", "true", by: .dave)
        #expect(run.output("q") == ["approve": true])
        #expect(run.step("q")?.answers.map { $0["by"] } == ["carol", "dave"])
        #expect(
            run.step("q")?.answers.map { $0["value"] } == [["approve": true, "comment": "fine"], ["approve": true]])

        var refused = try asking("groups: [release], quorum: 2")
        try refused.answer("q", "true", by: .carol)
        try refused.answer("q", "false", by: .dave)
        #expect(refused.output("q") == ["approve": false])
    }

    @Test("bytes that a quorum took are acknowledged after its end as well")
    func repeatedVotes() throws {
        var run = try EngineRun.started(
            graph(
                "{id: q, ask: {prompt: Go?, approval: true, from: {quorum: 2}}}", "{id: more, ask: {prompt: More?}}"))
        let token = try #require(run.state.waits["q"]?.token?.hex)
        let yes = #"{"token":"\#(token)","answer":true}"#
        try run.drop("q.json", yes, by: .carol)
        try run.drop("q--2.json", yes + " ", by: .dave)
        try run.drop("q--3.json", yes, by: .carol)
        #expect(run.settlement?.verdict == .duplicate)
        try run.drop("q--4.json", yes + "  ", by: .bob)
        #expect(run.refusal == .alreadyAnswered)
    }

    @Test(
        "a person counts once, by file and by signature",
        arguments: [
            (Person.bob, Person.signing("bob@example.com"), false), (.bob, .signing("bob"), false),
            (.bob, .signing("alice@x", uid: 1000), false), (.bob, .signing("alice@x"), true),
            (.signing("alice@x"), .signing("bob@x"), true),
            (.signing("alice@x", key: "k"), .signing("bob@x", key: "k"), false),
            (.signing("alice@x"), .signing("alice@x", key: "other"), false),
            (.bob, Person(uid: 1000, user: "robert"), false),
        ] as [(Person, Person, Bool)])
    func same(first: Person, second: Person, areTwo: Bool) throws {
        var run = try asking(
            "users: [bob, robert], signers: ['alice@x', 'bob@x', 'bob@example.com', bob], quorum: 2")
        try run.answer("q", "true", by: first)
        #expect(run.settlement?.verdict == .accepted)
        try run.answer("q", #"{"approve":true}"#, by: second)
        #expect((run.status("q") == .completed) == areTwo, "\(run.settlement?.message ?? "")")
    }

    @Test("whoever started the run, or answered an earlier step, may be excluded")
    func exclusions() throws {
        var run = try EngineRun(
            graph(
                "{id: a, ask: {prompt: First?, approval: true}}",
                "{id: b, ask: {prompt: Second?, approval: true, from: {notStarter: true, notBy: [a]}}}"))
        var start = RunStart(
            id: EngineRun.id, commit: nil, inputs: Object(), trigger: ["type": "manual"], actor: .user, by: "dave")
        start.starter = Answerer(uid: 1002, user: "dave")
        try run.send(.start(start))
        try run.drop("a.txt", "yes", by: .carol)
        try run.answer("b", "true", by: .carol)
        #expect(run.refusal == .owner)
        #expect(run.settlement?.message == "carol answered a and may not answer this as well")
        try run.answer("b", "true", by: .dave)
        #expect(run.settlement?.message == "dave started the run and may not answer")
        try run.answer("b", "true", by: .bob)
        #expect(run.state.phase == .completed)
    }

    @Test("a signature is recorded with its principal, its key and the file it was compared with")
    func signed() throws {
        var run = try asking("signers: [alice@x]")
        let token = try #require(run.state.waits["q"]?.token?.hex)
        var file = EngineRun.file(
            "q.json", Array(#"{"token":"\#(token)","answer":true}"#.utf8), changedAt: run.now)
        file.signature = .valid(principals: ["alice@x"], key: "SHA256:k")
        file.signatureText = "-----BEGIN"
        file.signersDigest = Digest.sha256("signers")
        try run.send(.file(file))
        let data = try #require(run.entries(.answerAccepted).first).data
        #expect(run.entries(.answerAccepted)[0].by == "alice@x")
        #expect(data["signer"] == "alice@x")
        #expect(data["fingerprint"] == "SHA256:k")
        #expect(data["signature"] == "-----BEGIN")
        #expect(data["signers"] == .string(Digest.sha256("signers").hex))
        #expect(run.step("q")?.answers[0]["by"] == "alice@x")
    }

    @Test("a policy's approval asks the same of those who approve")
    func policy() throws {
        let policy = """
            ---
            kind: Policy
            name: p
            rules: [{id: spend, at: step.before, require: {approval: {from: {groups: [release], quorum: 2}}}}]
            """
        var run = try EngineRun.started(graph("{id: a, run: [pay]}", also: policy))
        try run.drop("a-spend.txt", "yes", by: .carol)
        #expect(run.refusal == .token)
        try run.answer("a-spend", "true", by: .bob)
        #expect(run.refusal == .owner)
        try run.answer("a-spend", "true", by: .carol)
        #expect(run.launched == [])
        try run.answer("a-spend", #"{"approve":true}"#, by: .dave)
        #expect(run.launched == ["a"])
    }

    @Test("an early answer waits for nobody where only an envelope counts")
    func early() throws {
        var run = try EngineRun.started(
            graph("{id: a, ask: {prompt: A?}}", "{id: b, ask: {prompt: B?, approval: true, from: {users: [bob]}}}"))
        #expect(run.state.disposition(ofKey: "b") == .unknown)
        try run.drop("b.txt", "yes", by: .bob)
        #expect(run.refusal == .unknownWait)
    }

    @Test("answers that are still missing survive a checkpoint, and the default comes all the same")
    func partial() throws {
        var run = try asking("groups: [release], quorum: 3", more: ", timeout: 1h, default: {approve: false}")
        try run.answer("q", "true", by: .carol)
        let restored = try RunState(
            checkpoint: run.state.checkpointBytes(), definition: run.definition.workflow)
        #expect(restored.waits == run.state.waits)
        #expect(restored.checkpointBytes() == run.state.checkpointBytes())
        try run.tick(after: .seconds(3601))
        #expect(run.output("q") == ["approve": false])
        #expect(run.step("q")?.answers.map { $0["source"] } == ["person", "default"])
    }

    // MARK: - Control

    private static let settings = "---\nkind: Settings\ncontrol: {from: {groups: [ops]}}\n"

    @Test("control files count from those who may control the run, once each")
    func control() throws {
        var run = try EngineRun.started(graph("{id: a, ask: {prompt: A?}}", also: Self.settings))
        #expect(run.entries(.runStart)[0].data["control"] == [["groups": ["ops"]]])
        try run.drop("@pause.json", "", by: .carol)
        #expect(run.refusal == .control)
        try run.control("@pause", by: .dave)
        #expect(run.refusal == .control)
        let token = try #require(run.state.controlToken?.hex)
        let glance = try JSON.parse(RunProjection.bytes(run.state))
        #expect(glance["control"] == ["from": [["groups": ["ops"]]], "token": .string(token)])
        try run.control("@pause", #"{"reason":"lunch"}"#, by: .carol)
        #expect(run.state.phase == .paused)
        #expect(run.entries(.answerAccepted)[0].data["groups"] == ["ops"])
        #expect(run.state.controlToken?.hex != token)
        try run.drop("@resume.json", #"{"token":"\#(token)","answer":{}}"#, by: .carol)
        #expect(run.refusal == .control)
        try run.control("@resume", #"{"reason":7}"#, by: .carol)
        #expect(run.refusal == .control)
        try run.control("@resume", by: .carol)
        #expect(run.state.phase == .running)
        let restored = try RunState(
            checkpoint: run.state.checkpointBytes(), definition: run.definition.workflow)
        #expect(restored.controlToken == run.state.controlToken)
        #expect(restored.control == run.state.control)
    }

    @Test("where the workflow and the settings restrict it, both must hold")
    func bothControls() throws {
        var run = try EngineRun.started(
            graph("{id: a, ask: {prompt: A?}}", also: "control: {from: {users: [carol]}}\n" + Self.settings))
        try run.control("@cancel", by: Person(uid: 9, user: "erin", groups: ["ops"]))
        #expect(run.refusal == .control)
        try run.control("@cancel", by: Person(uid: 1001, user: "carol"))
        #expect(run.refusal == .control)
        try run.control("@cancel", by: .carol)
        #expect(run.state.phase == .cancelled)
    }

    @Test("orders of the parent need no envelope, and come from whoever drives it")
    func orders() throws {
        var run = try EngineRun(graph("{id: a, ask: {prompt: A?}}", also: Self.settings))
        try run.begin(parent: ["run": "p", "step": "s", "visit": 1, "depth": 1])
        let order = #"{"parent":"p","order":"cancel","seq":7,"reason":"p ends"}"#
        try run.drop("@cancel.json", order, by: .carol)
        #expect(run.refusal == .control)
        try run.drop("@cancel.json", order, by: .daemon)
        #expect(run.state.phase == .cancelled)
    }
}
