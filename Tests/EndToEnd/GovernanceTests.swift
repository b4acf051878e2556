import Foundation
import Testing
import WaybillCore

/// Policies, budgets, capabilities, concurrency groups and pools, through the built executable.
@Suite("What runs may do, and how many at once")
struct GovernanceTests {
    private static let guardPolicy = """
        kind: Policy
        name: production-guard
        match: {workflows: {labels: {environment: production}}}
        rules:
          - {id: few, at: run.admit, deny: inputs.n > 10, message: "${{ inputs.n }} are too many"}
          - {id: listed, at: step.before, deny: "step.action == 'run' && !(step.argv[0] in ['true', 'echo'])"}
          - {id: big, at: step.before, if: step.id == 'big', require: {approval: {prompt: "Really ${{ step.argv[1] }}?"}}}
        tests:
          - {name: rm, at: step.before, given: {step: {action: run, argv: [rm]}}, expect: deny, rule: listed}
          - {name: big, at: step.before, given: {step: {id: big, action: run, argv: [echo, x]}}, expect: require, rule: big}
          - {name: admitted, at: run.admit, given: {inputs: {n: 3}}, expect: allow}

        """

    private func guarded(_ steps: String) throws -> ScratchTree {
        try ScratchTree([
            "workflows/policy.yaml": Self.guardPolicy,
            "workflows/w.yaml": """
            kind: Workflow
            name: w
            labels: {environment: production}
            inputs: {n: {type: integer, default: 1}}
            steps: [\(steps)]

            """,
        ])
    }

    @Test("a guard denies a tool that is not listed, and a start that it does not admit")
    func denied() async throws {
        let tree = try guarded("{id: a, run: [touch, made]}")
        try await tree.expect(1, "run", "w", "--id", "r1")
        #expect(tree.member("runs/r1/run.json", "error", "kind") == .string("policy"))
        #expect(!tree.exists("made"))
        let refused = try await tree.expect(1, "run", "w", "--id", "r2", "--input", "n=11")
        #expect(refused.errors.contains("production-guard/few: 11 are too many"), "\(refused)")
        #expect(!tree.exists("runs/r2"))
        let entries = tree.lines("runs/journal.jsonl").filter { $0.contains("START_REFUSED") }
        #expect(entries.count == 1)
        #expect(entries.first?.contains(#""values":{"inputs.n":11}"#) == true)
        try tree.drop(#"{"workflow":"w","id":"r3","inputs":{"n":11}}"#, at: "runs/inbox/r3.json")
        _ = try await tree.waybill("reconcile")
        let reason = tree.names(in: "runs/inbox/rejected").first { $0.hasSuffix("reason.json") } ?? ""
        #expect(tree.member("runs/inbox/rejected/\(reason)", "kind") == .string("policy"))
    }

    @Test("an approval that a policy requires is asked for and given")
    func approved() async throws {
        let tree = try guarded("{id: big, run: [echo, money], output: text}")
        try await tree.expect(3, "run", "w", "--id", "r1")
        #expect(tree.member("runs/r1/waits/big-big.json", "prompt") == .string("Really money?"))
        #expect(tree.member("runs/r1/waits/big-big.json", "reason") == .string("policy"))
        try await tree.expect(0, "approve", "r1", "big-big")
        #expect(tree.status("r1") == "completed")
        try await tree.expect(0, "verify", "r1", "--deep")
    }

    @Test("a policy's own cases are tried, and one that fails is told")
    func policyTests() async throws {
        let tree = try guarded("{id: a, run: ['true']}")
        let passed = try await tree.expect(0, "policy", "test")
        #expect(passed.lines.last == "3 passed, 0 failed", "\(passed)")
        try tree.write(
            Self.guardPolicy + "  - {name: wrong, at: run.admit, given: {inputs: {n: 3}}, expect: deny}\n",
            to: "workflows/policy.yaml")
        let failed = try await tree.expect(1, "policy", "test", "production-guard", "--json")
        let report = try JSON.parse([UInt8](failed.output.utf8))
        #expect(report.member("failed") == .int(1))
    }

    @Test("a present policy that binds running runs stops a run that has started")
    func running() async throws {
        let tree = try guarded("{id: ask, ask: {prompt: 'Go?'}}, {id: a, run: [echo, x]}")
        try await tree.expect(3, "run", "w", "--id", "r1")
        try tree.write(
            "kind: Policy\nname: freeze\nbinds: running\nrules: [{id: all, at: step.before, deny: step.action == 'run'}]\n",
            to: "workflows/freeze.yaml")
        try tree.drop("1", at: "runs/r1/inbox/ask.json")
        _ = try await tree.waybill("reconcile")
        #expect(tree.status("r1") == "failed")
        #expect(tree.lines("runs/r1/ledger.jsonl").contains { $0.contains(#""binds":"running""#) })
    }

    @Test(
        "a budget stops a run before the step that would be one too many, also in a sub-run that was granted the rest")
    func budget() async throws {
        let tree = try ScratchTree([
            "workflows/w.yaml": """
            kind: Workflow
            name: w
            limits: {steps: 3}
            steps:
              - {id: a, run: ['true']}
              - {id: b, call: {workflow: inner}}
            ---
            kind: Workflow
            name: inner
            steps: [{id: x, run: ['true']}, {id: y, run: [touch, made]}]

            """
        ])
        try await tree.expect(1, "run", "w", "--id", "r1")
        #expect(!tree.exists("made"))
        let child = try #require(tree.names(in: "runs").first { $0.hasPrefix("inner-") })
        #expect(tree.member("runs/\(child)/run.json", "error", "kind") == .string("limit"))
        #expect(tree.lines("runs/\(child)/ledger.jsonl").first?.contains(#""grant":{"steps":1}"#) == true)
    }

    private static let capability = """
        kind: Capability
        name: publish
        version: 1.2.0
        inputs: {file: {type: string}}
        output: {type: object, properties: {url: {type: string}}, required: [url]}
        sideEffects: effect
        run: [./publish.sh, "${{ inputs.file }}"]
        env: {PLACE: "${{ inputs.file }}"}
        retry: {maxAttempts: 2, initial: 0s}
        compensate: {run: [./unpublish.sh, "${{ inputs.file }}", "${{ output.url }}"]}

        """

    @Test("a capability runs its own programs with its own inputs, is retried, and undoes what it did")
    func capability() async throws {
        let tree = try ScratchTree([
            "workflows/lib/publish.yaml": Self.capability,
            "workflows/lib/publish.sh": """
            #!/bin/sh -eu
            echo "$1 $PLACE $(basename "$WAYBILL_SOURCE_DIR")" >> published
            [ "$WAYBILL_ATTEMPT" = 2 ] || exit 1
            printf '{"url": "at/%s"}' "$1"

            """,
            "workflows/lib/unpublish.sh": "#!/bin/sh -eu\necho \"$1 $2\" >> withdrawn\n",
            "workflows/w/w.yaml": """
            kind: Workflow
            name: w
            inputs: {version: {type: string, default: v1}}
            env: {VERSION: "${{ inputs.version }}"}
            steps:
              - id: all
                forEach: [one, two]
                uses: publish@1
                with: {file: "${{ item }}"}
              - {id: check, run: ['false']}

            """,
        ])
        try await tree.expect(1, "run", "w", "--id", "r1")
        #expect(tree.lines("published").sorted() == ["one one lib", "one one lib", "two two lib", "two two lib"])
        #expect(tree.lines("withdrawn").sorted() == ["one at/one", "two at/two"])
        #expect(tree.exists("runs/r1/definition/workflows/lib/publish.sh"))
        try await tree.expect(0, "verify", "r1", "--deep")
    }

    private static func grouped(_ onLimit: String) -> String {
        """
        kind: Workflow
        name: w
        inputs: {lane: {type: string, default: main}}
        concurrency: {group: "release-${{ inputs.lane }}", limit: 1, onLimit: \(onLimit)}
        steps: [{id: go, ask: {prompt: 'Go?'}}]

        """
    }

    @Test("the second run of a group waits until the first one ends, and one of another group does not")
    func queue() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": Self.grouped("queue")])
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "w", "--id", "r1")
            try await tree.untilWaiting("r1", for: "go")
            try await tree.expect(0, "run", "w", "--id", "r2")
            try await tree.untilStatus("r2", "pending")
            try await tree.expect(0, "run", "w", "--id", "r3", "--input", "lane=side")
            try await tree.untilWaiting("r3", for: "go")
            #expect(tree.status("r2") == "pending")
            try tree.drop("1", at: "runs/r1/inbox/go.json")
            try await tree.untilWaiting("r2", for: "go")
            #expect(tree.status("r1") == "completed")
        }
    }

    @Test("a full group skips a start, or ends its oldest run")
    func skipAndCancel() async throws {
        var tree = try ScratchTree(["workflows/w.yaml": Self.grouped("skip")])
        try await tree.expect(3, "run", "w", "--id", "r1")
        let skipped = try await tree.expect(1, "run", "w", "--id", "r2")
        #expect(skipped.errors.contains("is full (r1)"), "\(skipped)")
        #expect(!tree.exists("runs/r2"))
        tree = try ScratchTree(["workflows/w.yaml": Self.grouped("cancelOldest")])
        try await tree.expect(3, "run", "w", "--id", "r1")
        // The command that starts the second also ends the first, as nobody else is there to do it.
        try await tree.expect(3, "run", "w", "--id", "r2")
        #expect(tree.status("r1") == "cancelled")
        #expect(tree.status("r2") == "waiting")
    }

    @Test("a pool of one lets one attempt run at a time, whatever else may run")
    func pool() async throws {
        let tree = try ScratchTree([
            "workflows/settings.yaml": "kind: Settings\nname: default\npools: {gpu: 1}\n",
            "workflows/w.yaml": """
            kind: Workflow
            name: w
            steps:
              - id: train
                forEach: {items: [1, 2, 3, 4], maxParallel: 4}
                run: [./train.sh]
                pool: gpu

            """,
            "workflows/train.sh": """
            #!/bin/sh -eu
            mkdir held
            rmdir held
            echo done >> trained

            """,
        ])
        try await tree.expect(0, "run", "w", "--id", "r1")
        #expect(tree.lines("trained").count == 4)
        #expect(tree.names(in: ".waybill/pools/gpu") == ["1"])
    }
}
