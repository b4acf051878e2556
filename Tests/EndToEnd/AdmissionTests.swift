import Foundation
import Testing
import WaybillCore

/// What keeps a run from beginning: policies, its concurrency group, the budgets of the run that calls it.
@Suite("Which runs may begin, and when", .serialized)
struct AdmissionTests {
    private static let guarded = """
        kind: Workflow
        name: w
        inputs: {n: {type: integer, default: 1}}
        steps: [{id: make, run: [touch, made]}]
        ---
        kind: Policy
        name: gate
        match: {workflows: {names: [w]}}
        rules:
          - {id: few, at: run.admit, deny: inputs.n > 100, message: "${{ inputs.n }} are too many"}
          - {id: big, at: run.admit, if: inputs.n > 10, require: {approval: {prompt: "Run ${{ inputs.n }}?"}}}
        ---
        kind: Test
        name: gate-test
        workflow: w
        cases:
          - {name: approved, inputs: {n: 11}, answers: {admit-big: yes}, expect: {status: completed}}
          - {name: refused, inputs: {n: 11}, answers: {admit-big: no}, expect: {status: failed, steps: {make: pending}}}
          - {name: asked, inputs: {n: 11}, expect: {status: waiting, waiting: [admit-big]}}
          - {name: denied, inputs: {n: 101}, expect: {status: failed}}

        """

    @Test("a run waits for the approval that a policy wants of it, and begins with it")
    func approved() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": Self.guarded])
        try await tree.expect(0, "test")
        try await tree.expect(3, "run", "w", "--id", "r1", "--input", "n=11")
        #expect(tree.status("r1") == "waiting")
        let wait = "runs/r1/waits/admit-big.json"
        #expect(tree.member(wait, "reason") == .string("policy"))
        #expect(tree.member(wait, "step") == Value.null)
        #expect(try await tree.expect(0, "waits", "r1").output.contains("Run 11?"))
        #expect(try await tree.expect(0, "show", "r1").output.contains("admit-big"))
        try FileManager.default.removeItem(at: tree[wait])
        try await tree.withDaemon { _ in
            try await tree.until("the wait is there again", watching: "r1") { tree.exists(wait) }
            #expect(!tree.exists("made"))
            try tree.drop("yes", at: "runs/r1/inbox/admit-big.txt")
            try await tree.untilStatus("r1", "completed")
        }
        #expect(tree.exists("made"))
        try await tree.expect(0, "verify", "r1", "--deep")
    }

    @Test("a run that nobody approves has failed by `policy`, and nothing of it ran")
    func refused() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": Self.guarded])
        try await tree.expect(3, "run", "w", "--id", "r1", "--input", "n=11")
        _ = try await tree.waybill("reject", "r1", "admit-big")
        #expect(tree.status("r1") == "failed")
        #expect(tree.member("runs/r1/run.json", "error", "kind") == .string("policy"))
        #expect(tree.member("runs/r1/run.json", "compensation") == Value.null)
        #expect(try tree.count("TASK_START", of: "r1") == 0)
        #expect(!tree.exists("made"))
        try await tree.expect(0, "verify", "r1", "--deep")
    }

    // MARK: - Sub-runs

    private func calls(_ called: String) -> String {
        "\n---\nkind: Workflow\nname: caller\ninputs: {n: {type: integer, default: 1}}\n"
            + "steps: [{id: c, call: {workflow: \(called), with: {n: '${{ inputs.n }}'}}}]\n"
    }

    @Test("a sub-run that a policy denies is never made, and its call fails with the rule's message")
    func deniedCall() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": Self.guarded + calls("w")])
        try await tree.expect(1, "run", "caller", "--id", "r1", "--input", "n=101")
        #expect(tree.member("runs/r1/run.json", "error", "kind") == .string("policy"))
        #expect(tree.member("runs/r1/run.json", "error", "message") == .string("gate/few: 101 are too many"))
        #expect(!tree.names(in: "runs").contains { $0.hasPrefix("w-") })
        try await tree.expect(3, "run", "caller", "--id", "r2", "--input", "n=11")
        let child = try #require(tree.names(in: "runs").first { $0.hasPrefix("w-") })
        #expect(tree.status(child) == "waiting")
        try await tree.expect(0, "approve", child, "admit-big")
        #expect(tree.status("r2") == "completed")
    }

    private static func grouped(_ onLimit: String, _ step: String) -> String {
        """
        kind: Workflow
        name: deploy
        inputs: {n: {type: integer, default: 1}}
        concurrency: {group: deploy, limit: 1, onLimit: \(onLimit)}
        steps: [{id: go, \(step)}]
        """
    }

    private static let ask = "ask: {prompt: 'Go?'}"

    private func called(by run: String, in tree: ScratchTree) -> String? {
        tree.member("runs/\(run)/waits/c.json", "call")?.stringValue
    }

    @Test("sub-runs queue in their group as root runs do")
    func queue() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": Self.grouped("queue", Self.ask) + calls("deploy")])
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "deploy", "--id", "r1")
            try await tree.untilWaiting("r1", for: "go")
            try await tree.expect(0, "run", "caller", "--id", "r2")
            try await tree.untilWaiting("r2", for: "c")
            let child = try #require(called(by: "r2", in: tree))
            try await tree.untilStatus(child, "pending")
            #expect(tree.member("runs/r2/waits/c.json", "reason") == .string("subworkflow"))
            try tree.drop("1", at: "runs/r1/inbox/go.json")
            try await tree.untilWaiting(child, for: "go")
            try tree.drop("1", at: "runs/\(child)/inbox/go.json")
            try await tree.untilStatus("r2", "completed")
        }
    }

    @Test("sub-runs of one run take turns, and one whose caller holds the group works in that one's place")
    func turns() async throws {
        let tree = try ScratchTree([
            "workflows/w.yaml": Self.grouped("queue", "run: \"mkdir held; rmdir held; echo x >> turns\"") + """

                ---
                kind: Workflow
                name: all
                steps: [{id: a, needs: [], call: {workflow: deploy}}, {id: b, needs: [], call: {workflow: deploy}}]
                ---
                kind: Workflow
                name: outer
                concurrency: {group: deploy}
                steps: [{id: middle, call: {workflow: between}}]
                ---
                kind: Workflow
                name: between
                steps: [{id: c, call: {workflow: deploy}}]

                """
        ])
        try await tree.expect(0, "run", "all", "--id", "r1")
        #expect(tree.lines("turns") == ["x", "x"])
        try await tree.expect(0, "run", "outer", "--id", "r2")
        #expect(tree.lines("turns") == ["x", "x", "x"])
    }

    @Test(
        "a sub-run whose group is full fails its call where the group skips, and has the place where it ends the oldest"
    )
    func full() async throws {
        var tree = try ScratchTree(["workflows/w.yaml": Self.grouped("skip", Self.ask) + calls("deploy")])
        try await tree.expect(3, "run", "deploy", "--id", "r1")
        try await tree.expect(1, "run", "caller", "--id", "r2")
        #expect(tree.member("runs/r2/run.json", "error", "kind") == .string("limit"))
        let message = tree.member("runs/r2/run.json", "error", "message")?.stringValue ?? ""
        #expect(message == "the group 'deploy' is full (r1), and the workflow deploy skips then")
        #expect(tree.names(in: "runs").filter { $0.hasPrefix("deploy-") } == [])
        #expect(tree.lines("runs/journal.jsonl").filter { $0.contains("START_REFUSED") }.count == 1)
        tree = try ScratchTree(["workflows/w.yaml": Self.grouped("cancelOldest", Self.ask) + calls("deploy")])
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "deploy", "--id", "r1")
            try await tree.untilWaiting("r1", for: "go")
            try await tree.expect(0, "run", "caller", "--id", "r2")
            try await tree.untilStatus("r1", "cancelled")
            let child = try #require(called(by: "r2", in: tree))
            try await tree.untilWaiting(child, for: "go")
        }
    }

    @Test("sub-runs side by side together get no more than what is left of their caller's budget")
    func grants() async throws {
        let sets = (1...5).map { "{id: s\($0), set: {x: 1}}" }.joined(separator: ", ")
        let tree = try ScratchTree([
            "workflows/w.yaml": """
            kind: Workflow
            name: all
            limits: {steps: 9}
            steps: [{id: a, needs: [], call: {workflow: inner}}, {id: b, needs: [], call: {workflow: inner}}]
            ---
            kind: Workflow
            name: inner
            steps: [\(sets)]

            """
        ])
        try await tree.expect(1, "run", "all", "--id", "r1")
        #expect(tree.member("runs/r1/run.json", "error", "kind") == .string("limit"))
        let children = tree.names(in: "runs").filter { $0.hasPrefix("inner-") }
        let grants = try children.map { try tree.ledger($0).first?["data"]?["grant"]?["steps"]?.intValue ?? 0 }
        #expect(grants.sorted() == [3, 4])
        let started = try (children + ["r1"]).map { try tree.count("TASK_START", of: $0) }.reduce(0, +)
        #expect(started <= 9)
        for run in children + ["r1"] { try await tree.expect(0, "verify", run, "--deep") }
    }

    // MARK: - Starts at once

    @Test("of starts that come at once into a group that skips, one gets in")
    func simultaneous() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": Self.grouped("skip", Self.ask)])
        let commands = try (1...4).map { try tree.start(["run", "deploy", "--id", "r\($0)"]) }
        var statuses: [Int32] = []
        for command in commands { statuses.append(await command.finish().status) }
        #expect(statuses.sorted() == [1, 1, 1, 3])
        #expect((1...4).filter { tree.exists("runs/r\($0)") }.count == 1)
        let journal = tree.lines("runs/journal.jsonl")
        #expect(journal.filter { $0.contains("RUN_STARTED") }.count == 1)
        #expect(journal.filter { $0.contains("START_REFUSED") }.count == 3)
    }

    @Test("the oldest run is ended by the command that starts the new one, and once")
    func oldest() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": Self.grouped("cancelOldest", Self.ask)])
        try await tree.expect(3, "run", "deploy", "--id", "r1")
        try await tree.expect(3, "run", "deploy", "--id", "r2")
        #expect(tree.lines("runs/journal.jsonl").contains { $0.contains(#""cancels":"r1""#) })
        #expect(tree.status("r1") == "cancelled")
        #expect(tree.status("r2") == "waiting")
        try await tree.expect(3, "run", "deploy", "--id", "r3")
        #expect(tree.status("r2") == "cancelled")
        try await tree.expect(0, "cancel", "r3")
        try await tree.expect(0, "reconcile")
        for run in ["r1", "r2", "r3"] {
            #expect(tree.status(run) == "cancelled")
            #expect(try tree.count("RUN_CANCELLED", of: run) == 1)
        }
    }

    @Test("without a daemon a command drives the runs whose turn comes in its run's group")
    func nextInQueue() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": Self.grouped("queue", Self.ask)])
        try await tree.expect(3, "run", "deploy", "--id", "r1")
        try await tree.expect(3, "run", "deploy", "--id", "r2")
        #expect(tree.status("r2") == "pending")
        try await tree.expect(0, "cancel", "r1")
        #expect(tree.status("r2") == "waiting")
    }
}
