import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

@Suite("Played cases")
struct TestRunnerTests {
    private static let workflow = """
        kind: Workflow
        name: w
        inputs: {n: {type: integer, default: 1}}
        steps:
          - {id: build, run: [make], output: json, retry: {maxAttempts: 3, initial: 10s}, compensate: {run: [unmake]}}
          - {id: approve, ask: {prompt: Ship?, approval: true, timeout: 48h, default: {approve: false}}}
          - {id: refused, if: '!steps.approve.output.approve', fail: {message: refused}}
          - {id: paid, wait: {event: {type: order.paid}}}
          - {id: load, forEach: [1, 2], run: [x]}
        outputs: {coverage: '${{ steps.build.output.coverage }}'}

        """

    /// Plays the only case of a test.
    private func play(_ rest: String, workflow: String = workflow) throws -> TestReport {
        try #require(try play(cases: ["{name: c, \(rest)}"], workflow: workflow).first)
    }

    private func play(cases: [String], only: String? = nil, workflow: String = workflow) throws -> [TestReport] {
        let list = cases.map { "  - \($0)\n" }.joined()
        let text = workflow + "---\nkind: Test\nname: t\nworkflow: w\ncases:\n" + list
        let catalog = Catalog.load([SourceFile(path: "workflows/w.yaml", bytes: Array(text.utf8))]) { _ in true }
        let errors = catalog.diagnostics.filter { $0.level == .error }
        try #require(errors.isEmpty, "\(errors.map(\.text))")
        let definition = RunDefinition(workflow: try #require(catalog.workflows["w"]), of: catalog, digest: .zero)
        return TestRunner.run(try #require(catalog.tests.first), case: only, definition: definition)
    }

    /// What is wrong with a case, a line each.
    private func misses(_ rest: String, workflow: String = workflow) throws -> [String] {
        let report = try play(rest, workflow: workflow)
        #expect(report.hasPassed == (report.misses.isEmpty && report.problem == nil))
        return (report.problem.map { [$0] } ?? [])
            + report.misses.map { "\($0.subject): \($0.expected), got \($0.actual)" }
    }

    private static let given =
        "stubs: {build: [{exitCode: 1}, {output: {coverage: 90}}]}, answers: {approve: yes}, events: [{type: order.paid}]"

    @Test("a case that comes to what it expects passes, and tells its story")
    func passes() throws {
        let report = try play(
            """
            \(Self.given), expect: {status: completed, outputs: {coverage: 90}, waiting: [], \
            steps: {build: {attempts: 2, output: {coverage: 90}}, approve: completed, refused: skipped, load-1: completed}, \
            ledger: [RUN_START, {type: TASK_RETRY, step: build}, {type: EVENT_RECEIVED}, {type: RUN_END, data: {status: completed}}]}
            """)
        #expect(report.hasPassed)
        #expect(report.misses == [])
        #expect(report.story.first == "RUN_START")
        #expect(report.story.contains("TASK_WAITING build key=build-retry"))
        #expect(report.story.last == "RUN_END status=completed")
    }

    @Test(
        "an expectation that is not met says what was expected, and what came",
        arguments: [
            ("status: failed", "status: failed, got completed"),
            ("outputs: {coverage: 80}", #"outputs: {"coverage":80}, got {"coverage":90}"#),
            ("error: {kind: exit}", #"error: {"kind":"exit"}, got null"#),
            ("steps: {refused: completed}", "steps.refused: completed, got skipped"),
            (
                "steps: {build: {attempts: 3}}",
                #"steps.build: {"attempts":3}, got {"attempts":2,"exitCode":0,"output":{"coverage":90},"status":"completed","visits":1}"#
            ),
            ("waiting: [approve]", #"waiting: ["approve"], got []"#),
            ("ledger: [POLICY_PRE]", "ledger[0]: POLICY_PRE, got no such entry"),
        ])
    func misses(expectation: String, miss: String) throws {
        #expect(try misses("\(Self.given), expect: {\(expectation)}") == [miss])
    }

    @Test("entries that come in another order say after which one they were looked for")
    func order() throws {
        let found = try misses("\(Self.given), expect: {ledger: [{type: TASK_END, step: build}, RUN_START]}")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("ledger[1]: RUN_START, got no such entry after number ") == true)
    }

    @Test("several misses are told together")
    func several() throws {
        #expect(
            try misses("\(Self.given), expect: {status: failed, steps: {approve: skipped}}") == [
                "status: failed, got completed", "steps.approve: skipped, got completed",
            ])
    }

    @Test("the clock moves as far as `advance` says")
    func advance() throws {
        let stubs = "stubs: {build: {output: {}}}"
        #expect(try misses("\(stubs), advance: 47h, expect: {status: waiting, waiting: [approve]}") == [])
        #expect(try misses("\(stubs), advance: 49h, expect: {status: failed, error: {message: refused}}") == [])
        #expect(
            try misses("\(stubs), advance: 49h, expect: {steps: {build: compensated, load: pending}}") == [])
    }

    @Test(
        "a stub that no attempt takes and an answer that nobody asks for fail the case",
        arguments: [
            (
                "stubs: {build: {exitCode: 1}, load: {}}, expect: {status: failed}",
                ["stubs.load: an attempt that takes it, got none"]
            ),
            (
                "stubs: {build: [{output: {}}, {output: {}}, {}]}, expect: {status: waiting}",
                [
                    "stubs.build[1]: an attempt that takes it, got none",
                    "stubs.build[2]: an attempt that takes it, got none",
                ]
            ),
            (
                "stubs: {build: {exitCode: 1}}, answers: {approve: yes}, expect: {status: failed}",
                ["answers.approve: a question, got none"]
            ),
            (
                "stubs: {build: {output: {}}}, answers: {approve: [yes, no]}, expect: {status: waiting}",
                ["answers.approve[1]: a question, got none"]
            ),
        ])
    func leftovers(given: String, found: [String]) throws {
        #expect(try misses(given) == found)
    }

    @Test("a stub that cases share is left over if none of them takes it, which is told once")
    func sharedLeftovers() throws {
        let cases = [
            "{name: a, stubs: &s {build: {exitCode: 1}, load: {}}, expect: {status: failed}}",
            "{name: b, stubs: *s, expect: {status: failed}}",
        ]
        #expect(try play(cases: cases).map(\.misses.count) == [1, 0])
        #expect(try play(cases: cases, only: "b").map(\.misses.count) == [0])
        let taking =
            "{name: c, stubs: {build: {output: {coverage: 1}}, load: &l {}}, answers: {approve: yes}, events: [{type: order.paid}], expect: {status: completed}}"
        let sharing = "{name: d, stubs: {build: {exitCode: 1}, load: *l}, expect: {status: failed}}"
        #expect(try play(cases: [taking, sharing]).map(\.hasPassed) == [true, true])
    }

    @Test("one stub of a loop serves all its items, and the list's last all further attempts")
    func sharedStubs() throws {
        let text = "kind: Workflow\nname: w\nsteps: [{id: l, forEach: [1, 2], run: [x], retry: {maxAttempts: 3}}]\n"
        #expect(
            try misses(
                "stubs: {l: [{exitCode: 1}, {}]}, expect: {status: completed, steps: {l-1: {attempts: 2}}}",
                workflow: text) == [])
    }

    @Test("a list of answers serves one visit after the other")
    func visits() throws {
        let text = """
            kind: Workflow
            name: w
            states:
              q: {ask: {prompt: Again?, choices: [yes, no]}, next: [{if: "output == 'yes'", to: q}, {to: end}]}

            """
        #expect(
            try misses(
                "answers: {q: [yes, yes, no]}, expect: {status: completed, steps: {q: {visits: 3}}}", workflow: text)
                == [])
        #expect(
            try misses("answers: {q: [yes, no, no]}, expect: {status: completed}", workflow: text)
                == ["answers.q[2]: a question, got none"])
        #expect(
            try misses("answers: {q: yes, q.2: no}, expect: {status: completed}", workflow: text) == [])
    }

    @Test(
        "a case that cannot be played says why",
        arguments: [
            (
                "inputs: {n: 1}, stubs: {}, expect: {status: failed}",
                "build has an output: give it a stub with `output`"
            ),
            (
                "stubs: {build: {output: {}}}, answers: {approve: 7}, expect: {status: failed}",
                "the answer to approve is refused: expected {\"approve\": true} or {\"approve\": false}, got integer"
            ),
        ])
    func problems(rest: String, problem: String) throws {
        #expect(try misses(rest) == [problem])
    }

    @Test("attempts that take their time, are lost or time out come to what their stubs say")
    func attempts() throws {
        let text = "kind: Workflow\nname: w\nsteps: [{id: a, run: [x], timeout: 1m}]\n"
        #expect(
            try misses("stubs: {a: {takes: 2m}}, advance: 5m, expect: {error: {kind: timeout}}", workflow: text) == [])
        #expect(try misses("stubs: {a: {takes: 30s}}, advance: 5m, expect: {status: completed}", workflow: text) == [])
        #expect(try misses("stubs: {a: {lost: true}}, expect: {waiting: [a-unknown]}", workflow: text) == [])
        #expect(
            try misses("stubs: {a: {signal: TERM}}, expect: {error: {kind: signal, signal: 15}}", workflow: text) == [])
    }
}
