import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

@Suite("A program that cannot start")
struct StartFailureTests {
    private func failure(
        _ bench: Bench, _ request: LaunchRequest
    ) async throws -> (errno: Int32, message: String) {
        let outcome = try await bench.run(request) { #expect($0.pid == nil) }
        guard case .failedToStart(let errno, let message) = outcome.end else {
            Issue.record("it started: \(outcome)")
            return (0, "")
        }
        #expect(outcome.usage == nil)
        let record = try JSON.parse(#require(bench.folder.read("exit.json")))
        #expect(try ProcessOutcome(record: record) == outcome)
        return (errno, message)
    }

    @Test("because it is nowhere in the PATH")
    func notFound() async throws {
        let bench = try Bench()
        let found = try await failure(bench, bench.request(["no-such-tool"]))
        #expect(found == (ENOENT, "no-such-tool: not found in PATH (/usr/bin:/bin)"))
    }

    @Test("because the path leads nowhere")
    func missing() async throws {
        let bench = try Bench()
        #expect(try await failure(bench, bench.request(["./tool"])) == (ENOENT, "./tool: No such file or directory"))
    }

    @Test("because it is not executable")
    func notExecutable() async throws {
        let bench = try Bench()
        bench.folder.write("tool", "#!/bin/sh\n")
        let found = try await failure(bench, bench.request(["./tool"]))
        #expect(found == (EACCES, "./tool: not executable (chmod +x ./tool)"))
    }

    @Test("because it is a folder")
    func folder() async throws {
        let bench = try Bench()
        bench.folder.makeFolder("tool")
        #expect(try await failure(bench, bench.request(["./tool"])) == (EACCES, "./tool: is a directory"))
    }

    @Test("because its interpreter is missing")
    func interpreter() async throws {
        let bench = try Bench()
        bench.folder.write("tool", "#! /no/such/python -u\n", mode: 0o700)
        let found = try await failure(bench, bench.request(["./tool"]))
        #expect(found == (ENOENT, "./tool: its interpreter /no/such/python does not exist"))
    }

    @Test("because its first line ends as on Windows")
    func carriageReturn() async throws {
        let bench = try Bench()
        bench.folder.write("tool", "#!/bin/sh\r\necho\r\n", mode: 0o700)
        let found = try await failure(bench, bench.request(["./tool"]))
        #expect(
            found == (ENOENT, "./tool: its first line ends with a carriage return; save it with Unix line ends"))
    }

    @Test("because it is no program")
    func noProgram() async throws {
        let bench = try Bench()
        bench.folder.write("tool", "echo no interpreter\n", mode: 0o700)
        let found = try await failure(bench, bench.request(["./tool"]))
        #expect(
            found == (ENOEXEC, "./tool: neither a program for this machine nor a script that begins with #!"))
    }

    @Test("because its working directory is missing")
    func workingDirectory() async throws {
        let bench = try Bench()
        let missing = bench.folder.file("missing")
        let found = try await failure(bench, bench.request(["true"]) { $0.workingDirectory = missing })
        #expect(found == (ENOENT, "working directory \(missing): No such file or directory"))
    }

    @Test("because its arguments are too long")
    func tooLong() async throws {
        let bench = try Bench()
        let found = try await failure(bench, bench.request(["true", String(repeating: "x", count: 1 << 20)]))
        #expect(found == (E2BIG, "true: arguments and environment are too long for the system"))
    }

    @Test(
        "because the request makes no sense is refused",
        arguments: [
            ([], [:], "there is no program to start: argv is empty"),
            ([""], [:], "there is no program to start: argv is empty"),
            (["true", "a\0b"], [:], "an argument contains a NUL character"),
            (["true"], ["A=B": ""], "an environment variable cannot be called \"A=B\""),
            (["true"], ["": ""], "an environment variable cannot be called \"\""),
            (["true"], ["A": "\0"], "the environment variable A contains a NUL character"),
        ] as [([String], [String: String], String)])
    func refused(argv: [String], environment: [String: String], message: String) throws {
        let bench = try Bench()
        let refusal = #expect(throws: LaunchError.self) {
            _ = try bench.launcher.launch(bench.request(argv) { $0.environment = environment }) { _ in }
        }
        #expect(refusal == LaunchError(code: .invalidRequest, message: message))
        #expect(bench.folder.read("stdout.log") == nil)
    }

    @Test("because a log exists is refused, and leaves nothing behind")
    func logExists() throws {
        let bench = try Bench()
        let log = bench.folder.write("stderr.log", "precious")
        let refusal = #expect(throws: LaunchError.self) {
            _ = try bench.launcher.launch(bench.request(["true"])) { _ in }
        }
        #expect(bench.folder.read("monitor.lock") == nil)
        #expect(
            refusal
                == LaunchError(
                    code: .log, message: "cannot create the log \(log): File exists", path: log, cause: .fileExists))
        #expect(bench.stderr == "precious")
        #expect(bench.folder.read("stdout.log") == nil)
    }

    @Test("does not keep a log that is a link")
    func linkedLog() throws {
        let bench = try Bench()
        symlink("/tmp/waybill-elsewhere", bench.folder.file("stdout.log").string)
        let refusal = #expect(throws: LaunchError.self) {
            _ = try bench.launcher.launch(bench.request(["true"])) { _ in }
        }
        #expect(refusal?.code == .log)
    }
}
