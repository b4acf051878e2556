import Testing
import WaybillCore

/// Runs that call runs that call runs.
@Suite("Sub-runs", .serialized)
struct SubRunTests {
    private static let workflows = """
        kind: Workflow
        name: top
        steps:
          - {id: prepare, run: "echo top >> record", compensate: {run: "echo untop >> record"}}
          - {id: middle, call: {workflow: middle, with: {word: hello}}}
        outputs: {answer: "${{ steps.middle.output.answer }}"}
        ---
        kind: Workflow
        name: middle
        inputs: {word: {type: string}}
        steps:
          - {id: low, call: {workflow: bottom, with: {word: "${{ inputs.word }}"}}}
        outputs: {answer: "${{ steps.low.output.answer }}"}
        ---
        kind: Workflow
        name: bottom
        inputs: {word: {type: string}}
        steps:
          - {id: mark, run: "echo bottom >> record", compensate: {run: "echo unbottom >> record"}}
          - {id: say, ask: {prompt: "Say ${{ inputs.word }}", choices: [yes, no]}}
        outputs: {answer: "${{ steps.say.output }}"}
        ---
        kind: Workflow
        name: leaf
        steps:
          - id: mark
            onUnknown: retry
            run: "echo $WAYBILL_RUN_ID >> record"
            compensate: {run: "echo un$WAYBILL_RUN_ID >> record"}
        ---
        kind: Workflow
        name: joining
        inputs: {word: {type: string}}
        steps: [{id: c, call: {workflow: bottom, id: shared, with: {word: "${{ inputs.word }}"}}}]
        ---
        kind: Workflow
        name: leaving
        steps: [{id: c, call: {workflow: bottom, id: left, with: {word: x}, detach: true}}]
        ---
        kind: Workflow
        name: failing
        steps:
          - {id: leaf, call: {workflow: leaf}}
          - {id: no, fail: {message: no}}
        """

    private func tree() throws -> ScratchTree { try ScratchTree(["workflows/all.yaml": Self.workflows]) }

    /// The sub-run that a run waits for.
    private func called(by run: String, _ key: String, in tree: ScratchTree) -> String? {
        tree.member("runs/\(run)/waits/\(key).json", "call")?.stringValue
    }

    /// Waits for the question at the bottom.
    ///
    /// - Returns: the runs in the middle and at the bottom.
    private func untilAsked(_ top: String, in tree: ScratchTree) async throws -> (middle: String, bottom: String) {
        try await tree.until("\(top) has called", watching: top) { called(by: top, "middle", in: tree) != nil }
        let middle = try #require(called(by: top, "middle", in: tree))
        try await tree.until("\(middle) has called", watching: middle) { called(by: middle, "low", in: tree) != nil }
        let bottom = try #require(called(by: middle, "low", in: tree))
        try await tree.untilWaiting(bottom, for: "say")
        return (middle, bottom)
    }

    @Test("an answer at the bottom of three levels completes all of them, also after the daemon was killed")
    func answered() async throws {
        let tree = try tree()
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "top", "--id", "t")
        let (middle, bottom) = try await untilAsked("t", in: tree)
        #expect(tree.member("runs/\(bottom)/run.json", "parent", "run")?.stringValue == middle)
        #expect(tree.member("runs/\(bottom)/run.json", "trigger", "type") == "parent")
        #expect(try await tree.expect(0, "waits", "t", "--json").output.contains("\"Say hello\""))
        #expect(try await tree.expect(0, "list").lines.count == 1)
        #expect(try await tree.expect(0, "list", "--tree").lines.count == 3)
        await daemon.kill()
        try await tree.withDaemon { _ in
            try tree.drop("yes", at: "runs/\(bottom)/inbox/say.txt")
            try await tree.untilStatus("t", "completed")
        }
        #expect(tree.member("runs/t/run.json", "outputs", "answer") == "yes")
        for run in ["t", middle, bottom] { try await tree.expect(0, "verify", run, "--deep") }
    }

    @Test("a cancellation at the top reaches the bottom, and every level undoes what it did")
    func cancelled() async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "top", "--id", "t")
            let (middle, bottom) = try await untilAsked("t", in: tree)
            _ = try await tree.waybill("cancel", "t")
            try await tree.untilStatus("t", "cancelled")
            #expect(tree.status(middle) == "cancelled")
            #expect(tree.status(bottom) == "cancelled")
            #expect(try tree.count("RUN_CANCELLED", of: bottom) == 1)
        }
        #expect(tree.lines("record") == ["top", "bottom", "unbottom", "untop"])
    }

    @Test("a pause at the top pauses the bottom, and a resume resumes it")
    func paused() async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "top", "--id", "t")
            let (_, bottom) = try await untilAsked("t", in: tree)
            _ = try await tree.waybill("pause", "t")
            try await tree.untilStatus(bottom, "paused")
            _ = try await tree.waybill("resume", "t")
            try await tree.untilStatus(bottom, "waiting")
        }
    }

    @Test("without a daemon a command drives the sub-runs too, and an answer to one drives those that wait for it")
    func alone() async throws {
        let tree = try tree()
        let asked = try await tree.expect(3, "run", "top", "--id", "t")
        #expect(asked.output.contains("Say hello") || asked.errors.contains("Say hello"))
        let (_, bottom) = try await untilAsked("t", in: tree)
        try await tree.expect(0, "answer", bottom, "say", "--text", "no")
        #expect(tree.status("t") == "completed")
        #expect(tree.member("runs/t/run.json", "outputs", "answer") == "no")
    }

    @Test("a call with an id joins the run that has it, unless that is another one; nobody ends what it only joined")
    func joined() async throws {
        let tree = try tree()
        try await tree.expect(3, "run", "joining", "--id", "a", "--input", "word=x")
        try await tree.expect(3, "run", "joining", "--id", "b", "--input", "word=x")
        let other = try await tree.expect(1, "run", "joining", "--id", "c", "--input", "word=y")
        #expect((other.output + other.errors).contains("the id shared is taken by a run with another workflow"))
        try await tree.expect(0, "cancel", "b")
        #expect(tree.status("b") == "cancelled")
        #expect(tree.status("shared") == "waiting")
        try await tree.expect(0, "answer", "shared", "say", "--text", "yes")
        #expect(tree.status("a") == "completed")
    }

    @Test("a sub-run that cannot be trusted is waited for, and holds up nobody who ends")
    func quarantined() async throws {
        let tree = try tree()
        let (middle, bottom) = try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "top", "--id", "t")
            return try await untilAsked("t", in: tree)
        }
        var lines = tree.lines("runs/\(bottom)/ledger.jsonl")
        lines[1] = lines[1].replacing("engine", with: "nobody")
        try tree.drop(lines.joined(separator: "\n") + "\n", at: "runs/\(bottom)/ledger.jsonl")
        // A daemon checks the whole chain when it opens a run for the first time.
        try await tree.withDaemon { _ in
            try await tree.untilStatus(bottom, "quarantined")
            #expect(tree.status(middle) == "waiting")
            _ = try await tree.waybill("cancel", "t")
            try await tree.untilStatus("t", "cancelled")
            #expect(tree.status(middle) == "cancelled")
        }
    }

    @Test("a detached sub-run goes on alone")
    func detached() async throws {
        let tree = try tree()
        try await tree.expect(0, "run", "leaving", "--id", "d")
        #expect(tree.status("d") == "completed")
        try await tree.untilWaiting("left", for: "say")
        try await tree.expect(0, "answer", "left", "say", "--text", "yes")
        #expect(tree.status("left") == "completed")
    }

    @Test("a sub-run that completed is undone by a run that begins with its past")
    func undone() async throws {
        let tree = try tree()
        try await tree.expect(1, "run", "failing", "--id", "f")
        let leaf = try #require(
            tree.ledger("f").first { $0["type"] == "TASK_START" && $0["step"] == "leaf" }?["data"]?["run"]?.stringValue)
        #expect(tree.lines("record") == [leaf, "un" + leaf])
        #expect(tree.status(leaf) == "completed")
        #expect(tree.status(leaf + "-undo") == "cancelled")
        #expect(tree.member("runs/f/run.json", "compensation", "compensated") == ["leaf"])
        let past = tree.lines("runs/\(leaf)/ledger.jsonl").dropLast()
        #expect(Array(tree.lines("runs/\(leaf)-undo/ledger.jsonl").prefix(past.count)) == Array(past))
        try await tree.expect(0, "verify", leaf + "-undo", "--deep")
        try await tree.expect(0, "verify")
    }

    @Test(
        "whenever the daemon dies, a call is made once, ends once and is undone once",
        arguments: [3, 5, 7, 8, 9, 10, 11])
    func killed(entry: Int) async throws {
        let tree = try tree()
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "failing", "--id", "f")
        try await tree.until("entry \(entry) is written", watching: "f") {
            tree.lines("runs/f/ledger.jsonl").count >= entry || tree.status("f") == "failed"
        }
        await daemon.kill()
        try await tree.withDaemon { _ in try await tree.untilEnded("f", "failed") }
        let runs = tree.names(in: "runs").filter { $0.hasPrefix("leaf-") }
        #expect(runs.count == 2, "\(runs)")
        #expect(tree.member("runs/f/run.json", "compensation", "compensated") == ["leaf"])
        #expect(try tree.count("TASK_END", "leaf", of: "f") == 1)
        #expect(try tree.count("TASK_END", "leaf-compensate", of: "f") == 1)
        for run in runs + ["f"] { try await tree.expect(0, "verify", run, "--deep") }
    }
}

extension ScratchTree {
    /// Until a run has ended, with whatever became unknown tried again, in it and in those it called.
    func untilEnded(_ run: String, _ status: String) async throws {
        while self.status(run) != status {
            try await until("\(run) is \(status), or asks", watching: run) {
                self.status(run) == status || self.unknowns().contains { !self.isAnswered($0) }
            }
            for (asking, key) in unknowns() where !isAnswered((asking, key)) {
                try drop("retry", at: "runs/\(asking)/inbox/\(key).txt")
            }
        }
    }

    /// Open questions about outcomes: the run and the key.
    private func unknowns() -> [(String, String)] {
        names(in: "runs").flatMap { run in
            let names = names(in: "runs/\(run)/waits").filter { $0.hasSuffix("-unknown.json") }
            return names.map { (run, String($0.dropLast(5))) }
        }
    }

    private func isAnswered(_ question: (String, String)) -> Bool {
        exists("runs/\(question.0)/inbox/\(question.1).txt")
            || names(in: "runs/\(question.0)/inbox/accepted").contains { $0.hasSuffix("-\(question.1).txt") }
    }
}
