import Foundation
import Testing
import WaybillCore

/// The command line as people and scripts use it, through the built executable.
@Suite("The commands")
struct CommandTests {
    private static let broken = """
        kind: Workflow
        name: broken
        steps:
          - {id: a, run: [true], neds: [b]}
          - {id: a, rn: [true]}
        """

    /// A fresh tree as `init` makes it.
    private func starter() async throws -> ScratchTree {
        let tree = try ScratchTree()
        try await tree.expect(0, "init")
        return tree
    }

    @Test("a tree that init made validates, runs, waits, and completes once approved")
    func firstSteps() async throws {
        let tree = try await starter()
        #expect(try await tree.expect(0, "validate").output == "ok: 1 workflow, 0 policies\n")
        let started = try await tree.expect(3, "run", "hello", "--id", "h1", "--input", "name=Ada")
        #expect(started.lines.first == "h1  waiting")
        #expect(started.lines.contains("    Keep the greeting \"Hello, Ada!\"?"))
        #expect(started.lines.last == "    $ waybill approve h1 approve")
        let waits = try await tree.expect(0, "waits", "--json")
        #expect(try JSON.parse(waits.output)["token"]?.stringValue?.count == 64)
        let approved = try await tree.expect(0, "approve", "h1", "--comment", "fine")
        #expect(approved.output == "approved approve (entry 7); h1 is completed\n")
        #expect(tree.lines("greetings.txt") == ["Hello, Ada!"])
        #expect(try await tree.expect(0, "logs", "h1", "greet").output == "Hello, Ada!\n")
        try await tree.expect(0, "verify", "--deep")
        try await tree.expect(0, "doctor")
        try await tree.expect(0, "reconcile")
    }

    @Test("init overwrites nothing")
    func initTwice() async throws {
        let tree = try await starter()
        try tree.write("mine", to: "workflows/hello.yaml")
        #expect(try await tree.expect(1, "init").errors.hasPrefix("error: there is a tree already"))
        #expect(tree.lines("workflows/hello.yaml") == ["mine"])
    }

    @Test("a directory is named before or after the command, or found above the working directory")
    func directories() async throws {
        let tree = try await starter()
        let root = tree.root.path()
        for arguments in [
            ["-C", root, "list", "--json"], ["list", "-C", root], ["--json", "list", "--directory", root],
        ] {
            #expect(try await tree.start(arguments).finish().status == 0)
        }
        try tree.write("x", to: "deep/er/file")
        #expect(try await tree.run("sh", "-c", "cd deep/er && \(Waybill.binary.path()) validate").status == 0)
    }

    @Test("the same id with the same inputs is the same run, with others a conflict")
    func sameID() async throws {
        let tree = try await starter()
        try await tree.expect(3, "run", "hello", "--id", "h1", "--input", "name=Ada")
        let again = try await tree.expect(3, "run", "hello", "--id", "h1", "--input", "name=Ada")
        #expect(again.errors == "h1 was started before\n")
        try await tree.expect(1, "run", "hello", "--id", "h1", "--input", "name=Bob")
        #expect(tree.names(in: "runs").filter { $0 == "h1" }.count == 1)
    }

    @Test("a command line that makes no sense exits 2 and says what to do")
    func usage() async throws {
        let tree = try await starter()
        let unknown = try await tree.expect(2, "lst")
        #expect(unknown.errors == "error: there is no command 'lst'\n  hint: did you mean 'list'?\n")
        try await tree.expect(2, "show")
        try await tree.expect(2, "list", "--bogus")
        try await tree.expect(2, "list", "--since", "yesterday")
        try await tree.expect(2, "run", "hell")
        try await tree.expect(2, "run", "hello", "--input", "name=")
        try await tree.expect(2, "run", "hello", "--id", "a.b")
        let json = try await tree.expect(2, "show", "nope", "--json")
        #expect(try JSON.parse(json.errors)["error"]?["code"] == "unknown-run")
        #expect(json.output == "")
        #expect(tree.names(in: "runs").filter { $0.hasPrefix("hello") } == [])
    }

    @Test("every mistake of a tree is reported in one go, in the form that is asked for")
    func validation() async throws {
        let tree = try await starter()
        try tree.write(Self.broken, to: "workflows/broken.yaml")
        let text = try await tree.expect(2, "validate")
        #expect(text.lines.contains { $0.hasPrefix("workflows/broken.yaml:4:26: error:") }, "\(text)")
        #expect(text.lines.contains { $0.hasPrefix("workflows/broken.yaml:5:") }, "\(text)")
        let json = try JSON.parse(try await tree.expect(2, "validate", "--json").output)
        #expect((json["errors"]?.intValue ?? 0) >= 2)
        let github = try await tree.expect(2, "validate", "--format", "github")
        #expect(github.lines.allSatisfy { $0.hasPrefix("::error file=workflows/broken.yaml,line=") })
        let sarif = try JSON.parse(try await tree.expect(2, "validate", "--format", "sarif").output)
        #expect(sarif["version"] == "2.1.0")
        try await tree.expect(0, "validate", "workflows/hello.yaml")
        // The others stand.
        try await tree.expect(3, "run", "hello", "--id", "h1")
        try await tree.expect(2, "run", "broken")
    }

    @Test("a rejected answer says why, and the question stays open")
    func rejectedAnswer() async throws {
        let tree = try await starter()
        try await tree.expect(3, "run", "hello", "--id", "h1")
        let wrong = try await tree.expect(1, "answer", "h1", "approve", "--json-value", #"{"approve": 1}"#)
        #expect(
            wrong.errors.hasPrefix(
                "error: the answer to approve was rejected: approve: expected boolean, got integer\n"))
        try await tree.expect(1, "answer", "h1", "aprove", "yes")
        let refused = try await tree.expect(0, "answer", "h1", "approve", "no", "--json")
        #expect(try JSON.parse(refused.output)["status"] == "completed")
        let late = try await tree.expect(1, "approve", "h1")
        #expect(late.errors == "error: h1 is completed: it asks nothing any more\n")
        let page = try await tree.expect(0, "show", "h1")
        let skipped = page.lines.first { $0.hasPrefix("keep     skipped") }
        #expect(
            skipped?.hasSuffix("  if steps.approve.output.approve: steps.approve.output.approve = false") == true,
            "\(page)")
    }

    @Test("pause, resume, snapshot and cancel go through the run's own door")
    func control() async throws {
        let tree = try await starter()
        try await tree.expect(3, "run", "hello", "--id", "h1")
        #expect(try await tree.expect(0, "pause", "h1", "--reason", "lunch").output.hasSuffix("h1 is paused\n"))
        try await tree.expect(1, "pause", "h1")
        #expect(try await tree.expect(0, "resume", "h1").output.hasSuffix("h1 is waiting\n"))
        try await tree.expect(0, "snapshot", "h1", "--name", "here", "--tag", "a", "--description", "Before lunch")
        let found = try await tree.expect(0, "snapshots", "--query", "LUNCH", "--tag", "a", "--json")
        #expect(try JSON.parse(found.output)["name"] == "here")
        #expect(try await tree.expect(0, "snapshots", "--tag", "b").output == "")
        try await tree.expect(0, "cancel", "h1")
        #expect(tree.status("h1") == "cancelled")
        try await tree.expect(4, "run", "hello", "--id", "h1")
        try await tree.expect(0, "verify", "h1", "--deep")
    }

    @Test("with a daemon a start returns once it is durable, and --wait stays to the end")
    func daemon() async throws {
        let tree = try await starter()
        try await tree.withDaemon { daemon in
            #expect(try await tree.expect(0, "run", "hello", "--id", "h1").output == "h1 started\n")
            #expect(tree.exists("runs/h1/ledger.jsonl"))
            let waiting = try tree.start(["run", "hello", "--id", "h2", "--wait", "--label", "team=a"])
            // It looks ten times a second, and who answers in between is not told how to.
            try await tree.until("--wait says how to answer") {
                waiting.errors.contains("  $ waybill approve h2 approve\n")
            }
            try await tree.expect(0, "approve", "h2")
            let finished = await waiting.finish()
            #expect(finished.status == 0, "\(finished)")
            #expect(finished.lines.first?.hasPrefix("h2  completed") == true)
            let listed = try await tree.expect(0, "list", "--label", "team=a", "--json")
            #expect(try JSON.parse(listed.output)["id"] == "h2")
            try await tree.expect(1, "run", "hello", "--id", "h1", "--input", "name=other")
            try await tree.expect(2, "run", "hello", "--input", "name=", "--id", "h9")
            let stopped = await daemon.stop()
            #expect(stopped.status == 0, "\(stopped)")
        }
    }

    @Test("an edited ledger is named with its entry, and the other runs go on")
    func editedLedger() async throws {
        let tree = try await starter()
        try await tree.expect(3, "run", "hello", "--id", "h1")
        try await tree.expect(3, "run", "hello", "--id", "h2")
        var lines = tree.lines("runs/h1/ledger.jsonl")
        lines[2] = lines[2].replacing("greet", with: "great")
        try tree.write(lines.joined(separator: "\n") + "\n", to: "runs/h1/ledger.jsonl")
        let verdict = try JSON.parse(try await tree.expect(1, "verify", "h1", "--json").output)
        #expect(verdict["ok"] == false)
        #expect([3, 4].contains(verdict["firstBadEntry"]?.intValue))
        try await tree.expect(0, "verify", "h2")
        let all = try JSON.parse(try await tree.expect(1, "verify", "--json").output)
        #expect(all["failed"] == ["h1"])
        try await tree.expect(1, "doctor")
        try await tree.expect(0, "approve", "h2")
    }

    @Test("a listing shows what it cannot read, and is not broken by it")
    func strangeRuns() async throws {
        let tree = try await starter()
        try await tree.expect(3, "run", "hello", "--id", "h1")
        try tree.write(#"{"format": 1, "id": "h2", "status": "teleported", "workflow": "x"}"#, to: "runs/h2/run.json")
        try tree.write("no JSON", to: "runs/h3/run.json")
        try tree.write(#"{"format": 2, "status": {"a": 1}}"#, to: "runs/h4/run.json")
        let listed = try await tree.expect(0, "list", "--json")
        let statuses = try listed.lines.map { line -> String in
            let run = try JSON.parse(line)
            return "\(run["id"]?.stringValue ?? "") \(run["status"]?.stringValue ?? "")"
        }
        #expect(statuses.sorted() == ["h1 waiting", "h2 teleported", "h3 unreadable", "h4 unreadable"])
        try await tree.expect(0, "waits")
    }

    @Test("eval reads its variables from a file, and points at what is wrong")
    func evaluation() async throws {
        let tree = try ScratchTree(["facts.json": #"{"a": {"b": [1, 2, 3]}}"#])
        #expect(try await tree.expect(0, "eval", "a.b.map(x, x * 2)", "facts.json", "--json").output == "[2,4,6]\n")
        #expect(try await tree.expect(0, "eval", "'x' + string(size(a.b))", "facts.json").output == "x3\n")
        let wrong = try await tree.expect(1, "eval", "a.c", "facts.json")
        #expect(wrong.errors.contains("<expression>:1:"))
        try await tree.expect(2, "eval", "a.")
        try await tree.expect(2, "eval", "nobody", "facts.json")
    }

    @Test("shells get their completions", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) async throws {
        let tree = try await starter()
        let script = try await tree.expect(0, "--generate-completion-script", shell)
        #expect(script.output.contains("reconcile"))
        #expect(try await tree.expect(0, "--version").output.split(separator: ".").count == 3)
        // Asked for with anything else, the parser answers the same.
        #expect(try await tree.expect(0, "list", "--version").output == tree.expect(0, "--version").output)
    }
}
