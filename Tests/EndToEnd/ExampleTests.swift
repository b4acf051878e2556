import Foundation
import Testing
import WaybillCore

/// The workflows of `workflows/examples`, run by the built executable with their scripts.
@Suite("The examples to start from, end to end", .serialized)
struct ExampleTests {
    /// A tree that holds one example.
    static func tree(_ example: String, _ files: [String: String] = [:]) throws -> ScratchTree {
        let tree = try ScratchTree(copying: ["workflows/examples/\(example)", "workflows/settings.yaml"])
        for (path, text) in files { try tree.write(text, to: path) }
        return tree
    }

    /// Whether a program that an example needs is there.
    static func has(_ program: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }

    private func output(_ tree: ScratchTree, _ run: String, _ name: String) -> Value? {
        tree.member("runs/\(run)/run.json", "outputs", name)
    }

    // MARK: The tree

    @Test("no workflow, policy, capability or test of the repository has a mistake")
    func valid() async throws {
        let tree = try ScratchTree(copying: ["workflows"])
        let checked = try await tree.expect(0, "validate", "--strict", "--format", "json")
        #expect(try JSON.parse([UInt8](checked.output.utf8)).member("diagnostics") == .list([]))
    }

    @Test("every test of the workflows of the repository passes")
    func tested() async throws {
        let tree = try ScratchTree(copying: ["workflows"])
        let played = try await tree.expect(0, "test")
        #expect(played.output.contains("all passed"))
    }

    // MARK: Canary

    private static let canary = [
        "run", "canary", "--id", "c", "--input", "service=checkout", "--input", "version=v2", "--input",
        "routes=routes.json", "--input", "shares=[5, 50]", "--input",
    ]

    @Test("a canary that nobody complains of gets all traffic")
    func quietCanary() async throws {
        let tree = try Self.tree(
            "canary", ["routes.json": #"{"search": {"stable": "v9", "canary": null, "share": 0}}"#])
        let ended = try await tree.start(Self.canary + ["soak=100ms", "--wait"]).finish()
        #expect(ended.status == 0, "\(ended)")
        #expect(output(tree, "c", "soaked") == 2)
        #expect(
            tree.json("routes.json") == [
                "search": ["stable": "v9", "canary": nil, "share": 0],
                "checkout": ["stable": "v2", "canary": nil, "share": 0],
            ])
    }

    @Test("an alert takes all traffic from a canary")
    func alarmedCanary() async throws {
        let tree = try Self.tree("canary")
        let started = try await tree.start(Self.canary + ["soak=1d"]).finish()
        #expect(started.status == 3, "\(started)")
        #expect(tree.member("routes.json", "checkout", "share") == 5)
        try await tree.expect(0, "emit", "--type", "alert.fired", "--key", "search")
        try await tree.expect(
            0, "emit", "--type", "alert.fired", "--key", "checkout", "--data", #"{"summary": "errors above 2 %"}"#)
        try await tree.expect(0, "reconcile")
        #expect(tree.status("c") == "failed")
        #expect(
            tree.member("runs/c/run.json", "error", "message") == "checkout v2 was withdrawn at 5 %: errors above 2 %")
        #expect(tree.json("routes.json") == ["checkout": ["stable": nil, "canary": nil, "share": 0]])
    }

    // MARK: ETL

    @Test("good files are loaded, bad ones are asked about, corrected or left out, and a report says which")
    func triagedFiles() async throws {
        let tree = try Self.tree("etl")
        let sales = "workflows/examples/etl/sales"
        try await tree.expect(
            3, "run", "etl", "--id", "e", "--input", "folder=\(sales)", "--input", "destination=out")
        #expect(tree.names(in: "out") == ["berlin.csv", "oslo.csv"])
        #expect(tree.names(in: "runs/e/waits") == ["triage-0.decide.json", "triage-1.decide.json"])
        let prompt = tree.member("runs/e/waits/triage-0.decide.json", "prompt")?.stringValue ?? ""
        #expect(prompt.contains("lyon.csv was not loaded: line 2: quantity and cents are whole numbers"))
        try tree.write("day,sku,quantity,cents\n2026-11-02,lamp,1,4900\n", to: "\(sales)/lyon.csv")
        try tree.drop("retry\n", at: "runs/e/inbox/triage-0.decide.txt")
        try tree.drop("skip\n", at: "runs/e/inbox/triage-1.decide.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("e") == "completed")
        #expect(output(tree, "e", "rows") == 4)
        #expect(output(tree, "e", "cents") == 66_200)
        #expect(output(tree, "e", "skipped") == ["porto"])
        #expect(tree.names(in: "out") == ["berlin.csv", "lyon.csv", "oslo.csv", "report.md"])
        #expect(tree.lines("out/report.md").contains("| porto | skipped | |"))
    }

    // MARK: Incident

    @Test("an incident is escalated by an answer, solved, and written down")
    func incident() async throws {
        let tree = try Self.tree("incident", ["service.log": "fine\nERROR one\nerror two\n"])
        try await tree.expect(
            3, "run", "incident", "--id", "i", "--input", "service=checkout", "--input", "summary=it is slow",
            "--input", "log=service.log", "--input", "destination=out")
        let prompt = tree.member("runs/i/waits/acknowledge.json", "prompt")?.stringValue ?? ""
        #expect(prompt.contains("2 errors in the log"))
        try tree.drop("escalate\n", at: "runs/i/inbox/acknowledge.txt")
        try await tree.expect(3, "reconcile")
        try tree.drop("mine\n", at: "runs/i/inbox/escalate.txt")
        try await tree.expect(3, "reconcile")
        try tree.drop(#"{"cause": "full disk", "fix": "rotated logs"}"#, at: "runs/i/inbox/resolve.json")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("i") == "completed")
        #expect(output(tree, "i", "escalated") == true)
        let timeline = tree.lines("out/i.md")
        #expect(timeline.first == "# checkout")
        #expect(timeline.filter { $0.hasPrefix("| 20") }.count == 4, "\(timeline)")
    }

    @Test("a cancelled incident has its timeline, too")
    func cancelledIncident() async throws {
        let tree = try Self.tree("incident")
        try await tree.expect(
            3, "run", "incident", "--id", "i", "--input", "service=checkout", "--input", "summary=it is slow",
            "--input", "log=missing.log", "--input", "destination=out")
        _ = try await tree.waybill("cancel", "i", "--reason", "false alarm")
        #expect(tree.status("i") == "cancelled")
        #expect(tree.exists("out/i.md"))
    }

    // MARK: Review

    @Test("a document goes round until it is accepted, and every round can be found again")
    func reviewed() async throws {
        let tree = try Self.tree("review", ["plan.md": "TBD\n"])
        try await tree.expect(
            3, "run", "review", "--id", "r", "--input", "document=plan.md", "--input", "destination=out")
        #expect(tree.names(in: "runs/r/waits") == ["revise.json"])
        try tree.write("It costs nothing.\n", to: "plan.md")
        try tree.drop("done\n", at: "runs/r/inbox/revise.txt")
        try await tree.expect(3, "reconcile")
        try tree.drop(#"{"verdict": "accept", "note": "good"}"#, at: "runs/r/inbox/read.json")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("r") == "completed")
        #expect(
            output(tree, "r", "notes") == [
                ["by": "check", "note": "line 1 is unfinished"], ["by": "reviewer", "note": "good"],
            ])
        #expect(tree.lines("out/plan.md") == ["It costs nothing."])
        #expect(tree.names(in: "runs/r/snapshots") == ["round-1.json"])
    }

    @Test("what changed after it was read is not published")
    func changedDocument() async throws {
        let tree = try Self.tree("review", ["plan.md": "It costs nothing.\n"])
        try await tree.expect(
            3, "run", "review", "--id", "r", "--input", "document=plan.md", "--input", "destination=out")
        try tree.write("It costs a lot.\n", to: "plan.md")
        try tree.drop(#"{"verdict": "accept"}"#, at: "runs/r/inbox/read.json")
        try await tree.expect(0, "reconcile")
        #expect(tree.member("runs/r/run.json", "error", "step") == "publish")
        #expect(tree.names(in: "out") == [])
    }

    // MARK: Sweep

    @Test("trainings run elsewhere while nothing runs here, and the best is named")
    func sweep() async throws {
        let tree = try Self.tree("sweep")
        try await tree.expect(
            3, "run", "sweep", "--id", "s", "--input", "jobs=jobs", "--input", "rates=[0.1, 0.01, 2]", "--input",
            "depths=[2, 4]", "--input", "every=1s")
        #expect(tree.names(in: "jobs").count == 6)
        let worked = try await tree.run("workflows/examples/sweep/worker.sh", "jobs")
        #expect(worked.status == 0, "\(worked)")
        try await tree.withDaemon { _ in try await tree.untilStatus("s", "completed") }
        #expect(tree.member("runs/s/run.json", "outputs", "best")?.member("name") == "rate 0.01, depth 4")
        #expect(output(tree, "s", "failed") == ["rate 2, depth 2", "rate 2, depth 4"])
        #expect(output(tree, "s", "cost")?.numberValue == 6)
        try await tree.expect(0, "verify", "s", "--deep")
    }
}
