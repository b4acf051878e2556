import Foundation
import Glibc
import Testing
import WaybillCore

/// What steps cannot change, and on what file systems there are no trees.
@Suite("The sandbox of steps")
struct SandboxTests {
    private static func files(_ sandbox: String) -> [String: String] {
        [
            "workflows/w.yaml": """
            kind: Settings
            sandbox: \(sandbox)
            ---
            kind: Workflow
            name: careless
            steps:
              - {id: root, run: [./change.sh], output: {from: file, format: text}}
              - {id: out, run: {argv: [./change.sh], cwd: out}, output: {from: file, format: text}}
              - {id: scratch, run: {argv: [./change.sh], cwd: scratch}, output: {from: file, format: text}}
            """,
            "workflows/change.sh": """
            #!/bin/sh
            tree=$WAYBILL_RUN_DIR/../..
            can() { if (eval "$2") 2>/dev/null; then printf '%s ' "$1" >> "$WAYBILL_OUTPUT"; fi; }
            : > "$WAYBILL_OUTPUT"
            can here 'echo > here'
            can out 'echo > "$tree/out/x" && mv "$tree/out/x" "$tree/out/y"'
            can root 'echo > "$tree/new" && rm "$tree/new"'
            can ledger ': >> "$WAYBILL_RUN_DIR/ledger.jsonl"'
            can inbox 'echo > "$tree/runs/inbox/x.tmp" && rm "$tree/runs/inbox/x.tmp"'
            can answer 'echo > "$WAYBILL_RUN_DIR/inbox/x.tmp" && rm "$WAYBILL_RUN_DIR/inbox/x.tmp"'
            can workflow ': >> "$tree/workflows/w.yaml"'
            can hook 'echo > "$tree/hooks/x" && rm "$tree/hooks/x"'
            can cache 'echo > "$tree/.waybill/x" && rm "$tree/.waybill/x"'
            can read 'cat "$WAYBILL_RUN_DIR/ledger.jsonl" > /dev/null'
            """,
            "hooks/README.md": "", "out/keep": "",
        ]
    }

    private static let free = "here out root ledger inbox answer workflow hook cache read "

    private func outputs(_ sandbox: String) async throws -> [String?] {
        let tree = try ScratchTree(Self.files(sandbox))
        try await tree.expect(0, "run", "careless", "--id", "r")
        try await tree.expect(0, "verify", "r", "--deep")
        return try tree.data("TASK_END", of: "r").map { $0["output"]?.stringValue }
    }

    private func isOffered() async throws -> Bool {
        let tree = try ScratchTree(Self.files("standard"))
        return try await tree.waybill("doctor").output.contains("(Landlock ")
    }

    @Test("keeps the tree's own folders from steps that begin elsewhere than in its root, and those where asked to")
    func sandbox() async throws {
        #expect(try await outputs("off") == [Self.free, Self.free, Self.free])
        guard try await isOffered() else {
            #expect(try await outputs("strict") == [Self.free, Self.free, Self.free])
            return
        }
        let held = "here out read "
        #expect(try await outputs("standard") == [Self.free, held, held])
        #expect(try await outputs("strict") == ["out read ", held, held])
    }

    @Test("is explained by doctor, with what else holds steps")
    func doctor() async throws {
        let tree = try ScratchTree(Self.files("off"))
        let report = try JSON.parse(try await tree.expect(0, "doctor", "--json").output)
        let checks = report["checks"]?.listValue ?? []
        let sandbox = checks.first { $0["name"] == "sandbox" }
        #expect(sandbox?["level"] == "note")
        #expect(sandbox?["message"] == "off: steps can change runs/, workflows/, hooks/ and .waybill/")
        let limits = checks.first { $0["name"] == "limits" }?["message"]?.stringValue
        #expect(limits?.hasPrefix("steps have umask 077, leave no core files and gain no privileges") == true)
    }

    @Test("settings with another word for it are refused")
    func mistake() async throws {
        let tree = try ScratchTree(Self.files("lax"))
        let refused = try await tree.expect(2, "validate")
        #expect(
            (refused.output + refused.errors).contains(
                "workflows/w.yaml:2:10: error: `sandbox` expects `off`, `standard` or `strict`, got `lax`"),
            "\(refused)")
    }

    @Test(
        "a tree with a part on a file system that keeps too little is refused by name",
        .enabled(if: People.arePlayable, "needs root"), arguments: ["runs", ".waybill"])
    func fileSystems(part: String) async throws {
        let tree = try ScratchTree()
        try FileManager.default.createDirectory(at: tree[part], withIntermediateDirectories: true)
        let command = "mount -t hugetlbfs none \(part) || exit 99; exec \(Waybill.binary.path()) list"
        let refused = try await tree.run("unshare", "-m", "sh", "-c", command)
        // Not every machine lets tests mount.
        if refused.status == 99 || refused.errors.contains("unshare") { return }
        #expect(refused.status != 0)
        #expect(refused.errors.contains("the hugetlbfs file system"), "\(refused)")
        #expect(refused.errors.contains("/\(part)"), "\(refused)")
    }
}
