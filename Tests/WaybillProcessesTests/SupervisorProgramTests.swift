import CLinux
import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillTestKit

@testable import WaybillProcesses

@Suite("The supervisor's executable")
struct SupervisorProgramTests {
    @Test("is looked for beside this one, also when that was replaced since")
    func beside() {
        #expect(SupervisorProgram.beside("/opt/bin/waybill") == "/opt/bin/waybill-supervisor")
        #expect(SupervisorProgram.beside("/opt/bin/waybill (deleted)") == "/opt/bin/waybill-supervisor")
    }

    @Test("that is missing is named")
    func missing() throws {
        let folder = ScratchFolder()
        let program = SupervisorProgram(path: folder.file("waybill-supervisor"))
        let launcher = try SupervisedLauncher(caches: folder.makeFolder(".waybill"), program: program)
        defer { launcher.shutDown() }
        let request = LaunchRequest(argv: ["true"], environment: [:], workingDirectory: folder.path)
        let refusal = #expect(throws: LaunchError.self) { _ = try launcher.launch(request) { _ in } }
        #expect(refusal?.code == .system)
        #expect(
            refusal?.message
                == "\(program.path): No such file or directory; it belongs beside the waybill executable")
    }

    @Test("that does not speak this version says so")
    func version() async throws {
        let bench = try Bench()
        let program = SupervisorProgram().path.string
        let outcome = try await bench.run(bench.request([program, "1000", bench.folder.path.string]))
        #expect(outcome.end == .exited(code: 1))
        #expect(
            bench.stdout
                == "this waybill-supervisor is of another version than the waybill that asks for it; start that one anew\n"
        )
    }

    @Test("serves a tree once, however many start it, and only its owner meets it")
    func once() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("up")
        let ending = Ending()
        // As long as a program runs, the one that serves stays.
        let process = try bench.launcher.launch(bench.script("echo > up; exec sleep 1000"), ended: ending.come)
        _ = bench.hear("up")
        let path = bench.folder.file(".waybill/supervisor-\(WB_SUPERVISION_VERSION)-\(geteuid()).sock").string
        var before = stat()
        #expect(stat(path, &before) == 0)
        #expect(before.st_mode & 0o7777 == 0o600)
        for _ in 0..<3 { try SupervisorProgram().start(in: bench.folder.file(".waybill")) }
        var after = stat()
        #expect(stat(path, &after) == 0)
        #expect(after.st_ino == before.st_ino)
        process.kill()
        #expect(await ending.outcome()?.end == .signalled(signal: SIGKILL, coreDumped: false))
    }

    @Test("that is asked to end does so once nothing runs, and leaves no socket")
    func ends() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("up")
        bench.folder.makeFIFO("go")
        let ending = Ending()
        _ = try bench.launcher.launch(bench.script("echo > up; read line < go; exit 6"), ended: ending.come)
        _ = bench.hear("up")
        let supervisor = try #require(fields(of: try bench.monitor()).dropFirst().first.flatMap { Int32($0) })
        kill(supervisor, SIGTERM)
        bench.folder.write("go", "\n")
        #expect(await ending.outcome()?.end == .exited(code: 6))
        untilGone(supervisor)
        #expect(
            access(bench.folder.file(".waybill/supervisor-\(WB_SUPERVISION_VERSION)-\(geteuid()).sock").string, F_OK)
                == -1)
    }
}
