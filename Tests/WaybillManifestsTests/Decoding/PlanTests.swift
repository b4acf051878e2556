import Testing
import WaybillCore
import WaybillManifests

@Suite("Plans of workflows")
struct PlanTests {
    private func plan(_ text: String) throws -> Plan {
        let catalog = load(["workflows/w.yaml": text])
        #expect(catalog.diagnostics == [])
        return try #require(catalog.workflows["w"]).plan
    }

    @Test("a step without needs follows the one above, and one with empty needs starts at once")
    func needs() throws {
        let plan = try plan(
            graph(
                "{id: a, run: [x]}", "{id: b, run: [x]}", "{id: c, needs: [], run: [x]}",
                "{id: d, needs: [a, {step: c, when: failed}], run: [x]}", "{id: e, needs: {step: a}, run: [x]}"
            ).replacing("needs: {step: a}", with: "needs: a"))
        #expect(plan.shape == .graph)
        #expect(
            plan.steps.map(\.needs) == [
                [], [Need(step: 0, when: .completed)], [],
                [Need(step: 0, when: .completed), Need(step: 2, when: .failed, isExact: true)],
                [Need(step: 0, when: .completed)],
            ])
        #expect(plan.dependants == [[1, 3, 4], [], [3], [], []])
    }

    @Test(
        "a mistake in needs is named with the way out",
        arguments: [
            (
                ["{id: a, needs: [b], run: [x]}", "{id: bb, run: [x]}"],
                ["4:21 `needs` names the step `b`, which does not exist (did you mean 'bb'?)"]
            ),
            (
                ["{id: a, needs: [a], run: [x]}"],
                ["4:20 `needs` goes round in a circle: `a` needs `a` (remove one of these needs)"]
            ),
            (
                ["{id: a, needs: [c], run: [x]}", "{id: b, run: [x]}", "{id: c, run: [x]}"],
                ["4:20 `needs` goes round in a circle: `a` needs `c` needs `b` needs `a` (remove one of these needs)"]
            ),
            (
                [
                    "{id: a, needs: [b], run: [x]}", "{id: b, run: [x]}", "{id: c, needs: [d], run: [x]}",
                    "{id: d, run: [x]}",
                ],
                [
                    "4:20 `needs` goes round in a circle: `a` needs `b` needs `a` (remove one of these needs)",
                    "6:20 `needs` goes round in a circle: `c` needs `d` needs `c` (remove one of these needs)",
                ]
            ),
            (
                ["{id: a, run: [x]}", "{id: b, needs: [a, a], run: [x]}"],
                ["5:24 `needs` names `a` twice (remove one of the two)"]
            ),
            (
                ["{id: a, run: [x]}", "{id: a, run: [x]}"],
                ["5:10 the id `a` is taken in line 4 (rename one of the two)"]
            ),
            (
                ["{id: a, needs: [{when: failed}], run: [x]}"],
                [
                    "4:21 an entry of `needs` needs `step` (expected an id of letters, digits and underscores that begins with a letter)"
                ]
            ),
            (
                ["{id: a, needs: [{step: a1, when: done}], run: [x]}", "{id: a1, needs: [], run: [x]}"],
                ["4:38 `when` expects `completed`, `failed` or `ended`, got `done`"]
            ),
        ])
    func needMistakes(steps: [String], expected: [String]) {
        #expect(diagnose("kind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined()) == expected)
    }

    @Test("a machine begins with its first state unless `start` says otherwise")
    func machines() throws {
        let states = [
            "draft: {run: [x], next: review}",
            "review: {run: [x], maxVisits: 3, next: [{if: 'true', to: draft}, {to: end}]}",
        ]
        let first = try plan(machine(states[0], states[1]))
        #expect(first.shape == .machine(start: 0))
        #expect(first.steps[1].maxVisits == 3)
        #expect(first.steps[0].maxVisits == 100)
        #expect(first.steps.map { $0.next.map(\.to) } == [[1], [0, nil]])
        #expect(first.steps[1].next.map { $0.condition != nil } == [true, false])
        let second = try plan(machine(states[0], states[1]) + "start: review\n")
        #expect(second.shape == .machine(start: 1))
    }

    @Test(
        "a mistake in the ways of a machine is named with the way out",
        arguments: [
            (["a: {set: {x: 1}}"], ["4:3 the state `a` needs `next` (write `next: end` if it is the last one)"]),
            (["a: {fail: {message: x}}"], []),
            (["a: {finish: {}, next: end}"], ["4:19 nothing comes after `finish`, which ends the run (remove `next`)"]),
            (
                ["a: {set: {x: 1}, next: ed}"],
                ["4:26 `next` names the state `ed`, which does not exist (did you mean 'end'?)"]
            ),
            (
                ["a: {set: {x: 1}, next: end}", "b: {set: {x: 1}, next: a}"],
                ["5:3 the state `b` is never reached (name it in a `next` of a state that is, or remove it)"]
            ),
            (
                ["a: {set: {x: 1}, next: [{if: 'true', to: end}]}"],
                [
                    "4:27 the last entry of `next` has a condition, so the run could be stuck (add an entry without `if`, such as `{to: end}`)"
                ]
            ),
            (
                ["a: {set: {x: 1}, next: [{to: a}, {to: end}]}"],
                [
                    "4:36 this entry of `next` is never reached: the one before has no condition (give the entry before an `if`, or remove this one)"
                ]
            ),
            (
                ["end: {set: {x: 1}, next: end}"],
                ["4:3 `end` completes the run and cannot name a state (rename the state)"]
            ),
            (
                ["a: {set: {x: 1}, needs: [], next: end}"],
                ["4:20 `needs` belongs to `steps`; in `states` the order follows from `next`"]
            ),
            (["a: {id: b, set: {x: 1}, next: end}"], ["4:7 `id` is not needed: the state's name is its id"]),
            (
                ["a-b: {set: {x: 1}, next: end}"],
                [
                    "4:3 a name in `states` must be an id of letters, digits and underscores that begins with a letter, got `a-b` (write `a_b`)"
                ]
            ),
        ])
    func machineMistakes(states: [String], expected: [String]) {
        #expect(diagnose("kind: Workflow\nname: w\nstates:\n" + states.map { "  \($0)\n" }.joined()) == expected)
    }

    @Test("`start` must name a state")
    func start() {
        #expect(
            diagnose(machine("draft: {set: {x: 1}, next: end}") + "start: drat\n") == [
                "5:8 `start` names the state `drat`, which does not exist (did you mean 'draft'?)"
            ])
    }

    @Test("a graph and a machine of thousands of steps are read without a deep stack")
    func large() throws {
        var steps = "kind: Workflow\nname: w\nsteps:\n"
        for index in 0..<3_000 { steps += "  - {id: s\(index), set: {x: 1}}\n" }
        #expect(try plan(steps).steps.count == 3_000)
        var states = "kind: Workflow\nname: w\nstates:\n"
        for index in 0..<3_000 {
            states += "  s\(index): {set: {x: 1}, next: \(index == 2_999 ? "end" : "s\(index + 1)")}\n"
        }
        #expect(try plan(states).steps.count == 3_000)
    }
}
