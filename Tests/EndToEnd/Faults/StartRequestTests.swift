import Foundation
import Testing
import WaybillCore

/// Runs that are started, or not, by files.
@Suite("Start requests")
struct StartRequestTests {
    private static let files = [
        "workflows/add.yaml": """
        kind: Workflow
        name: add
        inputs: {n: {type: integer}, m: {type: integer, default: 1}}
        steps:
          - {id: sum, set: {n: "${{ inputs.n + inputs.m }}"}}
        outputs: {sum: "${{ steps.sum.output.n }}"}
        """,
        "workflows/flaky.yaml": """
        kind: Workflow
        name: flaky
        retry: {maxAttempts: 1, initial: 1h}
        steps:
          - {id: try, run: 'test "$WAYBILL_ATTEMPT" = 3'}
        """,
        "workflows/broken.yaml": "kind: Workflow\nname: broken\nsteps: [{id: a, neds: [b]}]\n",
    ]

    @Test("a file that is moved in starts a run; the same again is the same run, with other inputs a conflict")
    func identity() async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.withDaemon { _ in
            try tree.drop(#"{"workflow":"add","id":"r","inputs":{"n":2}}"#, at: "runs/inbox/a.json")
            try await tree.untilStatus("r", "completed")
            #expect(tree.member("runs/r/run.json", "outputs", "sum") == .int(3))
            try tree.drop(#"{"workflow":"add","id":"r","inputs":{"n":2,"m":1}}"#, at: "runs/inbox/b.json")
            try tree.drop(#"{"workflow":"add","id":"r","inputs":{"n":3}}"#, at: "runs/inbox/c.json")
            #expect(try await tree.untilRefused("c.json") == "conflict")
            try tree.drop("workflow: add\ninputs: {n: 7}\n", at: "runs/inbox/d.yaml")
            try await tree.until("the fourth request is taken") {
                tree.names(in: "runs").contains { $0.hasPrefix("add-") }
            }
        }
        #expect(tree.refusals(in: "runs/inbox") == ["c.json": ["conflict"]])
        #expect(try tree.count("RUN_START", of: "r") == 1)
        #expect(tree.names(in: "runs/inbox/.claimed") == [])
    }

    @Test("what cannot be started is kept with its reason, and leaves no run behind")
    func refused() async throws {
        let tree = try ScratchTree(Self.files)
        let requests = [
            ("inputs.json", #"{"workflow":"add","inputs":{"n":"two"}}"#, "schema"),
            ("missing.json", #"{"workflow":"add"}"#, "schema"),
            ("extra.json", #"{"workflow":"add","inputs":{"n":1,"k":2}}"#, "schema"),
            ("unknown.json", #"{"workflow":"ad","inputs":{"n":1}}"#, "unknown-workflow"),
            ("poison.json", #"{"workflow":"broken"}"#, "unknown-workflow"),
            ("list.json", "[1]", "schema"),
            ("syntax.json", "{", "syntax"),
            ("id.json", #"{"workflow":"add","inputs":{"n":1},"id":"a/b"}"#, "schema"),
            ("twice.json", #"{"workflow":"add","workflow":"add"}"#, "syntax"),
        ]
        try await tree.expect(0, "reconcile")
        for (name, text, _) in requests { try tree.drop(text, at: "runs/inbox/\(name)") }
        try await tree.withDaemon { _ in
            for (name, _, kind) in requests {
                let found = try await tree.untilRefused(name)
                #expect(found == kind, "\(name)")
            }
        }
        #expect(tree.names(in: "runs") == ["inbox", "journal.jsonl"])
        let journal = tree.lines("runs/journal.jsonl")
        #expect(journal.filter { $0.contains("START_REFUSED") }.count == requests.count)
    }

    @Test("a request may bring the run's own retry, which comes before the workflow's")
    func retry() async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.withDaemon { _ in
            try tree.drop(
                #"{"workflow":"flaky","id":"r","retry":{"maxAttempts":3,"initial":"0s"}}"#, at: "runs/inbox/a.json")
            try await tree.untilStatus("r", "completed")
            try tree.drop(#"{"workflow":"flaky","retry":{"maxAttempts":0}}"#, at: "runs/inbox/b.json")
            #expect(try await tree.untilRefused("b.json") == "schema")
        }
        #expect(try tree.ledger("r").first?["data"]?["retry"] == ["initial": "0s", "maxAttempts": 3])
        #expect(try tree.count("TASK_START", of: "r") == 3)
        let command = try await tree.expect(0, "run", "flaky", "--id", "s", "--retry", "maxAttempts=3,initial=0s")
        #expect(command.errors.contains("s started"))
        #expect(try tree.count("TASK_START", of: "s") == 3)
        let refused = try await tree.expect(2, "run", "flaky", "--id", "t", "--retry", "maxAttempts=none")
        #expect(refused.errors.contains("retry: `maxAttempts` expects an integer"))
        #expect(!tree.exists("runs/t"))
        let explained = try await tree.expect(0, "explain", "flaky#try")
        #expect(explained.output.contains("`waybill run --retry` would come first"))
    }

    @Test("one request is one run, though a daemon and reconciliations look at the inbox at once")
    func once() async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.withDaemon { _ in
            for number in 0..<20 {
                try tree.drop(#"{"workflow":"add","inputs":{"n":\#(number)}}"#, at: "runs/inbox/r\(number).json")
                if number % 5 == 0 { _ = try await tree.waybill("reconcile") }
            }
            try await tree.until("all have ended") {
                let runs = tree.names(in: "runs").filter { $0.hasPrefix("add-") }
                return runs.count >= 20 && runs.allSatisfy { tree.status($0) == "completed" }
            }
        }
        #expect(tree.names(in: "runs").filter { $0.hasPrefix("add-") }.count == 20)
        try await tree.expect(0, "reconcile")
        try await tree.expect(0, "verify")
    }
}
