import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

@Suite("What a program leaves behind")
struct LeftBehindTests {
    // Each tells its number through a FIFO before the first process ends, and would live for 1,000 s.
    @Test(
        "is dead when the program has ended",
        arguments: [
            // In its process group.
            "sh -c 'echo $$ > ready; exec sleep 1000' &",
            // In a session of its own.
            "setsid sh -c 'echo $$ > ready; exec sleep 1000' &",
            // Without a parent, in a session of its own, in a cleared environment, ignoring all it can.
            "setsid sh -c 'env -i setsid sh -c \"trap : TERM HUP INT; echo \\$\\$ > ready; while :; do sleep 1000; done\" &' &",
            // The child of such a one.
            "setsid sh -c 'setsid sh -c \"(echo \\$\\$ > ready; exec sleep 1000); true\" & exit' &",
            // Stopped.
            "setsid sh -c 'echo $$ > ready; kill -STOP $$; exec sleep 1000' &",
        ])
    func dies(background: String) async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        let outcome = try await bench.run(bench.script("\(background)\nread pid < ready; echo $pid"))
        #expect(outcome.end == .exited(code: 0))
        let pid = try #require(Int32(bench.stdout.dropLast()))
        #expect(!exists(pid))
        #expect(outcome.leftBehind >= 1)
        #expect(outcome.stillRunning == 0)
        #expect(outcome.stop == nil)
    }

    @Test("counts only what lived")
    func nothing() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(bench.script("true & (true &) ; wait"))
        #expect(outcome.end == .exited(code: 0))
        #expect(outcome.stillRunning == 0)
    }

    @Test("of one program does not touch another that runs beside it")
    func neighbour() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("daemon")
        bench.folder.makeFIFO("answer")
        bench.folder.makeFIFO("go")
        // A neighbour with an orphan, which answers only after the other program was swept.
        let neighbour = bench.script(
            "(setsid sh -c 'echo up > daemon; read line < go; echo alive > answer' &); read line < answer; echo $line"
        ) {
            $0.stdoutPath = bench.folder.file("neighbour.log")
            $0.stderrPath = nil
            $0.exitFile = nil
        }
        let ended = try await bench.run(neighbour) { _ in
            #expect(bench.hear("daemon") == "up\n")
            let done = Latch()
            _ = try? bench.launcher.launch(bench.script("setsid sleep 1000 & true")) { _ in done.open() }
            done.wait()
            bench.folder.write("go", "\n")
        }
        #expect(ended.end == .exited(code: 0))
        #expect(bench.folder.text("neighbour.log") == "alive\n")
    }

    @Test("is no zombie of ours either")
    func zombies() async throws {
        let bench = try Bench()
        _ = try await bench.run(bench.script("for i in 1 2 3 4 5; do (sh -c 'echo $$' & ) ; done; sleep 0"))
        for line in bench.stdout.split(separator: "\n") {
            let pid = try #require(Int32(line))
            #expect(!exists(pid))
        }
    }
}
