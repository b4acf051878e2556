import WaybillCore
import WaybillTestKit

/// Workflows with a bit of everything, valid by construction.
struct RandomWorkflow {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed) }

    mutating func yaml() -> String {
        let head = "kind: Workflow\nname: w\nvars: {log: {default: [], merge: append}, last: {default: 0}}\n"
        let body = random.chance(60) ? graph() : machine()
        var tail = "outputs: {log: '${{ vars.log }}'}\n"
        if random.chance(20) { tail += "checkpoint: {every: \(Int.random(in: 1...3, using: &random))}\n" }
        if random.chance(20) { tail += "goal: {summary: s, acceptance: ['size(outputs.log) < 4']}\n" }
        if random.chance(40) {
            let mode = random.pick(["warn", "audit", "warn", "enforce"])
            let deny = random.pick(["step.action == \"snapshot\"", "step.argv[1] == \"never\"", "run.id == \"never\""])
            tail += "---\nkind: Policy\nname: p\nmode: \(mode)\nrules: [{id: r, at: step.before, deny: '\(deny)'}]\n"
        }
        if random.chance(30) {
            let match = random.pick(["", "match: {steps: {actions: [run]}}\n", "match: {steps: {ids: [s0, s1]}}\n"])
            let timeout = random.pick(["", "{timeout: 3m}", "{prompt: 'Run ${{ step.id }}?'}"])
            let rules = [
                "{id: ok, at: step.before, require: {approval: \(timeout.isEmpty ? "{}" : timeout)}}",
                "{id: also, at: step.before, if: 'step.action == \"run\"', require: {approval: {}}}",
                "{id: fits, at: step.after, require: {verification: ['output != 7']}}",
                "{id: polite, at: answer, deny: 'answer == \"no\"'}",
                "{id: first, at: run.admit, require: {approval: \(timeout.isEmpty ? "{}" : "{timeout: 3m}")}}",
            ].filter { _ in random.chance(60) }
            if !rules.isEmpty {
                tail += "---\nkind: Policy\nname: q\n\(match)rules: [\(rules.joined(separator: ", "))]\n"
            }
        }
        if random.chance(20) {
            tail += "---\nkind: Policy\nname: z\nmode: \(random.pick(["warn", "enforce"]))\n"
            tail += "rules: [{id: cap, limit: {steps: \(Int.random(in: 2...6, using: &random)), elapsed: 40m}}]\n"
        } else if random.chance(30) {
            let steps = Int.random(in: 4...40, using: &random)
            tail = "limits: {steps: \(steps), cost: 7.3, active: 90s, retries: 9}\n" + tail
        }
        tail += "---\nkind: Settings\nsigners: s\nsecrets: {t: {file: /t}}\n"
        if random.chance(20) { tail += "control: {from: {users: [bob, carol]}}\n" }
        let limits = random.pick(["", "", "limits: {steps: 2, cost: 0.7}\n"])
        let child = "---\nkind: Workflow\nname: k\n\(limits)steps: [{id: s, run: [s]}]\n"
        return head + body + undoing() + tail + child
    }

    /// What a run may be started with.
    mutating func retryOverride() -> Object {
        random.chance(25)
            ? ["maxAttempts": .int(Int64.random(in: 1...3, using: &random)), "on": ["exit", "timeout"]] : [:]
    }

    // MARK: - Failing

    /// What follows failures and pauses.
    private mutating func undoing() -> String {
        var text = ""
        if random.chance(30) { text += "failure: \(random.pick(["hold", "stop", "compensate"]))\n" }
        if random.chance(30) { text += "onPause: rollback\n" }
        if random.chance(30) { text += "onFailure: [{id: f0, run: [tool]}, {id: f1, wait: {for: 2m}}]\n" }
        if random.chance(30) {
            text += "finally: [{id: z0, needs: [], run: [tool]}, {id: z1, needs: [], set: {n: 1}}]\n"
        }
        return text
    }

    /// What undoes a step.
    private mutating func compensation() -> String {
        var members = ["run: [undo, '${{ visit }}', '${{ vars.last }}']"]
        if random.chance(30) { members.append("on: started") }
        if random.chance(30) { members.append("retry: {maxAttempts: 2, initial: 1m}") }
        if random.chance(40) {
            members.append("onUnknown: \(random.pick(["retry", "fail", "ask", "{check: {run: [look]}}"]))")
        }
        return "compensate: {\(members.joined(separator: ", "))}"
    }

    // MARK: - Graphs

    private mutating func graph() -> String {
        let count = Int.random(in: 2...9, using: &random)
        var text = "steps:\n"
        for index in 0..<count {
            var needs: [Int] = []
            for earlier in 0..<index where random.chance(30) { needs.append(earlier) }
            let shown = needs.map { need in
                random.chance(75)
                    ? "s\(need)" : "{step: s\(need), when: \(random.pick(["completed", "failed", "ended"]))}"
            }
            var members = ["id: s\(index)", "needs: [\(shown.joined(separator: ", "))]"]
            members += random.chance(35) ? container() : action(reading: needs.last, isLast: index == count - 1)
            members += modifiers(reading: needs.last)
            text += "  - {\(members.joined(separator: ", "))}\n"
        }
        return text
    }

    /// A group, a loop over items or groups, or a step that is visited again.
    private mutating func container() -> [String] {
        let work = random.pick([
            ["run: [tool]", "output: json", retry()],
            [
                "run: [tool]", "output: json", "verify: ['output != 7']",
                "compensate: {run: [undo, '${{ vars.last }}']}",
                "retry: {maxAttempts: 2, initial: 30s, on: [verification]}",
            ], ["run: [tool]", "onUnknown: {check: {run: [look]}}", retry()],
            ["run: [tool]", "secrets: {T: t}", "retry: {maxAttempts: 2, initial: 1s, on: [secret]}"],
            ["ask: {prompt: 'Go?', timeout: 3m, default: 7}"], ["set: {v: '${{ visit }}'}"],
            ["first: {a: {for: 2m}, b: {ask: {prompt: 'Go?'}}}"], ["wait: {for: 1m}"],
            ["wait: {job: {handle: h, poll: {run: [look]}, every: 1m}}", "output: json", "timeout: 4m"],
            ["call: {workflow: k}", retry()],
        ])
        let rest = random.pick(["", ", continueOnError: true", ", needs: []"])
        let last = random.pick(["set: {n: 1}", "run: [tool], output: {format: json, sensitive: true}"])
        let group = [
            "steps: [{id: a, \(work.joined(separator: ", "))}, {id: b, run: [tool], \(retry())\(rest)}, {id: c, \(last)}]"
        ]
        let rule = random.pick(["finish", "stop", "collect"])
        let loop =
            "forEach: {items: [x, y, z]\(random.pick(["", ", key: item", ", key: 'item + string(index)'"])), maxParallel: \(Int.random(in: 1...3, using: &random)), onItemFailure: \(rule)}"
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return group
        case 1: return group + ["retry: {maxAttempts: 2, initial: 30s}"]
        case 2: return [loop] + work
        case 3: return [loop] + group
        case 4: return ["while: visit < 4"] + work
        default: return ["while: visit < 3"] + group
        }
    }

    private mutating func retry() -> String {
        "retry: {maxAttempts: \(Int.random(in: 1...3, using: &random)), initial: \(random.pick(["0s", "40s"]))}"
    }

    // MARK: - Machines

    private mutating func machine() -> String {
        let count = Int.random(in: 1...4, using: &random)
        var text = "states:\n"
        for index in 0..<count {
            let onward = index == count - 1 ? "end" : "s\(index + 1)"
            let back = "s\(Int.random(in: 0...index, using: &random))"
            var members = action(reading: nil, isLast: false) + modifiers(reading: nil)
            members.append("maxVisits: \(Int.random(in: 2...5, using: &random))")
            members.append(
                "next: [{if: '\(random.pick(["visit", "vars.last"])) < \(Int.random(in: 1...4, using: &random))', to: \(back)}, {to: \(onward)}]"
            )
            text += "  s\(index): {\(members.joined(separator: ", "))}\n"
        }
        return text
    }

    // MARK: - Steps

    private mutating func action(reading: Int?, isLast: Bool) -> [String] {
        let seen = reading.map { "${{ steps.s\($0).status }}" } ?? "${{ visit }}"
        switch Int.random(in: 0..<(isLast ? 12 : 10), using: &random) {
        case 0..<4:
            var members = ["run: [tool, '\(seen)']"]
            if random.chance(50) { members.append("output: \(random.pick(["json", "text", "lines"]))") }
            if random.chance(40) { members.append("onUnknown: \(random.pick(["retry", "fail", "ask"]))") }
            if random.chance(50) { members.append(compensation()) }
            if random.chance(15) { members.append("pivot: true") }
            return members
        case 4: return ["call: {workflow: k}"]
        case 5: return ["set: {seen: '\(seen)', d: 1.0, list: [1, '${{ visit }}']}"]
        case 6 where random.chance(40):
            let rule = random.pick([
                "users: [bob, carol]", "users: [bob, carol, dave], quorum: 2", "quorum: 2, notStarter: true",
                "signers: [alice], users: [bob], quorum: 2", "signers: [alice]",
            ])
            return ["ask: {prompt: 'Go \(seen)?', approval: true, from: {\(rule)}, timeout: 7m}"]
        case 6..<8:
            let reply = random.pick(["", ", choices: ['yes', 'no']", ", approval: true", ", schema: {type: integer}"])
            guard random.chance(50) else { return ["ask: {prompt: 'Go \(seen)?'\(reply)}"] }
            let answers = ["": "1", ", choices: ['yes', 'no']": "'no'", ", approval: true": "{approve: false}"]
            let byDefault = random.chance(60) ? ", default: \(answers[reply] ?? "7")" : ""
            return [
                "ask: {prompt: 'Go \(seen)?'\(reply), timeout: \(Int.random(in: 1...9, using: &random))m\(byDefault)}"
            ]
        case 8: return ["wait: {for: \(Int.random(in: 0...9, using: &random))m}"]
        case 9: return ["snapshot: {name: mark, tags: [t]}"]
        case 10: return ["fail: {message: 'because \(seen)'}"]
        default: return ["finish: {outputs: {early: '\(seen)'}}"]
        }
    }

    private mutating func modifiers(reading: Int?) -> [String] {
        var members: [String] = []
        if random.chance(20) {
            let condition = reading.map { "steps.s\($0).status == \"completed\"" } ?? "visit != 2"
            members.append("if: '\(condition)'")
        }
        if random.chance(25) { members.append("continueOnError: true") }
        if random.chance(30) { members.append("update: {log: '${{ [visit] }}', last: '${{ visit }}'}") }
        return members
    }
}
