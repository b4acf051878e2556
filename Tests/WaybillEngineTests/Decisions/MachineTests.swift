import Testing
import WaybillCore
import WaybillEngine

@Suite("State machines")
struct MachineTests {
    private let review = """
        kind: Workflow
        name: w
        vars: {notes: {default: [], merge: append}, last: {default: none}}
        states:
          draft: {run: [draft], output: text, update: {notes: '${{ [output] }}', last: '${{ output }}'}, next: review}
          review:
            ask: {prompt: 'Good? (${{ visit }})', choices: [yes, revise, drop]}
            next: [{if: "output == 'yes'", to: publish}, {if: "output == 'revise'", to: draft}, {to: end}]
          publish: {set: {notes: '${{ vars.notes }}'}, next: end}
        outputs: {last: '${{ vars.last }}'}

        """

    @Test("a machine goes round as answers say, and every visit has its own wait key")
    func cycle() throws {
        var run = try EngineRun.started(review)
        try run.end("draft", printing: "one\n")
        #expect(
            run.news() == [
                "RUN_START", "TASK_START draft/1 run",
                "TASK_END draft/1 completed output=\"one\" exitCode=0 update={\"last\":\"one\",\"notes\":[\"one\"]}",
                "BRANCH_TAKEN draft to review", "TASK_START review/1 ask", "TASK_WAITING review/1 review user",
            ])
        try run.drop("review.txt", "revise\n")
        #expect(
            run.news() == [
                "ANSWER_ACCEPTED review review by bob", "TASK_RESUMED review/1 review by answer",
                "TASK_END review/1 completed output=\"revise\"", "BRANCH_TAKEN review to draft",
                "TASK_START draft.2/1 run",
            ])
        #expect(run.state.disposition(ofKey: "review") == .closed)
        #expect(run.state.disposition(ofKey: "review.2") == .early)
        #expect(run.state.disposition(ofKey: "review.101") == .unknown)
        #expect(run.state.disposition(ofKey: "draft.3") == .unknown)
        try run.end("draft", printing: "two")
        #expect(run.news().last == "TASK_WAITING review.2/1 review.2 user")
        #expect(run.state.waits["review.2"]?.prompt == "Good? (2)")
        try run.drop("review.2.json", "\"yes\"")
        #expect(
            run.news().suffix(4) == [
                "TASK_START publish/1 set", "TASK_END publish/1 completed output={\"notes\":[\"one\",\"two\"]}",
                "BRANCH_TAKEN publish to end", "RUN_END completed outputs={\"last\":\"two\"}",
            ])
        #expect(run.state.variables == ["notes": ["one", "two"], "last": "two"])
    }

    @Test("a branch records the condition and what it saw")
    func branch() throws {
        var run = try EngineRun.started(review)
        try run.end("draft", printing: "one")
        try run.drop("review.txt", "drop")
        let branch = try #require(run.entries(.branchTaken).last)
        #expect(branch.data == ["to": "end"])
        try #require(run.state.status == .completed)
        var other = try EngineRun.started(review)
        try other.end("draft", printing: "one")
        try other.drop("review.txt", "yes")
        #expect(
            other.entries(.branchTaken)[1].data == [
                "to": "publish", "expression": "output == 'yes'", "values": ["output": "yes"],
            ])
    }

    @Test("the visit that is one too many fails the run")
    func maxVisits() throws {
        var run = try EngineRun.started(machine("a: {set: {x: 1}, maxVisits: 3, next: a}"))
        #expect(
            run.news().suffix(3) == [
                "BRANCH_TAKEN a.3 to a", "TASK_END a.4 failed limit[a]: a was visited 3 times, which is its maxVisits",
                "RUN_END failed limit[a]: a was visited 3 times, which is its maxVisits",
            ])
    }

    @Test("a state that was visited too often may be passed over once")
    func passedOver() throws {
        let run = try EngineRun.started(
            machine(
                "a: {set: {x: 1}, maxVisits: 3, continueOnError: true, next: [{if: error != null, to: b}, {to: a}]}",
                "b: {set: {x: 1}, next: end}"))
        #expect(run.step("a")?.visit == 4)
        #expect(run.state.status == .completed)
    }

    @Test("continueOnError does not let a machine go round for ever")
    func maxVisitsIsFinal() throws {
        let run = try EngineRun.started(machine("a: {set: {x: 1}, maxVisits: 3, continueOnError: true, next: a}"))
        #expect(run.state.status == .failed)
        #expect(run.state.error?.kind == .limit)
    }

    @Test("a skipped state goes on to its next, and its visit counts")
    func skippedState() throws {
        var run = try EngineRun.started(
            machine("a: {if: false, run: [a], next: b}", "b: {set: {x: '${{ steps.a.status }}'}, next: end}"))
        #expect(
            run.news() == [
                "RUN_START", "GUARD_EVAL a (false) is false", "TASK_END a skipped (if)", "BRANCH_TAKEN a to b",
                "TASK_START b/1 set", "TASK_END b/1 completed output={\"x\":\"skipped\"}", "BRANCH_TAKEN b to end",
                "RUN_END completed outputs={}",
            ])
        let endless = try EngineRun.started(machine("a: {if: false, run: [a], maxVisits: 5, next: a}"))
        #expect(endless.state.error?.kind == .limit)
        #expect(endless.step("a")?.visit == 6)
    }

    @Test("a skipped visit shows nothing of the visit before")
    func skippedAfterVisit() throws {
        var run = try EngineRun.started(
            machine(
                "a: {if: 'visit == 1', ask: {prompt: Go?}, next: b}",
                "b: {set: {x: 1}, next: [{if: 'visit < 2', to: a}, {to: end}]}"))
        try run.drop("a.json", "7")
        #expect(run.state.status == .completed)
        let step = try #require(run.step("a"))
        #expect(step.status == .skipped)
        #expect(step.visit == 2)
        #expect(step.attempt == 0)
        #expect(step.answers == [])
        #expect(step.startedAt == nil)
    }

    @Test("a failed state fails the run; with continueOnError its next is taken")
    func failedState() throws {
        var plain = try EngineRun.started(machine("a: {run: [a], next: b}", "b: {set: {x: 1}, next: end}"))
        try plain.end("a", .exited(1))
        #expect(plain.news().last == "RUN_END failed exit[a]: exited with code 1")
        var passed = try EngineRun.started(
            machine(
                "a: {run: [a], continueOnError: true, next: [{if: \"error != null\", to: b}, {to: end}]}",
                "b: {set: {x: 1}, next: end}"))
        try passed.end("a", .exited(1))
        #expect(
            passed.news().suffix(6) == [
                "TASK_END a/1 failed exitCode=1 handled=true exit[a]: exited with code 1", "BRANCH_TAKEN a to b",
                "TASK_START b/1 set", "TASK_END b/1 completed output={\"x\":1}", "BRANCH_TAKEN b to end",
                "RUN_END completed outputs={}",
            ])
    }

    @Test("a `next` that cannot be evaluated fails the run, also with continueOnError", arguments: [false, true])
    func brokenNext(continues: Bool) throws {
        let run = try EngineRun.started(
            machine(
                "a: {set: {x: []}, continueOnError: \(continues), next: [{if: 'steps.a.output.x[0] == 1', to: b}, {to: end}]}",
                "b: {set: {x: 1}, next: end}"))
        #expect(run.state.status == .failed)
        #expect(run.state.error?.kind == .expression)
        #expect(run.state.error?.message.hasPrefix("next: ") == true)
        #expect(run.status("a") == .failed)
    }

    @Test("an update that cannot be evaluated, or is too large, rejects the result and changes nothing")
    func badUpdates() throws {
        let broken = try EngineRun.started(
            machine(
                "a: {set: {x: []}, update: {v: '${{ output.x[0] }}'}, next: end}", also: "vars: {v: {default: 1}}\n"))
        #expect(broken.state.error?.kind == .expression)
        #expect(broken.state.variables == ["v": 1])
        var large = try EngineRun.started(
            machine(
                "a: {run: [a], output: text, update: {v: '${{ output }}'}, next: end}",
                also: "vars: {v: {default: ''}}\n"))
        try large.end("a", printing: String(repeating: "x", count: 70_000))
        #expect(large.state.error?.kind == .limit)
        #expect(large.state.variables == ["v": ""])
    }

    @Test("`finish` ends a machine, wherever it stands")
    func finish() throws {
        let run = try EngineRun.started(
            machine("a: {set: {x: 1}, next: b}", "b: {finish: {outputs: {y: '${{ steps.a.output.x }}'}}}"))
        #expect(run.outputs == ["y": 1])
    }

    @Test("`next` sees `vars` as the state's own `update` leaves them")
    func updatedVariables() throws {
        let run = try EngineRun.started(
            machine(
                """
                count: {set: {n: '${{ vars.n + 1 }}'}, update: {n: '${{ output.n }}', seen: '${{ [output.n] }}'}, \
                next: [{if: 'vars.n == 3 && size(vars.seen) == 3', to: end}, {to: count}]}
                """, also: "vars: {n: {default: 0}, seen: {default: [], merge: append}}\n"))
        #expect(run.state.phase == .completed)
        #expect(run.step("count")?.visit == 3)
        #expect(
            run.entries(.branchTaken).last?.data["values"] == ["vars.n": 3, "vars.seen": [1, 2, 3]])
    }
}
