import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

@Suite("Stopping a program")
struct StoppingTests {
    @Test("at its timeout sends TERM")
    func timeout() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(bench.request(["sleep", "1000"]) { $0.timeout = .milliseconds(100) })
        #expect(outcome.end == .signalled(signal: SIGTERM, coreDumped: false))
        #expect(outcome.stop == .timeout)
        #expect(outcome.timedOut)
        #expect(outcome.endedAt - outcome.startedAt >= .milliseconds(100))
        #expect(try JSON.parse(#require(bench.folder.read("exit.json")))["timedOut"] == true)
    }

    @Test("lets it answer as it likes")
    func answer() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        bench.folder.makeFIFO("never")
        let text = "trap 'echo bye; exit 7' TERM; exec 3<> never; echo > ready; read line <&3"
        let outcome = try await bench.run(bench.script(text)) { process in
            _ = bench.hear("ready")
            process.terminate(grace: nil)
        }
        #expect(outcome.end == .exited(code: 7))
        #expect(outcome.stop == .request)
        #expect(bench.stdout == "bye\n")
    }

    @Test("kills what ignores TERM when the grace is over")
    func stubborn() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        let outcome = try await bench.run(bench.script("trap '' TERM; echo > ready; exec sleep 1000")) { process in
            _ = bench.hear("ready")
            process.terminate(grace: .milliseconds(20))
        }
        #expect(outcome.end == .signalled(signal: SIGKILL, coreDumped: false))
        #expect(outcome.stop == .request)
        #expect(outcome.endedAt - outcome.startedAt >= .milliseconds(20))
    }

    @Test("on request ends it, and says so")
    func request() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        let outcome = try await bench.run(bench.script("echo > ready; exec sleep 1000")) { process in
            _ = bench.hear("ready")
            process.terminate(grace: nil)
            process.terminate(grace: nil)
        }
        #expect(outcome.end == .signalled(signal: SIGTERM, coreDumped: false))
        #expect(outcome.stop == .request)
        #expect(!outcome.timedOut)
    }

    @Test("at once spares the TERM")
    func kill() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        let outcome = try await bench.run(bench.script("trap 'exit 0' TERM; echo > ready; read x < ready")) { process in
            _ = bench.hear("ready")
            process.kill()
        }
        #expect(outcome.end == .signalled(signal: SIGKILL, coreDumped: false))
        #expect(outcome.stop == .request)
    }

    @Test("with a shorter grace overtakes a longer one")
    func overtake() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        bench.folder.makeFIFO("asked")
        bench.folder.makeFIFO("never")
        let text = "trap 'echo > asked' TERM; exec 3<> never; echo > ready; while :; do read line <&3 || :; done"
        let outcome = try await bench.run(bench.script(text)) { process in
            _ = bench.hear("ready")
            process.terminate(grace: .seconds(3600))
            _ = bench.hear("asked")
            process.terminate(grace: .zero)
        }
        #expect(outcome.end == .signalled(signal: SIGKILL, coreDumped: false))
    }

    @Test("reaches what left its session, also what is stopped, and gives it the same grace")
    func everything() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        bench.folder.makeFIFO("never")
        // The first process dies of TERM at once; the other needs a moment to put its work away.
        bench.folder.write(
            "worker",
            """
            trap 'for i in 1 2 3; do env true; done; echo saved; exit' TERM
            exec 3<> never
            echo $$ > ready
            while :; do read line <&3; done
            """)
        let outcome = try await bench.run(bench.script("setsid sh worker & exec sleep 1000")) { process in
            if let worker = Int32(bench.hear("ready").dropLast()) { _ = Glibc.kill(worker, SIGSTOP) }
            process.terminate(grace: .seconds(3600))
        }
        #expect(outcome.end == .signalled(signal: SIGTERM, coreDumped: false))
        #expect(bench.stdout == "saved\n")
        #expect(outcome.leftBehind == 0)
    }

    @Test("after its end does nothing")
    func late() async throws {
        let bench = try Bench()
        nonisolated(unsafe) var process: (any RunningProcess)?
        let outcome = try await bench.run(bench.script("exit 0")) { process = $0 }
        process?.terminate(grace: .zero)
        process?.kill()
        #expect(outcome.stop == nil)
        #expect(
            try await bench.run(
                bench.request(["true"]) {
                    $0.stdoutPath = nil
                    $0.stderrPath = nil
                    $0.exitFile = nil
                }
            ).end == .exited(code: 0))
    }

    @Test("comes with the launcher's end where nobody else could hear of it, and it takes no more requests")
    func shutDown() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        let request = bench.script("trap '' TERM; echo > ready; exec sleep 1000") { $0.exitFile = nil }
        let outcome = try await bench.run(request) { _ in
            _ = bench.hear("ready")
            bench.launcher.shutDown()
        }
        #expect(outcome.end == .signalled(signal: SIGKILL, coreDumped: false))
        #expect(outcome.stop == .request)
        let refusal = #expect(throws: LaunchError.self) {
            _ = try bench.launcher.launch(bench.request(["true"])) { _ in }
        }
        #expect(refusal?.code == .shutDown)
    }

    @Test("works while it floods its log")
    func flood() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        let request = bench.script("yes | head -n 1000; echo > ready; exec yes") { $0.logLimitBytes = 1000 }
        let outcome = try await bench.run(request) { process in
            _ = bench.hear("ready")
            process.terminate(grace: nil)
        }
        #expect(outcome.end == .signalled(signal: SIGTERM, coreDumped: false))
        #expect(outcome.stdoutTruncated)
        #expect(bench.stdout == String(repeating: "y\n", count: 500))
    }
}
