import Foundation
import Testing
import WaybillCore

/// What is sensitive stands in one place, and is gone from there when somebody says so.
@Suite("Sensitive outputs and erasure")
struct ErasureTests {
    private static let canary = "canary-4711"
    private static let workflow = """
        kind: Workflow
        name: mail
        steps:
          - id: fetch
            run: "printf '{\\"address\\":\\"%s-%s\\",\\"n\\":3}' canary 4711"
            output: {format: json, sensitive: true, schema: {type: object}}
            verify: ["output.address != ''"]
          - id: send
            if: steps.fetch.output.n == 3
            run: {script: 'test "$(cat)" = "$ADDRESS" && test -n "$ADDRESS" && echo "${#ADDRESS}"', stdin: "${{ steps.fetch.output.address }}"}
            env: {ADDRESS: "${{ steps.fetch.output.address }}"}
            output: text
          - {id: mark, snapshot: {name: sent}}
          - {id: ask, ask: {prompt: "Sent ${{ steps.send.?output.orValue('') }} characters?", approval: true}}
        outputs: {length: "${{ steps.send.output }}"}
        """

    private func tree() async throws -> ScratchTree {
        let tree = try await ScratchTree.signing([
            "workflows/mail.yaml": Self.workflow, "hooks/any": "#!/bin/sh\ncat >> seen.txt\n",
        ])
        try await tree.expect(3, "run", "mail", "--id", "r")
        return tree
    }

    @Test("it is in artifacts and nowhere else, while later steps use it")
    func nowhereElse() async throws {
        let tree = try await tree()
        let places = tree.files(holding: Self.canary)
        #expect(!places.isEmpty)
        #expect(places.allSatisfy { $0.hasPrefix("runs/r/artifacts/sha256/") }, "\(places)")
        #expect(try tree.count("TASK_END", "send", of: "r") == 1)
        let end = try tree.ledger("r").first { $0["type"] == "TASK_END" && $0["step"] == "fetch" }
        #expect(end?.member("data")?.member("outputRef")?.member("sensitive") == true)
        #expect(end?.member("data")?.member("output") == nil)
        let guarding = try tree.ledger("r").first { $0["type"] == "GUARD_EVAL" }
        #expect(guarding?.member("data")?.member("values") == ["steps.fetch.output.n": "(sensitive)"])
    }

    @Test("an erasure leaves nothing of it, and the history verifies")
    func erased() async throws {
        let tree = try await tree()
        let asked = try await tree.expect(2, "erase", "r", "--step", "fetch")
        #expect(asked.errors.contains("--yes"))
        #expect(!tree.files(holding: Self.canary).isEmpty)
        try await tree.expect(0, "approve", "r", "ask")
        #expect(tree.member("runs/r/run.json", "outputs", "length") == "11")
        // Also behind the run's end.
        try await tree.expect(0, "erase", "r", "--step", "fetch", "--yes")
        #expect(tree.files(holding: Self.canary) == [])
        #expect(try tree.types("r").suffix(2) == ["ERASED", "SIGNED"])
        let verified = try await tree.expect(0, "verify", "r", "--deep")
        #expect(verified.output.contains("what it names was erased"))
        let again = try await tree.expect(0, "erase", "r", "--step", "fetch", "--yes")
        #expect(again.output.contains("they had been erased before"))
        #expect(try tree.count("ERASED", of: "r") == 1)
    }

    @Test("projections of a run are the same with and without what was erased")
    func projections() async throws {
        let tree = try await tree()
        try await tree.expect(0, "erase", "r", "--step", "fetch", "--yes")
        let before = tree.names(in: "runs/r/checkpoints").map { tree.bytes("runs/r/checkpoints/\($0)") }
        tree.forgetHeads(of: "r")
        try await tree.expect(3, "reconcile")
        #expect(tree.names(in: "runs/r/checkpoints").map { tree.bytes("runs/r/checkpoints/\($0)") } == before)
        try await tree.expect(0, "verify", "r", "--deep")
        try await tree.expect(0, "approve", "r", "ask")
    }

    @Test("what stands in the ledger itself cannot be erased, and is not")
    func inline() async throws {
        let tree = try await tree()
        let refused = try await tree.expect(2, "erase", "r", "--step", "ask", "--yes")
        #expect(refused.errors.contains("nothing that can be erased"))
        #expect(try tree.count("ERASED", of: "r") == 0)
        let unknown = try await tree.expect(2, "erase", "r", "--step", "nobody", "--yes")
        #expect(unknown.errors.contains("has no step 'nobody'"))
    }

    @Test("a result that fails its own test does not show what it was")
    func rejected() async throws {
        let tree = try ScratchTree([
            "workflows/w.yaml": """
            kind: Workflow
            name: w
            steps:
              - id: fetch
                run: "printf '{\\"address\\":\\"%s-%s\\"}' canary 4711"
                output: {format: json, sensitive: true, schema: {type: object, properties: {address: {maxLength: 3}}}}
            """
        ])
        try await tree.expect(1, "run", "w", "--id", "r")
        #expect(tree.files(holding: Self.canary) == [])
        #expect(tree.member("runs/r/run.json", "error", "kind") == "verification")
    }

    @Test("reading it where it would be recorded is refused, with the place and the way")
    func validation() async throws {
        let tree = try ScratchTree([
            "workflows/w.yaml": """
            kind: Workflow
            name: w
            steps:
              - {id: fetch, run: [cat], output: {format: text, sensitive: true}}
              - {id: send, run: [mail, "${{ steps.fetch.output }}"]}
            outputs: {address: "${{ steps.fetch.output }}"}
            """
        ])
        let refused = try await tree.expect(2, "validate")
        let text = refused.output + refused.errors
        #expect(text.contains("w.yaml:5:"))
        #expect(text.contains("w.yaml:6:"))
        #expect(text.contains("the output of `fetch` is sensitive, and would be recorded here"))
        #expect(text.contains("`env` or `stdin`"))
    }
}
