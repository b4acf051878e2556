import WaybillCore
import WaybillTestKit

extension Story {
    static let all = [
        chain, question, saga, events, parent, timer, request, machine, group, items, unknown, sends,
    ]

    /// Starts a run one way or the other, perhaps twice.
    private static func start(
        _ workflow: String, _ run: String, _ acts: inout [PlannedAct], _ random: inout SeededGenerator,
        inputs: String = "{}"
    ) {
        let after = Duration.milliseconds(random.number(0..<50))
        if inputs == "{}", random.chance(30) {
            acts.append(PlannedAct(after: after, act: .command(workflow: workflow, run: run)))
        } else {
            acts.append(PlannedAct(after: after, act: .request(workflow: workflow, run: run, inputs: inputs)))
        }
        if random.chance(20) {
            let again = after + .milliseconds(random.number(0..<2_000))
            acts.append(PlannedAct(after: again, act: .request(workflow: workflow, run: run, inputs: inputs)))
        }
        if random.chance(10) {
            acts.append(PlannedAct(after: after, act: .request(workflow: "nowhere", run: nil, inputs: "{}")))
        }
    }

    /// Answers a question some times, at any time, rightly and wrongly.
    private static func answer(
        _ run: String, _ key: String, _ right: [String], _ acts: inout [PlannedAct], _ random: inout SeededGenerator
    ) {
        for _ in 0..<random.number(0..<4) {
            let text = random.chance(70) ? random.pick(right) : random.pick(["perhaps", "{", ""])
            let after = Duration.milliseconds(random.chance(70) ? random.number(0..<3_000) : random.number(0..<60_000))
            acts.append(
                PlannedAct(
                    after: after, act: .answer(run: run, key: key, text: text, random.pick(Way.allCases))))
        }
    }

    /// Pauses, goes on or gives up.
    private static func control(_ run: String, _ acts: inout [PlannedAct], _ random: inout SeededGenerator) {
        guard random.chance(35) else { return }
        let keys = random.chance(60) ? ["@pause", "@resume"] : [random.pick(["@cancel", "@pause", "@snapshot"])]
        var after = Duration.milliseconds(random.number(0..<6_000))
        for key in keys {
            let text = key == "@snapshot" ? #"{"name":"here"}"# : #"{"reason":"because"}"#
            acts.append(
                PlannedAct(after: after, act: .answer(run: run, key: key, text: text, random.pick(Way.allCases))))
            after = after + .milliseconds(random.number(1..<8_000))
        }
    }

    private static let chain = Story(
        manifest: """
            kind: Workflow
            name: chain
            checkpoint: {every: 3}
            retry: {maxAttempts: 4, initial: 1s}
            steps:
              - {id: first, set: {n: 1}}
              - {id: a, run: [work, flaky-a], output: text, onUnknown: retry}
              - {id: b, needs: [first], run: [work, b], onUnknown: retry, timeout: 2s, continueOnError: true}
              - {id: mark, snapshot: {name: half}}
              - {id: c, needs: [a, b, mark], run: [work, c], onUnknown: retry}
              - {id: last, set: {n: "${{ steps.first.output.n + 1 }}"}}
            outputs: {n: "${{ steps.last.output.n }}"}
            """
    ) { run, acts, random in
        start("chain", run, &acts, &random)
        control(run, &acts, &random)
    }

    private static let question = Story(
        manifest: """
            kind: Workflow
            name: question
            steps:
              - {id: a, run: [work, a], onUnknown: retry}
              - {id: one, ask: {prompt: one, choices: [go, stay]}}
              - {id: two, ask: {prompt: two, approval: true, timeout: 40s, default: {approve: false}}}
              - {id: b, if: "steps.two.output.approve", run: [work, b], onUnknown: retry}
            outputs: {one: "${{ steps.one.output }}"}
            """
    ) { run, acts, random in
        start("question", run, &acts, &random)
        answer(run, "one", ["go", "stay"], &acts, &random)
        answer(run, "two", ["yes", "no"], &acts, &random)
        answer(run, "nothing", ["go"], &acts, &random)
        control(run, &acts, &random)
    }

    private static let saga = Story(
        manifest: """
            kind: Workflow
            name: saga
            steps:
              - {id: reserve, run: [work, reserve], output: text, onUnknown: retry, compensate: {run: [work, undo]}}
              - {id: charge, run: [work, charge], onUnknown: retry, compensate: {run: [work, flaky-undo], retry: {maxAttempts: 4, initial: 1s}}}
              - {id: ship, run: [work, bad]}
            finally: [{id: close, run: [work, close], onUnknown: retry}]
            """
    ) { run, acts, random in
        start("saga", run, &acts, &random)
        control(run, &acts, &random)
    }

    private static let events = Story(
        manifest: """
            kind: Workflow
            name: events
            inputs: {order: {type: string}}
            steps:
              - {id: big, wait: {event: {type: paid, key: "${{ inputs.order }}", match: event.data.n > 1}}}
              - {id: any, wait: {event: {type: paid}}}
              - id: either
                first:
                  paid: {event: {type: paid, since: wait}}
                  late: {for: 2m}
            outputs: {big: "${{ steps.big.output.id }}", any: "${{ steps.any.output.id }}"}
            """
    ) { run, acts, random in
        start("events", run, &acts, &random, inputs: #"{"order":"o1"}"#)
        for number in 0..<random.number(2..<7) {
            let after = Duration.milliseconds(random.number(0..<8_000))
            // Some come twice, and some with the identity of another one.
            acts.append(
                PlannedAct(
                    after: after,
                    act: .event(
                        id: "e\(random.chance(75) ? number : 0)", type: "paid", key: random.chance(60) ? "o1" : nil,
                        n: random.number(1..<4))))
        }
        control(run, &acts, &random)
    }

    private static let parent = Story(
        manifest: """
            kind: Workflow
            name: parent
            steps:
              - {id: a, run: [work, a], onUnknown: retry, compensate: {run: [work, undo-a]}}
              - {id: sub, call: {workflow: child, with: {word: hello}}}
              - {id: end, if: "steps.sub.output.answer == 'no'", fail: {message: refused}}
            ---
            kind: Workflow
            name: child
            inputs: {word: {type: string}}
            steps:
              - {id: mark, run: [work, mark], onUnknown: retry, compensate: {run: [work, undo-mark]}}
              - {id: say, ask: {prompt: "Say ${{ inputs.word }}", choices: [yes, no]}}
            outputs: {answer: "${{ steps.say.output }}"}
            """
    ) { run, acts, random in
        start("parent", run, &acts, &random)
        control(run, &acts, &random)
    }

    private static let timer = Story(
        manifest: """
            kind: Workflow
            name: timer
            steps:
              - {id: pause, wait: {for: 90s}}
              - {id: a, run: [work, a], onUnknown: retry}
              - {id: again, needs: [], wait: {for: 5s}}
            limits: {elapsed: 7d}
            """
    ) { run, acts, random in
        start("timer", run, &acts, &random)
        control(run, &acts, &random)
    }

    private static let request = Story(
        manifest: """
            kind: Workflow
            name: request
            retry: {maxAttempts: 4, initial: 1s, on: [executor, timeout]}
            steps:
              - {id: get, http: {url: "http://service/a"}}
              - {id: post, http: {method: POST, url: "http://service/b", json: {n: "${{ steps.get.output.body.n }}"}}, onUnknown: ask}
            outputs: {n: "${{ steps.get.output.body.n }}"}
            """
    ) { run, acts, random in
        start("request", run, &acts, &random)
        control(run, &acts, &random)
    }

    private static let machine = Story(
        manifest: """
            kind: Workflow
            name: machine
            vars: {seen: {default: [], merge: append}}
            start: draft
            states:
              draft: {run: [work, draft], output: text, onUnknown: retry, update: {seen: "${{ [output] }}"}, next: review}
              review:
                ask: {prompt: "Good?", choices: [yes, revise]}
                maxVisits: 6
                next: [{if: "output == 'yes'", to: end}, {to: draft}]
            outputs: {seen: "${{ size(vars.seen) }}"}
            """
    ) { run, acts, random in
        start("machine", run, &acts, &random)
        answer(run, "review", ["yes", "revise"], &acts, &random)
        answer(run, "review.2", ["yes", "revise"], &acts, &random)
        control(run, &acts, &random)
    }

    private static let group = Story(
        manifest: """
            kind: Workflow
            name: grouped
            concurrency: {group: one, limit: 1, onLimit: cancelOldest}
            steps:
              - {id: a, run: [work, a], onUnknown: retry}
              - {id: wait, wait: {for: 20s}}
            ---
            kind: Workflow
            name: patient
            concurrency: {group: one, limit: 1, onLimit: queue}
            steps:
              - {id: a, run: [work, a], onUnknown: retry}
            """
    ) { run, acts, random in
        for number in 0..<random.number(2..<4) {
            start(random.chance(60) ? "grouped" : "patient", "\(run)-\(number)", &acts, &random)
        }
    }

    private static let items = Story(
        manifest: """
            kind: Workflow
            name: items
            steps:
              - id: load
                forEach: {items: [a, b, c], maxParallel: 2}
                run: [work, "flaky-${{ item }}"]
                output: text
                onUnknown: retry
                retry: {maxAttempts: 4, initial: 1s}
              - id: both
                steps:
                  - {id: x, run: [work, x], onUnknown: retry}
                  - {id: y, needs: [], ask: {prompt: y, choices: [go]}}
            outputs: {all: "${{ steps.load.output }}"}
            """
    ) { run, acts, random in
        start("items", run, &acts, &random)
        answer(run, "both.y", ["go"], &acts, &random)
        control(run, &acts, &random)
    }

    private static let unknown = Story(
        manifest: """
            kind: Workflow
            name: unknown
            steps:
              - {id: a, run: [work, a]}
              - {id: b, run: [work, b], onUnknown: fail, continueOnError: true}
              - {id: c, run: [work, c], onUnknown: {check: {run: [work, check]}}}
            """
    ) { run, acts, random in
        start("unknown", run, &acts, &random)
        answer(run, "a-unknown", ["retry", "done"], &acts, &random)
        control(run, &acts, &random)
    }

    private static let sends = Story(
        manifest: """
            kind: Workflow
            name: sends
            steps:
              - {id: tell, emit: {type: told, key: k, data: {n: 1}}}
              - {id: hear, wait: {event: {type: told, key: k}}}
              - {id: again, emit: {type: told, key: k, data: {n: 2}}}
              - {id: second, wait: {event: {type: told, match: event.data.n == 2}}}
            outputs: {n: "${{ steps.second.output.data.n }}"}
            """
    ) { run, acts, random in
        start("sends", run, &acts, &random)
        control(run, &acts, &random)
    }
}
