import Foundation
import Glibc
import Testing
import WaybillCore

/// Control groups of steps, where the tests may make groups of version 2.
@Suite("Control groups of steps", .enabled(if: GroupBench.isOffered, "needs root and a hierarchy of version 2"))
struct GroupTests {
    private static let files = [
        "workflows/w.yaml": """
        kind: Workflow
        name: grouped
        steps:
          - {id: alone, run: [./look.sh], limits: {memory: 512MiB, processes: 100}, output: lines}
          - {id: plain, run: [./look.sh], output: lines}
        ---
        kind: Workflow
        name: greedy
        steps:
          - id: a
            run: "dd if=/dev/zero of=/dev/null bs=200M count=1 & wait $!"
            limits: {memory: 64MiB}
        """,
        "workflows/look.sh": """
        #!/bin/sh
        grep '^0::' /proc/self/cgroup
        grep 'Max address space' /proc/self/limits | tr -s ' ' | cut -d ' ' -f 4
        setsid sleep 1000 > /dev/null 2>&1 &
        """,
    ]

    @Test("take in steps with limits, all that these started, and are gone with them")
    func groups() async throws {
        let bench = try GroupBench(isGiven: true)
        defer { bench.remove() }
        let tree = try ScratchTree(Self.files)
        let run = try await bench.waybill(tree, "run grouped --id r")
        #expect(run.status == 0, "\(run)")
        let outputs = try tree.data("TASK_END", of: "r").map {
            $0["output"]?.listValue?.compactMap(\.stringValue) ?? []
        }
        #expect(outputs[0].first?.hasPrefix("0::\(bench.name)/waybill-step-") == true, "\(outputs)")
        #expect(outputs[1].first == "0::\(bench.name)/inner")
        // Without the controller each process is held instead.
        #expect(outputs[0].last == (bench.has("memory") ? "unlimited" : "536870912"))
        #expect(outputs[1].last == "unlimited")
        #expect(tree.member("runs/r/steps/alone/1.1/exit.json", "leftBehind") == 1)
        #expect(bench.steps == [])
    }

    @Test(
        "end a step that wants more memory than it may have, and it says so",
        .enabled(if: GroupBench.hasMemory, "needs the controller of memory in the hierarchy of version 2"))
    func memory() async throws {
        let bench = try GroupBench(isGiven: true)
        defer { bench.remove() }
        let tree = try ScratchTree(Self.files)
        let run = try await bench.waybill(tree, "run greedy --id r")
        #expect(run.status == 1)
        #expect(tree.member("runs/r/run.json", "error", "kind") == "limit")
        #expect(
            tree.member("runs/r/run.json", "error", "message")
                == "used more memory than `limits.memory` allows (64MiB)")
    }

    @Test("are made only in a group that was given away, and doctor says what there is")
    func given() async throws {
        let bench = try GroupBench(isGiven: false)
        defer { bench.remove() }
        let tree = try ScratchTree(Self.files)
        let run = try await bench.waybill(tree, "run grouped --id r")
        #expect(run.status == 0, "\(run)")
        for end in try tree.data("TASK_END", of: "r") {
            #expect(end["output"]?.listValue?.first?.stringValue == "0::\(bench.name)/inner")
        }
        let report = try await bench.waybill(tree, "doctor")
        #expect(report.output.contains("no control group was given to Waybill here"), "\(report)")
        try bench.give()
        let given = try await bench.waybill(tree, "doctor")
        #expect(!given.output.contains("no control group was given"), "\(given)")
        let lacks = !bench.has("memory") || !bench.has("pids")
        #expect(given.output.contains("the control group given has no") == lacks, "\(given)")
    }
}

/// A group of control groups for one test, with one in it for what the test starts.
struct GroupBench {
    private static let root: String? = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first {
        access($0 + "/cgroup.controllers", R_OK) == 0 && access($0 + "/cgroup.kill", F_OK) != 0
    }
    static let isOffered: Bool = {
        guard geteuid() == 0, let bench = try? GroupBench(isGiven: true) else { return false }
        defer { bench.remove() }
        return access(bench.path + "/cgroup.kill", W_OK) == 0
    }()

    static let hasMemory: Bool = {
        guard isOffered, let bench = try? GroupBench(isGiven: true) else { return false }
        defer { bench.remove() }
        return bench.has("memory")
    }()

    /// As `/proc/self/cgroup` has it.
    let name: String
    let path: String

    init(isGiven: Bool) throws {
        name = "/waybill-test-\(UUID().uuidString.prefix(8))"
        path = (Self.root ?? "/nowhere") + name
        for folder in [path, path + "/inner"] {
            guard mkdir(folder, 0o755) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        }
        if isGiven { try give() }
    }

    func remove() {
        // The supervisor lives on for a while.
        let kill = open(path + "/cgroup.kill", O_WRONLY | O_CLOEXEC)
        _ = write(kill, "1", 1)
        close(kill)
        while Glibc.rmdir(path + "/inner") != 0, errno == EBUSY { sched_yield() }
        for step in steps { Glibc.rmdir(path + "/" + step) }
        Glibc.rmdir(path)
    }

    func give() throws {
        // Swift's own module leaves this one out.
        typealias Function =
            @convention(c) (
                UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer, Int, CInt
            ) -> CInt
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "setxattr") else { throw POSIXError(.ENOSYS) }
        guard unsafeBitCast(symbol, to: Function.self)(path, "user.delegate", "1", 1, 0) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }

    func has(_ controller: String) -> Bool {
        let text = (try? String(contentsOfFile: path + "/cgroup.controllers", encoding: .utf8)) ?? ""
        return text.split(whereSeparator: \.isWhitespace).contains { $0 == controller }
    }

    /// The groups of attempts that there are.
    var steps: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasPrefix("waybill-step-") }
    }

    /// Runs `waybill` in the inner group.
    func waybill(_ tree: ScratchTree, _ arguments: String) async throws -> Finished {
        try await tree.run(
            "sh", "-c", "echo $$ > \(path)/inner/cgroup.procs && exec \(Waybill.binary.path()) \(arguments)")
    }
}
