import Testing
import WaybillCore

/// The auditor's check, which knows nothing of Waybill, on ledgers written by hand.
@Suite("An audit with sha256sum and jq")
struct AuditTests {
    private static let run = "runs/r"

    /// A run folder of three entries whose chain, head and definition hold.
    private func tree(
        change: (inout [String]) -> Void = { _ in }, definition: String = "kind: Workflow\n", newline: String = "\n"
    ) throws -> ScratchTree {
        let digest = Digest.sha256([UInt8]("kind: Workflow\n".utf8)).hex
        let index = #"{"format":1,"files":[{"path":"workflows/w.yaml","sha256":"\#(digest)"}]}"#
        var head = Digest.sha256([UInt8](index.utf8)).hex
        var lines: [String] = []
        for (seq, type) in ["RUN_START", "TASK_END", "RUN_END"].enumerated() {
            // Text that a careless shell would change.
            lines.append(#"{"seq":\#(seq + 1),"type":"\#(type)","data":{"text":"a\\b  $x 100%s"},"prev":"\#(head)"}"#)
            head = Digest.sha256([UInt8](lines[seq].utf8)).hex
        }
        change(&lines)
        return try ScratchTree(
            [
                "\(Self.run)/definition/index.json": index,
                "\(Self.run)/definition/workflows/w.yaml": definition,
                "\(Self.run)/ledger.jsonl": lines.joined(separator: "\n") + newline,
                "\(Self.run)/run.json": #"{"ledger":{"seq":3,"head":"\#(head)"}}"#,
            ], copying: ["Tests/Scripts/audit.sh"])
    }

    private func audit(_ tree: ScratchTree) async throws -> Finished {
        try await tree.run("Tests/Scripts/audit.sh", Self.run)
    }

    @Test("a sound run passes, and its head is named")
    func soundRun() async throws {
        let finished = try await audit(try tree())
        #expect(finished.status == 0, "\(finished)")
        #expect(finished.output.hasPrefix("3 entries, head "))
    }

    @Test("a changed entry is found at the one after it")
    func changedEntry() async throws {
        let finished = try await audit(
            try tree(change: { lines in lines[1] = lines[1].replacing("TASK_END", with: "TASK_ENd") }))
        #expect(finished.status == 1)
        #expect(finished.output == "entry 3 does not follow from the one before\n")
    }

    @Test("a removed entry is found")
    func removedEntry() async throws {
        let finished = try await audit(try tree(change: { $0.remove(at: 1) }))
        #expect(finished.status == 1)
        #expect(finished.output == "entry 3 does not follow from the one before\n")
    }

    @Test("a ledger that was cut short is found by its head")
    func cutLedger() async throws {
        let finished = try await audit(try tree(change: { $0.removeLast() }))
        #expect(finished.status == 1)
        #expect(finished.output == "the ledger ends before its head\n")
    }

    @Test("a last line that is not whole is found")
    func tornLine() async throws {
        let finished = try await audit(try tree(newline: ""))
        #expect(finished.status == 1)
        #expect(finished.output == "the last line is not whole\n")
    }

    @Test("a changed definition is found")
    func changedDefinition() async throws {
        let finished = try await audit(try tree(definition: "kind: Workflow # and more\n"))
        #expect(finished.status == 1)
        #expect(finished.errors.contains("definition/workflows/w.yaml") || finished.output.contains("FAILED"))
    }

    @Test("the README shows the function that is tested here")
    func readmeShowsIt() throws {
        let tree = try ScratchTree(copying: ["README.md", "Tests/Scripts/audit.sh"])
        func function(_ path: String) -> [String] {
            let lines = tree.lines(path)
            guard let first = lines.firstIndex(where: { $0.hasPrefix("audit() (") }),
                let last = lines[first...].firstIndex(of: ")")
            else { return [] }
            return Array(lines[first...last])
        }
        #expect(function("README.md").count > 8)
        #expect(function("README.md") == function("Tests/Scripts/audit.sh"))
    }
}
