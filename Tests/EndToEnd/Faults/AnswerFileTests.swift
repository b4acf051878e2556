import Foundation
import Testing
import WaybillCore

/// Answers as people and scripts drop them.
@Suite("Answer files")
struct AnswerFileTests {
    private static let workflow = """
        kind: Workflow
        name: ask
        steps:
          - {id: q, ask: {prompt: ship, choices: ["yes", "no"]}}
          - {id: n, ask: {prompt: how many, schema: {type: integer}}}
        outputs: {answer: "${{ steps.q.output }}", count: "${{ steps.n.output }}"}
        """

    private func tree() throws -> ScratchTree { try ScratchTree(["workflows/ask.yaml": Self.workflow]) }

    /// How a file gets into an inbox.
    enum Way: String, CaseIterable {
        case mv, cp, echo
    }

    private func put(_ text: String, at path: String, by way: Way, in tree: ScratchTree) async throws {
        switch way {
        case .mv: try tree.drop(text, at: path)
        case .cp:
            try tree.write(text, to: "answer")
            #expect(try await tree.run("cp", "answer", path).status == 0)
        case .echo: #expect(try await tree.run("sh", "-c", "printf '%s' '\(text)' > \(path)").status == 0)
        }
    }

    @Test("moved, copied or written in place, as JSON, YAML or text, in either door", arguments: Way.allCases)
    func ways(way: Way) async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            let forms = [("json", "\"yes\""), ("yaml", "yes # it is\n"), ("txt", "yes\n")]
            for (index, form) in forms.enumerated() {
                let run = "r\(index)"
                try await tree.expect(0, "run", "ask", "--id", run)
                try await tree.untilWaiting(run, for: "q")
                try await put(form.1, at: "runs/\(run)/inbox/q.\(form.0)", by: way, in: tree)
                try await tree.untilWaiting(run, for: "n")
                let number = form.0 == "txt" ? "json" : form.0
                try await put("\(index)", at: "runs/inbox/\(run).n--me.\(number)", by: way, in: tree)
                try await tree.untilStatus(run, "completed")
                #expect(tree.member("runs/\(run)/run.json", "outputs", "answer") == .string("yes"))
                #expect(tree.member("runs/\(run)/run.json", "outputs", "count") == .int(Int64(index)))
                try await tree.until("both have receipts", watching: run) {
                    tree.names(in: "runs/\(run)/inbox/accepted").filter { $0.hasSuffix(".reason.json") }.count == 2
                }
            }
        }
    }

    @Test(
        "an early answer is held until its wait opens, in either door",
        arguments: ["runs/r/inbox/n.json", "runs/inbox/r.n.json"])
    func early(path: String) async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "ask", "--id", "r")
            try await tree.untilWaiting("r", for: "q")
            try tree.drop("3", at: path)
            try tree.drop("1", at: "runs/r/inbox/nobody.json")
            #expect(try await tree.untilRefused("nobody.json", of: "r") == "unknown-wait")
            #expect(tree.exists(path))
            try tree.drop("no", at: "runs/r/inbox/q.txt")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.member("runs/r/run.json", "outputs", "count") == .int(3))
        #expect(!tree.exists(path))
    }

    @Test("the same bytes again are acknowledged, others are refused, and an ended run takes none")
    func repeated() async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "ask", "--id", "r")
            try await tree.untilWaiting("r", for: "q")
            try tree.drop("yes", at: "runs/r/inbox/q.txt")
            try await tree.untilWaiting("r", for: "n")
            let entries = try tree.ledger("r").count
            try tree.drop("yes", at: "runs/r/inbox/q--again.txt")
            try await tree.until("the duplicate is taken", watching: "r") { !tree.exists("runs/r/inbox/q--again.txt") }
            try tree.drop("no", at: "runs/r/inbox/q--other.txt")
            #expect(try await tree.untilRefused("q--other.txt", of: "r") == "already-answered")
            #expect(try tree.ledger("r").count == entries + 1)
            try tree.drop("many", at: "runs/r/inbox/n.json")
            #expect(try await tree.untilRefused("n.json", of: "r") == "syntax")
            try tree.drop("\"many\"", at: "runs/r/inbox/n--2.json")
            #expect(try await tree.untilRefused("n--2.json", of: "r") == "schema")
            try tree.drop("4", at: "runs/r/inbox/n--3.json")
            try await tree.untilStatus("r", "completed")
            try tree.drop("5", at: "runs/inbox/r.n.json")
            #expect(try await tree.untilRefused("r.n.json", of: "r") == "unknown-wait")
        }
        #expect(tree.refusals(in: "runs/r/inbox").count == 4)
        #expect(tree.lines("runs/journal.jsonl").filter { $0.contains("ANSWER_REFUSED") }.count == 1)
        try await tree.expect(0, "verify", "--deep")
    }

    @Test(
        "an answer that was held when its run ended is refused",
        arguments: ["runs/r/inbox/n.json", "runs/inbox/r.n.json"])
    func heldToTheEnd(path: String) async throws {
        let tree = try tree()
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "ask", "--id", "r")
            try await tree.untilWaiting("r", for: "q")
            try tree.drop("3", at: path)
            try tree.drop("1", at: "runs/inbox/r.nobody.json")
            #expect(try await tree.untilRefused("r.nobody.json", of: "r") == "unknown-wait")
            try await tree.expect(0, "cancel", "r")
            let name = String(path.split(separator: "/").last ?? "")
            #expect(try await tree.untilRefused(name, of: "r") == "unknown-wait")
        }
        #expect(tree.status("r") == "cancelled")
    }
}

/// Questions with a time limit, and what the clock does while nobody looks.
@Suite("Deadlines")
struct DeadlineFileTests {
    private static func workflow(_ timeout: String) -> String {
        """
        kind: Workflow
        name: ask
        steps:
          - {id: q, ask: {prompt: ship, choices: ["yes", "no"], timeout: \(timeout), default: "no"}}
        outputs: {answer: "${{ steps.q.output }}"}
        """
    }

    private func deadline(_ tree: ScratchTree) throws -> Timestamp {
        try #require(tree.member("runs/r/waits/q.json", "until")?.stringValue.flatMap { Timestamp(rfc3339: $0) })
    }

    @Test("at the deadline the default is taken, and what comes later is late")
    func byTheClock() async throws {
        let text = Self.workflow("300ms").replacingOccurrences(
            of: "outputs:", with: "  - {id: more, ask: {prompt: more, choices: [go]}}\noutputs:")
        let tree = try ScratchTree(["workflows/ask.yaml": text])
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "ask", "--id", "r")
            try await tree.untilWaiting("r", for: "more")
            try tree.drop("yes", at: "runs/r/inbox/q.txt")
            #expect(try await tree.untilRefused("q.txt", of: "r") == "late")
            try tree.drop("go", at: "runs/r/inbox/more.txt")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.member("runs/r/run.json", "outputs", "answer") == .string("no"))
    }

    @Test(
        "an answer that was there in time counts, though nobody looked until later",
        arguments: ["runs/r/inbox/q.txt", "runs/inbox/r.q.txt"], [true, false])
    func whileNobodyLooked(path: String, byDaemon: Bool) async throws {
        let tree = try ScratchTree(["workflows/ask.yaml": Self.workflow("5s")])
        try await tree.expect(3, "run", "ask", "--id", "r")
        let deadline = try deadline(tree)
        try tree.drop("yes", at: path)
        #expect(ScratchTree.now() < deadline, "the machine is too slow for this test")
        try await tree.untilPassed(deadline)
        if byDaemon {
            try await tree.withDaemon { _ in try await tree.untilStatus("r", "completed") }
        } else {
            try await tree.expect(0, "reconcile")
        }
        #expect(tree.member("runs/r/run.json", "outputs", "answer") == .string("yes"))
    }

    @Test("an answer that came too late does not count, though nobody looked until later")
    func tooLate() async throws {
        let tree = try ScratchTree(["workflows/ask.yaml": Self.workflow("5s")])
        try await tree.expect(3, "run", "ask", "--id", "r")
        try await tree.untilPassed(try deadline(tree))
        try tree.drop("yes", at: "runs/r/inbox/q.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.member("runs/r/run.json", "outputs", "answer") == .string("no"))
        #expect(tree.refusals(in: "runs/r/inbox")["q.txt"] != nil)
    }

    @Test("waits for the clock go on across a daemon's death")
    func clock() async throws {
        let tree = try ScratchTree()
        let until = (ScratchTree.now() + .seconds(4)).description
        try tree.write(
            """
            kind: Workflow
            name: clock
            steps:
              - {id: a, wait: {for: 2s}}
              - {id: b, wait: {until: "\(until)"}}
            """, to: "workflows/clock.yaml")
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "clock", "--id", "r")
        try await tree.untilStatus("r", "waiting")
        await daemon.kill()
        try await tree.withDaemon { _ in try await tree.untilStatus("r", "completed") }
        let end = try #require(tree.member("runs/r/run.json", "endedAt")?.stringValue)
        #expect(end >= until)
    }
}
