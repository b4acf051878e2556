import Testing
import WaybillCore
import WaybillEngine

@Suite("Loops over items")
struct LoopTests {
    @Test("items are worked on in order, so many at once, and give their outputs in order")
    func order() throws {
        var run = try EngineRun.started(
            graph(
                "{id: l, forEach: {items: [3, 1, 2], maxParallel: 2}, run: [x, '${{ item }}', '${{ index }}'], output: json}"
            ))
        #expect(run.launched == ["l-0", "l-1"])
        #expect(try run.attempt("l-1").intent["argv"] == ["x", "1", "1"])
        try run.end("l-1", printing: "10")
        #expect(run.launched == ["l-2"])
        try run.end("l-2", printing: "20")
        try run.end("l-0", printing: "30")
        #expect(
            run.news() == [
                "RUN_START", "TASK_START l/1 forEach", "TASK_START l-0/1 run", "TASK_START l-1/1 run",
                "TASK_END l-1/1 completed output=10 exitCode=0", "TASK_START l-2/1 run",
                "TASK_END l-2/1 completed output=20 exitCode=0",
                "TASK_END l-0/1 completed output=30 exitCode=0", "TASK_END l/1 completed",
                "RUN_END completed outputs={}",
            ])
        #expect(
            run.items("l") == [
                ["index": 0, "key": "0", "status": "completed", "output": 30],
                ["index": 1, "key": "1", "status": "completed", "output": 10],
                ["index": 2, "key": "2", "status": "completed", "output": 20],
            ])
    }

    @Test("the outputs are a list for later steps, with null for items that have none")
    func outputs() throws {
        let run = try EngineRun.started(
            graph(
                "{id: l, forEach: ['a', 'b'], set: {v: '${{ item + string(index) }}'}}",
                "{id: s, set: {last: '${{ steps.l.output[1].v }}', first: '${{ steps.l.items[0].output.v }}'}}"))
        #expect(run.output("s") == ["first": "a0", "last": "b1"])
    }

    @Test("a map gives its entries in the order of their keys, and `key` names the items")
    func map() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: l, forEach: {items: {b: 2, a: 1}, key: item.key, maxParallel: 1}, \
                set: {v: '${{ item.value }}'}}
                """))
        #expect(
            run.items("l") == [
                ["index": 0, "key": "a", "status": "completed", "output": ["v": 1]],
                ["index": 1, "key": "b", "status": "completed", "output": ["v": 2]],
            ])
        #expect(run.news().contains("TASK_END l-1/1 completed output={\"v\":2}"))
    }

    @Test("a list without items is done at once")
    func empty() throws {
        var run = try EngineRun.started(graph("{id: l, forEach: '${{ [] }}', run: [x]}"))
        #expect(
            run.news() == [
                "RUN_START", "TASK_START l/1 forEach", "TASK_END l/1 completed", "RUN_END completed outputs={}",
            ])
        #expect(run.items("l") == [])
    }

    @Test("what is no list fails the step")
    func noList() throws {
        var run = try EngineRun.started(
            graph("{id: a, set: {n: 1}}", "{id: l, forEach: '${{ steps.a.?output.n }}', run: [x]}"))
        #expect(
            run.news().suffix(2) == [
                "TASK_END l failed expression[l]: forEach.items: expected a list or a map, got integer",
                "RUN_END failed expression[l]: forEach.items: expected a list or a map, got integer",
            ])
    }

    private func failing(_ rule: String) throws -> EngineRun {
        var run = try EngineRun.started(
            graph(
                "{id: l, forEach: {items: [1, 2, 3], maxParallel: 2, onItemFailure: \(rule)}, run: [x]}",
                "{id: after, set: {n: '${{ steps.l.items.map(i, i.status) }}'}}"))
        try run.end("l-0", .exited(1))
        return run
    }

    @Test("with `finish` the other items are done before the step fails")
    func finishing() throws {
        var run = try failing("finish")
        #expect(run.launched == ["l-2"])
        try run.end("l-1")
        try run.end("l-2", .exited(3))
        #expect(
            run.news().suffix(3) == [
                "TASK_END l-2/1 failed exitCode=3 exit[l-2]: exited with code 3",
                "TASK_END l/1 failed exit[l-0]: 2 items failed; the first: exited with code 1",
                "RUN_END failed exit[l-0]: 2 items failed; the first: exited with code 1",
            ])
    }

    @Test("with `stop` no further item begins")
    func stopping() throws {
        var run = try failing("stop")
        #expect(run.launched == [])
        try run.end("l-1")
        #expect(run.state.phase == .failed)
        #expect(run.items("l")?.listValue?.map { $0["status"] ?? .null } == ["failed", "completed", "pending"])
    }

    @Test("with `collect` the step completes, and its items tell which failed")
    func collecting() throws {
        var run = try failing("collect")
        try run.end("l-1")
        try run.end("l-2")
        #expect(run.output("after") == ["n": ["failed", "completed", "completed"]])
        #expect(
            run.items("l")?.listValue?.first == [
                "index": 0, "key": "0", "status": "failed",
                "error": ["kind": "exit", "message": "exited with code 1", "step": "l-0", "exitCode": 1],
            ])
    }

    @Test("retries, conditions and catches belong to each item")
    func modifiers() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: l, forEach: {items: [1, 2]}, run: [x], output: json, retry: {maxAttempts: 2, initial: 10s}, \
                verify: [output > index], catch: [{if: "error.kind == 'verification'", output: '${{ item * 100 }}'}]}
                """))
        _ = run.news()
        try run.end("l-0", .exited(1))
        try run.end("l-1", printing: "0")
        #expect(
            run.news() == [
                "TASK_RETRY l-0/2 exit", "TASK_WAITING l-0/1 l-0-retry retry until 2026-11-20T10:00:11.000000Z",
                "VERIFICATION l-1 verify[0] (output > index) is false",
                "TASK_END l-1/1 completed output=200 exitCode=0",
            ])
        try run.tick(after: .seconds(10))
        #expect(run.launched == ["l-0"])
        try run.end("l-0", printing: "5")
        #expect(run.output("l") == nil)
        #expect(run.items("l")?.listValue?.compactMap { $0["output"] } == [5, 200])
    }

    @Test("a group can be the body: its steps have the item in scope, and their questions keys of their own")
    func groups() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: load, forEach: {items: [u, v], maxParallel: 2}, steps: [\
                {id: check, run: [x, '${{ item }}'], output: json}, \
                {id: triage, if: steps.check.output > 0, ask: {prompt: 'Fix ${{ item }} (${{ index }})?', choices: [fix, drop]}}]}
                """))
        #expect(run.launched == ["load-0.check", "load-1.check"])
        #expect(run.state.disposition(ofKey: "load-1.triage") == .early)
        #expect(run.state.disposition(ofKey: "load-2.triage") == .unknown)
        try run.end("load-1.check", printing: "3")
        #expect(run.state.waits["load-1.triage"]?.prompt == "Fix v (1)?")
        try run.drop("load-1.triage.txt", "drop")
        #expect(run.state.disposition(ofKey: "load-1.triage") == .closed)
        try run.end("load-0.check", printing: "0")
        #expect(
            run.items("load") == [
                ["index": 0, "key": "0", "status": "completed", "output": ["check": 0]],
                ["index": 1, "key": "1", "status": "completed", "output": ["check": 3, "triage": "drop"]],
            ])
        #expect(run.state.phase == .completed)
    }

    @Test("single questions are answered by item")
    func questions() throws {
        var run = try EngineRun.started(
            graph("{id: load, forEach: {items: [1, 2, 3], maxParallel: 2}, ask: {prompt: 'Take ${{ item }}?'}}"))
        #expect(run.state.waits.keys.sorted() == ["load-0", "load-1"])
        #expect(run.state.disposition(ofKey: "load-2") == .early)
        #expect(run.state.disposition(ofKey: "load-3") == .unknown)
        try run.drop("load-1.json", "\"b\"")
        #expect(run.state.disposition(ofKey: "load-1") == .closed)
        try run.drop("load-0.json", "\"a\"")
        try run.drop("load-2.json", "\"c\"")
        #expect(run.items("load")?.listValue?.compactMap { $0["output"] } == ["a", "b", "c"])
    }

    @Test("loops nest, and the inner item is the innermost one's")
    func nested() throws {
        var run = try EngineRun.started(
            graph(
                """
                {id: o, forEach: [[1, 2], [3]], steps: [{id: all, set: {list: '${{ item }}'}}, \
                {id: i, forEach: '${{ steps.all.output.list }}', set: {v: '${{ item * 10 + index }}'}}]}
                """, "{id: s, set: {v: '${{ steps.o.output[0].i[1].v }}'}}"))
        #expect(run.output("s") == ["v": 21])
        #expect(run.news().contains("TASK_END o-1.i-0/1 completed output={\"v\":30}"))
    }

    @Test("a failure elsewhere lets items that run end and count, and begins no others")
    func failureElsewhere() throws {
        var run = try EngineRun.started(
            graph("{id: l, forEach: {items: [1, 2, 3], maxParallel: 1}, run: [x]}", "{id: b, needs: [], run: [y]}"))
        try run.end("b", .exited(1))
        _ = run.news()
        try run.end("l-0")
        #expect(
            run.news() == [
                "TASK_END l-0/1 completed exitCode=0",
                "TASK_END l/1 cancelled cancelled[l]: nothing new starts any more",
                "RUN_END failed exit[b]: exited with code 1",
            ])
        #expect(run.items("l")?.listValue?.map { $0["status"] ?? .null } == nil)
    }

    @Test("a loop whose last items end after a failure elsewhere has done its work")
    func lastItems() throws {
        var run = try EngineRun.started(
            graph("{id: l, forEach: [1, 2], run: [x]}", "{id: b, needs: [], run: [y]}"))
        try run.end("b", .exited(1))
        try run.end("l-0")
        try run.end("l-1")
        #expect(run.status("l") == .completed)
        #expect(run.state.phase == .failed)
    }

    @Test("a pause lets items end and begins no others until the resume; a cancellation ends them")
    func control() throws {
        var run = try EngineRun.started(graph("{id: l, forEach: {items: [1, 2, 3], maxParallel: 1}, run: [x]}"))
        try run.drop("@pause.json")
        try run.end("l-0")
        #expect(run.state.status == .paused)
        #expect(run.launched == [])
        try run.drop("@resume.json")
        #expect(run.launched == ["l-1"])
        try run.drop("@cancel.json")
        try run.end("l-1", .stopped)
        #expect(run.state.phase == .cancelled)
        #expect(run.status("l") == .cancelled)
        #expect(run.step("l-2") == nil)
    }

    @Test("`finish` in an item completes the run")
    func finish() throws {
        var run = try EngineRun.started(
            graph(
                "{id: l, forEach: {items: [1, 2]}, steps: [{id: f, if: item == 2, finish: {outputs: {n: '${{ item }}'}}}]}",
                also: "outputs: {n: 0}\n"))
        #expect(run.news().last == "RUN_END completed outputs={\"n\":2}")
    }

    @Test(
        "a key that cannot be evaluated, or that two items share, fails the step before any item begins",
        arguments: [
            ("item.zz", "forEach.key: "), ("item.k", "forEach.key: the items 0 and 2 have the same key 'a'"),
        ])
    func badKeys(key: String, message: String) throws {
        let run = try EngineRun.started(
            graph(
                "{id: l, forEach: {items: '${{ inputs.list }}', key: \(key)}, set: {x: 1}}",
                also: "inputs: {list: {type: array}}\n"),
            inputs: ["list": [["k": "a"], ["k": "b"], ["k": "a"]]])
        #expect(run.state.error?.kind == .expression)
        #expect(run.state.error?.message.hasPrefix(message) == true)
        #expect(run.entries(.taskStart).isEmpty)
    }

    @Test("an item's key is said once: when it begins, or when it ends without having begun")
    func keys() throws {
        var run = try EngineRun.started(
            graph("{id: l, forEach: {items: [a, b], key: 'item + string(index)'}, run: ['${{ [item][index + 5] }}']}"))
        #expect(run.state.phase == .failed)
        #expect(run.entries(.taskEnd).filter { $0.step == "l-0" }.map { $0.data["key"] } == ["a0"])
        run = try EngineRun.started(
            graph("{id: l, forEach: {items: [a, b], key: 'item + string(index)'}, run: [x]}"))
        try run.end("l-0")
        try run.end("l-1")
        #expect(run.entries(.taskStart).compactMap { $0.data["key"] } == ["a0", "b1"])
        #expect(run.entries(.taskEnd).compactMap { $0.data["key"] } == [])
        #expect(run.items("l")?.listValue?.map { $0["key"] } == ["a0", "b1"])
    }
}

extension EngineRun {
    func items(_ id: String) -> Value? { step(id)?.items.flatMap(value) }
}
