import Glibc
import Testing
import WaybillCore

/// What steps may use of the machine.
@Suite("Limits of steps")
struct LimitTests {
    private static let files = [
        "workflows/w.yaml": """
        kind: Workflow
        name: busy
        steps:
          - {id: spin, run: [./spin.sh], limits: {cpu: 1s}, retry: {maxAttempts: 3}, continueOnError: true}
          - {id: child, run: "sh -c 'while :; do :; done'", limits: {cpu: 1s}, continueOnError: true}
          - {id: big, run: [dd, if=/dev/zero, of=/dev/null, bs=256M, count=1], limits: {memory: 64MiB}, continueOnError: true}
          - {id: held, uses: look@1, limits: {files: 99}}
          - {id: plain, run: [./look.sh]}
        ---
        kind: Capability
        name: look
        version: 1.0.0
        run: [./look.sh]
        limits: {files: 50, memory: 512MiB}
        """,
        "workflows/spin.sh": "#!/bin/sh\nwhile :; do :; done\n",
        "workflows/look.sh": "#!/bin/sh\ncat /proc/self/limits; grep NoNewPrivs /proc/self/status; umask\n",
    ]

    private static let spent = "used more processor time than `limits.cpu` allows (1s)"

    @Test("are the kernel's, and a step that was ended for them says which")
    func limits() async throws {
        let tree = try ScratchTree(Self.files)
        let run = try await tree.expect(0, "run", "busy", "--id", "r")
        #expect((run.output + run.errors).contains(Self.spent))
        let ends = try tree.ledger("r").filter { $0["type"] == "TASK_END" }
        let errors = ends.compactMap { $0["data"]?["error"] }
        #expect(errors.count == 3)
        #expect(errors[0]["kind"] == "limit")
        #expect(errors[0]["message"] == .string(Self.spent))
        #expect(errors[0]["signal"] == .int(Int64(SIGXCPU)))
        #expect(errors[1]["kind"] == "limit")
        #expect(errors[1]["message"] == .string(Self.spent))
        #expect(errors[1]["exitCode"] == 152)
        // What cannot have more memory ends in its own way.
        #expect(errors[2]["kind"] == "exit")
        #expect(tree.lines("runs/r/steps/big/1.1/stderr.log").joined().contains("memory exhausted"))
        // Another attempt would need as much.
        #expect(try tree.count("TASK_START", "spin", of: "r") == 1)
        #expect(tree.member("runs/r/steps/spin/1.1/exit.json", "limit") == "cpu")
        #expect(tree.member("runs/r/steps/plain/1.1/exit.json", "limit") == .null)
        let start = try tree.ledger("r").first { $0["type"] == "TASK_START" && $0["step"] == "held" }
        #expect(start?["data"]?["limits"] == ["memory": 536_870_912, "files": 99])
    }

    @Test(
        "hold a capability's programs, the step's before the capability's, and no step leaves a core or gains privileges"
    )
    func held() async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.expect(0, "run", "busy", "--id", "r")
        func limit(_ step: String, _ name: String) -> [Substring]? {
            tree.lines("runs/r/steps/\(step)/1.1/stdout.log").first { $0.hasPrefix(name) }
                .map { Array($0.dropFirst(name.count).split(separator: " ").prefix(2)) }
        }
        #expect(limit("held", "Max open files") == ["99", "99"])
        #expect(limit("held", "Max address space") == ["536870912", "536870912"])
        #expect(limit("plain", "Max address space") == ["unlimited", "unlimited"])
        for step in ["held", "plain"] {
            #expect(limit(step, "Max core file size") == ["0", "0"])
            #expect(tree.lines("runs/r/steps/\(step)/1.1/stdout.log").suffix(2) == ["NoNewPrivs:\t1", "0077"])
        }
    }

    @Test("are explained, and refused where they cannot be meant")
    func explained() async throws {
        let tree = try ScratchTree(Self.files)
        let explained = try await tree.expect(0, "explain", "busy")
        #expect(explained.output.contains("1s of processor time"))
        #expect(
            explained.output.contains("512MiB of memory, 99 open files, completed by its capability"), "\(explained)")
        try tree.write(
            "kind: Workflow\nname: v\nsteps:\n  - {id: a, run: [x], limits: {memroy: 1GiB}}\n",
            to: "workflows/v.yaml")
        let refused = try await tree.expect(2, "validate")
        #expect(
            (refused.output + refused.errors).contains(
                "workflows/v.yaml:4:32: error: `limits` of a process has no field `memroy`"), "\(refused)")
    }
}
