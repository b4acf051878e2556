import Testing
import WaybillCore
import WaybillExpressions
import WaybillManifests

/// Every field of the language, read into the definitions that the engine executes.
@Suite("The whole language")
struct LanguageTests {
    private static let graphText = """
        kind: Workflow
        name: w
        inputs: {files: {type: array, items: {type: string}}, region: {type: string, default: eu}}
        vars: {seen: {default: [], merge: append}}
        concurrency: {group: "load-${{ inputs.region }}", limit: 2, onLimit: cancelOldest}
        retry: {maxAttempts: 3, backoff: exponential, initial: 1s, max: 1m, jitter: full, on: [exit, timeout]}
        limits: {steps: 1000, retries: 20, elapsed: 7d, active: 2h, cost: 50, tokens: 200000}
        failure: hold
        onPause: rollback
        steps:
          - id: submit
            http:
              method: POST
              url: https://jobs.example/${{ inputs.region }}
              query: {dry: true, page: 2}
              headers: {X-Run: "${{ run.id }}", X-Key: {secret: jobs-key, prefix: "Key "}}
              json: {files: "${{ inputs.files }}"}
              auth: {basic: {user: "${{ inputs.region }}", password: {secret: jobs-password}}}
              expect: {status: [2xx, 409]}
            retry: {on: [{status: [429, 5xx]}, {exit: 75}, {signal: [TERM, SIGKILL, 9]}, {if: "error.message.contains('busy') && attempt < 3"}, executor]}
            pool: jobs
            usage: {tokens: 12, cost: "${{ output.body.cost }}"}
            catch: [{if: "error.kind == 'timeout'", output: {status: 0, headers: {}, body: null}}]
            compensate: {http: {method: DELETE, url: "https://jobs.example/${{ output.body.id }}"}, retry: {maxAttempts: 5}, on: started}
          - id: job
            wait: {job: {handle: "${{ steps.submit.output.body.id }}", poll: {run: [./poll.sh]}, every: 30s}}
            env: {TOKEN: x}
            secrets: {KEY: poll}
            output: json
            timeout: 20s
          - id: each
            if: size(inputs.files) > 0
            forEach: {items: "${{ inputs.files }}", key: item, maxParallel: 4, onItemFailure: collect}
            run: [./load.sh, "${{ item }}", "${{ index }}"]
            output: text
            verify: [output != item]
            update: {seen: "${{ output }}"}
          - id: pair
            forEach: [{a: 1}, {a: 2}]
            steps:
              - {id: left, set: {x: "${{ item.a }}", region: "${{ inputs.region }}"}}
              - {id: right, needs: [], emit: {type: done, key: "${{ string(index) }}", subject: s, data: {a: "${{ item.a }}"}}}
              - {id: job, if: "index > 0", needs: [left, right], run: [x, "${{ steps.left.output.x }}", "${{ steps.right.output.id }}", "${{ steps.submit.output.status }}"]}
          - id: sub
            call: {workflow: other, with: {name: "${{ inputs.region }}"}, id: "sub-${{ run.id }}", detach: true}
          - id: tag
            uses: publish-artifact@1.2
            with: {file: "${{ steps.sub.output.run }}"}
            onUnknown: {check: {run: [./is-published.sh], env: {A: b}, timeout: 5s}}
            pivot: true
          - id: either
            first: {soak: {for: 30m}, alert: {event: {type: alert, key: "${{ inputs.region }}", match: "event.data.level > 3", since: wait}}, stop: {ask: {prompt: Stop?, approval: true, timeout: 1h}}, by: {until: "2026-11-20T10:15:00Z"}}
          - id: poll
            while: "steps.poll.?output.more.orValue(true)"
            maxVisits: 5
            run: [./poll.sh]
            output: {format: json, schema: {type: object, properties: {more: {type: boolean}}}}
        onFailure:
          - {id: page, run: [./page.sh, "${{ error.message }}", "${{ steps.?submit.output.body.id.orValue('') }}"]}
        finally:
          - {id: clean, run: [./clean.sh, "${{ error == null ? 'ok' : error.kind }}"]}
        outputs: {loaded: "${{ steps.each.output }}", first: "${{ steps.either.output.first }}"}
        """

    /// What the workflows use and call.
    private static let others = """
        {kind: Settings, pools: {jobs: 2}, secrets: {jobs-password: {env: JOBS_PASSWORD}, jobs-key: {file: key}, poll: {credential: poll}}}
        ---
        {kind: Workflow, name: other, inputs: {name: {type: string}}, steps: [{id: a, set: {x: 1}}]}
        ---
        {kind: Capability, name: publish-artifact, version: 1.2.0, inputs: {file: {type: string}}, run: [make]}
        """

    private func workflow(_ text: String) throws -> WorkflowDefinition {
        let catalog = load(["workflows/w.yaml": text, "workflows/others.yaml": Self.others])
        #expect(catalog.diagnostics.map(\.text) == [])
        return try #require(catalog.workflows["w"])
    }

    private func step(_ workflow: WorkflowDefinition, _ id: String) throws -> StepDefinition {
        let index = try #require(workflow.plan.index(of: id))
        return workflow.plan.steps[index]
    }

    @Test("the fields of a workflow are read")
    func workflowFields() throws {
        let workflow = try workflow(Self.graphText)
        #expect(workflow.concurrency?.limit == 2)
        #expect(workflow.concurrency?.onLimit == .cancelOldest)
        #expect(workflow.retry?.maxAttempts == 3)
        #expect(workflow.retry?.backoff == .exponential)
        #expect(workflow.retry?.initial == .seconds(1))
        #expect(workflow.retry?.max == .seconds(60))
        #expect(workflow.retry?.jitter == .full)
        #expect(workflow.retry?.on?.count == 2)
        #expect(workflow.limits.steps == 1000)
        #expect(workflow.limits.retries == 20)
        #expect(workflow.limits.elapsed == .seconds(7 * 86_400))
        #expect(workflow.limits.active == .seconds(7_200))
        #expect(workflow.limits.cost == 50)
        #expect(workflow.limits.tokens == 200_000)
        #expect(workflow.failure == .hold)
        #expect(workflow.onPause == .rollback)
        #expect(workflow.onFailure?.steps.map(\.id) == ["page"])
        #expect(workflow.finally?.steps.map(\.id) == ["clean"])
    }

    @Test("a request is read with its retries, its ways out and what undoes it")
    func request() throws {
        let step = try step(try workflow(Self.graphText), "submit")
        guard case .http(let http) = step.action else {
            Issue.record("no request")
            return
        }
        #expect(http.method == "POST")
        #expect(http.query.map(\.name) == ["dry", "page"])
        #expect(http.headers.map(\.name) == ["X-Run"])
        #expect(http.expect.map(\.range) == [200...299, 409...409])
        guard case .json = http.body, case .basic(_, "jobs-password")? = http.authentication else {
            Issue.record("no body or no authentication")
            return
        }
        #expect(
            http.secretHeaders == [SecretField(name: "X-Key", text: SecretText(prefix: "Key ", secret: "jobs-key"))])
        let causes = try #require(step.retry?.on)
        let texts = causes.map { cause in
            switch cause {
            case .kind(let kind): kind
            case .exitCodes(let codes): "exit \(codes)"
            case .signals(let signals): "signal \(signals)"
            case .statuses(let statuses): "status \(statuses.map(\.range))"
            case .condition(let condition): condition.source
            }
        }
        #expect(
            texts == [
                "status [ClosedRange(429...429), ClosedRange(500...599)]", "exit [75]", "signal [15, 9, 9]",
                "error.message.contains('busy') && attempt < 3", "executor",
            ])
        #expect(step.pool == "jobs")
        #expect(step.usage?.tokens?.constant == 12)
        #expect(step.catches.count == 1)
        #expect(step.sideEffects == .effect)
        let compensation = try #require(step.compensation)
        #expect(compensation.on == .started)
        #expect(compensation.step.id == "compensate")
        #expect(compensation.step.action.name == "http")
        #expect(compensation.step.retry?.maxAttempts == 5)
    }

    @Test("a poll of a job has the step's environment and output, and a bound of its own")
    func job() throws {
        let step = try step(try workflow(Self.graphText), "job")
        guard case .wait(.job(let job)) = step.action else {
            Issue.record("no job")
            return
        }
        let poll = job.poll.steps[0]
        #expect(poll.id == "poll")
        #expect(poll.environment.map(\.name) == ["TOKEN"])
        #expect(poll.output?.format == .json)
        #expect(poll.timeout == .seconds(60))
        #expect(step.timeout == .seconds(20))
        #expect(poll.onUnknown.word == "retry")
    }

    @Test("a loop keeps what is about the whole, and its body what is about an item")
    func loop() throws {
        let step = try step(try workflow(Self.graphText), "each")
        guard case .forEach(let loop) = step.action else {
            Issue.record("no loop")
            return
        }
        #expect(loop.key?.source == "item")
        #expect(loop.maxParallel == 4)
        #expect(loop.onItemFailure == .collect)
        #expect(step.condition != nil)
        #expect(step.updates.map(\.name) == ["seen"])
        #expect(step.verifications.isEmpty)
        #expect(step.needs == [Need(step: 1, when: .completed)])
        let body = loop.body.steps[0]
        #expect(body.id == "each")
        #expect(body.action.name == "run")
        #expect(body.condition == nil)
        #expect(body.verifications.count == 1)
        #expect(body.output?.format == .text)
    }

    @Test("a group is a graph of its own, whose ids may be those of steps outside")
    func group() throws {
        let step = try step(try workflow(Self.graphText), "pair")
        guard case .forEach(let loop) = step.action, case .steps(let plan) = loop.body.steps[0].action else {
            Issue.record("no group")
            return
        }
        #expect(loop.items.constant == [["a": 1], ["a": 2]])
        #expect(plan.shape == .graph)
        #expect(plan.steps.map(\.id) == ["left", "right", "job"])
        #expect(plan.steps[2].needs == [Need(step: 0, when: .completed), Need(step: 1, when: .completed)])
    }

    @Test("calls, capabilities and several waits are read")
    func others() throws {
        let workflow = try workflow(Self.graphText)
        guard case .call(let call) = try step(workflow, "sub").action else {
            Issue.record("no call")
            return
        }
        #expect(call.workflow == "other")
        #expect(call.detach)
        #expect(call.inputs.map(\.name) == ["name"])
        let tag = try step(workflow, "tag")
        guard case .uses(let use) = tag.action, case .check(let check) = tag.onUnknown else {
            Issue.record("no capability")
            return
        }
        #expect(use.reference == CapabilityReference(name: "publish-artifact", major: 1, minor: 2))
        #expect(use.inputs.map(\.name) == ["file"])
        #expect(check.steps[0].id == "check")
        #expect(check.steps[0].timeout == .seconds(5))
        #expect(tag.isPivot)
        guard case .first(let branches) = try step(workflow, "either").action else {
            Issue.record("no first")
            return
        }
        #expect(branches.map(\.name) == ["soak", "alert", "stop", "by"])
        #expect(branches.map(\.timeout) == [nil, nil, .seconds(3_600), nil])
        let poll = try step(workflow, "poll")
        #expect(poll.repetition != nil)
        #expect(poll.maxVisits == 5)
    }

    @Test("a machine catches a failure on another way, and its states may be groups")
    func machineWays() throws {
        let text = machine(
            "a: {run: [x], catch: [{if: error.exitCode == 3, to: c}, {to: end}], next: b}",
            "b: {steps: [{id: one, run: [x], output: json}, {id: two, run: [x]}], next: end}",
            "c: {set: {x: \"${{ steps.a.status }}\"}, next: b}")
        let plan = try workflow(text).plan
        let targets = plan.steps[0].catches.map { rule -> Int? in
            if case .to(let target) = rule.result { return target }
            return -1
        }
        #expect(targets == [2, nil])
        #expect(plan.steps[1].action.name == "steps")
    }
}
