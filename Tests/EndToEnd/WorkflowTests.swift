import Foundation
import Testing
import WaybillCore

/// The workflows of this repository, run by the built executable on real input.
@Suite("The example workflows, end to end")
struct WorkflowTests {
    /// A tree with a small git repository in `project`, tagged v1.0.
    private func releaseTree() async throws -> ScratchTree {
        let tree = try ScratchTree(
            ["project/README": "read me\n", "project/bin/app": "#!/bin/sh\necho app\n"],
            copying: [
                "workflows/release", "workflows/policies.yaml", "workflows/settings.yaml", "Tests/Scripts/audit.sh",
            ])
        let made = try await tree.run(
            "sh", "-euc",
            """
            cd project; git init -q .; git add .
            git -c user.name=t -c user.email=t@example.org commit -qm one; git tag v1.0
            """)
        #expect(made.status == 0, "\(made)")
        return tree
    }

    private func startRelease(_ tree: ScratchTree, _ run: String) async throws {
        try await tree.expect(
            3, "run", "release", "--id", run, "--input", "ref=v1.0", "--input", "repository=project",
            "--input", "project=demo", "--input", "destination=out")
    }

    @Test("a release that is approved is published whole, and its run can be audited")
    func approvedRelease() async throws {
        let tree = try await releaseTree()
        try await startRelease(tree, "r1")
        #expect(tree.names(in: "out") == [".staged"])
        try tree.drop(#"{"approve": true}"#, at: "runs/r1/inbox/approve.json")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("r1") == "completed")
        #expect(tree.names(in: "out") == ["demo-v1.0", "latest"])
        #expect(tree.names(in: "out/latest") == ["SHA256SUMS", "demo-v1.0.tar.gz", "manifest.json"])
        #expect(tree.member("runs/r1/run.json", "outputs", "version") == .string("v1.0"))
        let listed = try await tree.run("tar", "-tzf", "out/latest/demo-v1.0.tar.gz")
        #expect(listed.lines == ["demo-v1.0/", "demo-v1.0/README", "demo-v1.0/bin/", "demo-v1.0/bin/app"])
        try await tree.expect(0, "verify", "r1", "--deep")
        let audited = try await tree.run("Tests/Scripts/audit.sh", "runs/r1")
        #expect(audited.status == 0, "\(audited)")
    }

    @Test("a release that is refused is withdrawn, and leaves a line that says so")
    func refusedRelease() async throws {
        let tree = try await releaseTree()
        try await startRelease(tree, "r1")
        try tree.drop("no\n", at: "runs/r1/inbox/approve.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("r1") == "failed")
        #expect(tree.member("runs/r1/run.json", "error", "step") == .string("refused"))
        #expect(tree.names(in: "out") == ["refused.jsonl"])
        #expect(tree.lines("out/refused.jsonl").count == 1)
    }

    @Test("production starts no tool that is not listed")
    func unlistedTool() async throws {
        let tree = try await releaseTree()
        let listed = try #require(tree.bytes("workflows/policies.yaml"))
        try tree.write(
            String(decoding: listed, as: UTF8.self).replacing("'./archive.sh', ", with: ""),
            to: "workflows/policies.yaml")
        try await tree.expect(
            1, "run", "release", "--id", "r1", "--input", "repository=project", "--input", "destination=out")
        #expect(tree.member("runs/r1/run.json", "error", "kind") == .string("policy"))
        #expect(tree.member("runs/r1/run.json", "error", "step") == .string("archive"))
        #expect(!tree.exists("out"))
    }

    @Test("a second backup links what did not change, and retention removes the first")
    func backups() async throws {
        let tree = try ScratchTree(
            ["data/a": "a", "data/b": "b"], copying: ["workflows/backup", "workflows/settings.yaml"])
        func backup(_ run: String, keep: Int) async throws {
            try await tree.expect(
                0, "run", "backup", "--id", run, "--input", "source=data", "--input", "destination=dst",
                "--input", "keep=\(keep)")
        }
        try await backup("b1", keep: 1)
        try tree.write("b2", to: "data/b")
        try await backup("b2", keep: 1)
        #expect(tree.member("runs/b2/run.json", "outputs", "linked") == .int(1))
        #expect(tree.member("runs/b2/run.json", "outputs", "copied") == .int(1))
        #expect(tree.names(in: "dst").count == 2)
        #expect(tree.lines("dst/latest/data/b") == ["b2"])
    }

    private static let ingest = [
        "run", "ingest", "--id", "i1", "--input", "file=workflows/ingest/elements.csv", "--input",
        "rules=workflows/ingest/elements.rules.json", "--input", "destination=out",
    ]

    @Test("bad rows are corrected and the rest dropped, in as many rounds as it takes")
    func ingestInRounds() async throws {
        let tree = try ScratchTree(copying: ["workflows/ingest", "workflows/settings.yaml"])
        let started = try await tree.start(Self.ingest).finish()
        #expect(started.status == 3, "\(started)")
        try tree.drop("fix\n", at: "runs/i1/inbox/triage.txt")
        try await tree.expect(3, "reconcile")
        let row = #"{"number":23,"symbol":"V","name":"Vanadium","mass":"n/a"}"#
        try tree.drop(#"[{"line":33,"row":null},{"line":25,"row":\#(row)}]"#, at: "runs/i1/inbox/fix.json")
        try await tree.expect(3, "reconcile")
        #expect(tree.names(in: "runs/i1/waits") == ["triage.2.json"])
        try tree.drop("drop\n", at: "runs/i1/inbox/triage.2.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("i1") == "completed")
        #expect(tree.member("runs/i1/run.json", "outputs", "loaded") == .int(48))
        #expect(tree.member("runs/i1/run.json", "outputs", "rejected") == .int(2))
        #expect(tree.lines("out/elements.jsonl").count == 48)
        #expect(tree.lines("out/elements.report.md").contains("| decisions | fix, drop |"))
    }

    @Test("nothing is loaded when the answer is to abort, and an answer outside the choices is kept with the reason")
    func ingestAborted() async throws {
        let tree = try ScratchTree(copying: ["workflows/ingest", "workflows/settings.yaml"])
        _ = try await tree.start(Self.ingest).finish()
        try tree.drop("perhaps\n", at: "runs/i1/inbox/triage.txt")
        try await tree.expect(3, "reconcile")
        let reasons = tree.names(in: "runs/i1/inbox/rejected").filter { $0.hasSuffix(".reason.json") }
        #expect(reasons.count == 1)
        try tree.drop("abort\n", at: "runs/i1/inbox/triage.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("i1") == "failed")
        #expect(!tree.exists("out"))
    }
}
