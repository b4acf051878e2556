import Testing
import WaybillCore
import WaybillManifests

@Suite("Tests, declared runs and policies, and the workflows they name")
struct DocumentLinkTests {
    private static let workflow = """
        kind: Workflow
        name: release
        inputs: {version: {type: string, pattern: '^v'}, count: {type: integer, default: 1}}
        steps:
          - {id: build, run: [make], output: json, compensate: {run: [unmake]}}
          - {id: approve, ask: {prompt: Ship?, approval: true}}
          - {id: load, forEach: [1, 2], steps: [{id: fetch, http: {url: 'https://a.test'}}, {id: triage, ask: {prompt: Which?}}]}
          - {id: each, forEach: [1, 2], run: [make]}
          - {id: choose, first: {late: {for: 1h}, answer: {ask: {prompt: Well?}}}}
          - {id: note, set: {x: 1}}

        """

    private static func test(_ rest: String) -> String {
        "kind: Test\nname: t\nworkflow: release\ncases:\n  - {name: c, \(rest)}\n"
    }

    private static func load(_ text: String) -> Catalog {
        Catalog.load(
            [("workflows/a.yaml", workflow), ("workflows/t.yaml", text)].map {
                SourceFile(path: $0.0, bytes: Array($0.1.utf8))
            }, exists: { _ in true })
    }

    private static func diagnose(_ text: String) -> [String] {
        load(text).diagnostics.map { diagnostic in
            let place = diagnostic.place.map { "\($0.line):\($0.column) " } ?? ""
            let level = diagnostic.level == .error ? "" : "\(diagnostic.level.rawValue): "
            return place + level + diagnostic.message + (diagnostic.hint.map { " (\($0))" } ?? "")
        }
    }

    // MARK: - Tests

    @Test("a test says what a run is given and must come to")
    func complete() throws {
        let text = """
            kind: Test
            name: release-works
            workflow: release
            cases:
              - name: after a failure
                inputs: {version: v1}
                stubs:
                  build: [{exitCode: 1}, {output: {coverage: 90}, takes: 5m, artifacts: [dist/a]}]
                  load-1.fetch: {status: 503, headers: {retry-after: '5'}}
                  each: {signal: TERM}
                  each-1: [{lost: true}, {error: {kind: executor, message: gone}}]
                answers: {approve: no, load-0.triage: [a, b], load-0.triage.2: c, choose-answer: x, build.2-unknown: retry}
                events: [{type: a.b, data: {x: 1}}]
                advance: 49h
                expect:
                  status: failed
                  outputs: {url: x}
                  steps: {build: compensated, load-0.fetch: {status: completed, attempts: 2}}
                  ledger: [RUN_START, {type: TASK_END, step: build}]
                  waiting: [approve, load-1.triage.2, choose-late]
            """
        let catalog = Self.load(text)
        #expect(catalog.diagnostics == [])
        let test = try #require(catalog.tests.first)
        #expect(test.name == "release-works")
        #expect(test.workflow == "release")
        let one = try #require(test.cases.first)
        #expect(one.name == "after a failure")
        #expect(one.place == SourcePlace(file: "workflows/t.yaml", line: 5, column: 11))
        #expect(one.inputs == ["version": "v1"])
        #expect(one.stubs["build"]?.map(\.exitCode) == [1, nil])
        #expect(one.stubs["build"]?[1].output == ["coverage": 90])
        #expect(one.stubs["build"]?[1].takes == .seconds(300))
        #expect(one.stubs["build"]?[1].artifacts == ["dist/a"])
        #expect(one.stubs["load-1.fetch"]?.map(\.status) == [503])
        #expect(one.stubs["load-1.fetch"]?[0].headers == ["retry-after": "5"])
        #expect(one.stubs["each"]?.map(\.signal) == [15])
        #expect(one.stubs["each-1"]?.map(\.isLost) == [true, false])
        #expect(one.stubs["each-1"]?[1].error?.kind == "executor")
        #expect(one.answers.first?.key == "approve")
        #expect(one.answers.first?.value == "no")
        #expect(one.events == [["type": "a.b", "data": ["x": 1]]])
        #expect(one.advance == .seconds(49 * 3_600))
        #expect(one.expect.status == "failed")
        #expect(one.expect.outputs == ["url": "x"])
        #expect(one.expect.steps.map(\.address) == ["build", "load-0.fetch"])
        #expect(one.expect.ledger == ["RUN_START", ["type": "TASK_END", "step": "build"]])
        #expect(one.expect.waiting == ["approve", "load-1.triage.2", "choose-late"])
    }

    @Test(
        "a test with a mistake gets one diagnostic, and is not run",
        arguments: [
            (
                "inputs: {version: v1}, stubs: {biuld: {}}, expect: {status: failed}",
                "5:46 the workflow `release` has no step `biuld` (did you mean 'build'?)"
            ),
            (
                "inputs: {version: v1}, stubs: {build-0: {}}, expect: {status: failed}",
                "5:46 the workflow `release` has no step `build-0` (did you mean 'build'?)"
            ),
            (
                "inputs: {version: v1}, stubs: {load-0.fecth: {}}, expect: {status: failed}",
                "5:46 the workflow `release` has no step `load-0.fecth` (did you mean 'load-0.fetch'?)"
            ),
            (
                "inputs: {version: v1}, stubs: {load: {}}, expect: {status: failed}",
                "5:46 the step `load` takes no stub (a test carries out `forEach` as it stands)"
            ),
            (
                "inputs: {version: v1}, stubs: {approve: {}}, expect: {status: failed}",
                "5:46 the step `approve` takes no stub (give what people say in `answers`)"
            ),
            (
                "inputs: {version: v1}, stubs: {build: {status: 200}}, expect: {status: failed}",
                "5:54 the step `build` has no `status` (it belongs to requests)"
            ),
            (
                "inputs: {version: v1}, stubs: {build: {exitCode: 1, lost: true}}, expect: {status: failed}",
                "5:67 a stub has one result, and `lost` stands beside `exitCode` (keep one of the two)"
            ),
            (
                "inputs: {version: v1}, answers: {build: x}, expect: {status: failed}",
                "5:48 the step `build` asks nothing, so no answer reaches it (give what it comes to in `stubs`)"
            ),
            (
                "inputs: {version: v1}, answers: {aprove: x}, expect: {status: failed}",
                "5:48 the workflow `release` has no step `aprove` (did you mean 'approve'?)"
            ),
            (
                "inputs: {version: v1}, answers: {choose.answer: x}, expect: {status: failed}",
                "5:48 the workflow `release` has no step `choose.answer` (did you mean 'choose-answer'?)"
            ),
            (
                "inputs: {version: v1}, answers: {choose-late: x}, expect: {status: failed}",
                "5:48 the step `choose-late` asks nothing, so no answer reaches it (give what it comes to in `stubs`)"
            ),
            (
                "inputs: {version: v1}, expect: {waiting: [choose]}",
                "5:57 `choose` waits for several things, each under a key of its own (there are `choose-late` and `choose-answer`)"
            ),
            (
                "inputs: {version: x}, expect: {status: failed}",
                "5:33 `version` does not fit the schema: does not match the pattern '^v', got \"x\""
            ),
            ("expect: {status: failed}", "5:5 the workflow `release` needs the input `version` (add it to `inputs`)"),
            (
                "inputs: {version: v1, cuont: 2}, expect: {status: failed}",
                "5:37 the workflow `release` has no input `cuont` (did you mean 'count'?)"
            ),
            (
                "inputs: {version: v1}, expect: {status: done}",
                "5:55 `status` expects `pending`, `running`, `waiting`, `paused`, `completed`, `failed`, `cancelled` or `quarantined`, got `done`"
            ),
            ("inputs: {version: v1}, expect: {}", "5:46 `expect` is empty (name a `status` at least)"),
            (
                "inputs: {version: v1}, expect: {steps: {nte: completed}}",
                "5:55 the workflow `release` has no step `nte` (did you mean 'note'?)"
            ),
            (
                "inputs: {version: v1}, expect: {ledger: [{type: TASK_END, step: nte}]}",
                "5:79 the workflow `release` has no step `nte` (did you mean 'note'?)"
            ),
            (
                "inputs: {version: v1}, expect: {waiting: [nte]}",
                "5:57 the workflow `release` has no step `nte` (did you mean 'note'?)"
            ),
        ])
    func mistakes(rest: String, expected: String) {
        #expect(Self.diagnose(Self.test(rest)) == [expected])
        #expect(Self.load(Self.test(rest)).tests.isEmpty)
    }

    @Test("a test of a workflow that is missing or set aside is named")
    func workflows() {
        let test = Self.test("expect: {status: failed}")
        #expect(
            Self.diagnose(test.replacing("workflow: release", with: "workflow: relaese")) == [
                "3:11 there is no workflow `relaese` (did you mean 'release'?)"
            ])
        let catalog = WaybillManifestsTests.load([
            "workflows/a.yaml": Self.workflow.replacing("[make]", with: "[]"), "workflows/t.yaml": test,
        ])
        #expect(
            catalog.diagnostics.last?.text
                == "workflows/t.yaml:3:11: error: the workflow `release` is set aside, and so is this test\n  hint: mend the workflow first"
        )
    }

    @Test("a test that does not fit its workflow leaves the workflow beside it alone")
    func besides() {
        let catalog = WaybillManifestsTests.load([
            "workflows/a.yaml": Self.workflow + "---\n" + Self.test("expect: {status: failed}")
        ])
        #expect(catalog.diagnostics.count == 1)
        #expect(catalog.workflows.keys.sorted() == ["release"])
        #expect(catalog.tests.isEmpty)
    }

    // MARK: - Declared runs

    @Test("a declared run is compared with its workflow, and said not to start yet")
    func declarations() throws {
        let text = """
            kind: Run
            name: first
            workflow: release
            inputs: {version: v1}
            labels: {team: a}
            notBefore: 2026-11-20T10:00:00Z
            generation: 2
            """
        let catalog = Self.load(text)
        #expect(
            catalog.diagnostics == [
                Diagnostic(
                    level: .warning, kind: .requirement, message: "this version does not start declared runs yet",
                    place: SourcePlace(file: "workflows/t.yaml", line: 1, column: 7),
                    hint: "`waybill run release` starts it")
            ])
        let run = try #require(catalog.declarations.first)
        #expect(run.name == "first")
        #expect(run.workflow == "release")
        #expect(run.inputs == ["version": "v1"])
        #expect(run.labels == ["team": "a"])
        #expect(run.notBefore == Timestamp(rfc3339: "2026-11-20T10:00:00Z"))
        #expect(run.generation == 2)
    }

    @Test(
        "a declared run with a mistake gets one diagnostic",
        arguments: [
            (
                "workflow: release\ninputs: {version: 1}",
                "4:19 `version` does not fit the schema: expected string, got integer"
            ),
            ("workflow: release", "1:1 the workflow `release` needs the input `version` (add it to `inputs`)"),
            ("workflow: deploy", "3:11 there is no workflow `deploy`"),
            (
                "workflow: release\ninputs: {version: v1}\nnotBefore: tomorrow",
                "5:12 `notBefore` expects a time such as `2026-11-20T10:15:00Z`, got `tomorrow`"
            ),
        ])
    func declarationMistakes(rest: String, expected: String) {
        #expect(Self.diagnose("kind: Run\nname: r\n\(rest)\n") == [expected])
        #expect(Self.load("kind: Run\nname: r\n\(rest)\n").declarations.isEmpty)
    }

    // MARK: - Policies

    @Test("a policy that names a workflow that is not there is warned about")
    func policies() {
        let policy =
            "kind: Policy\nname: p\nmatch: {workflows: {names: [release, relaese]}}\nrules: [{id: r, limit: {steps: 1}}]\n"
        #expect(
            Self.diagnose(policy) == [
                "3:38 warning: `names` has `relaese`, and there is no such workflow (did you mean 'release'?)"
            ])
    }
}
