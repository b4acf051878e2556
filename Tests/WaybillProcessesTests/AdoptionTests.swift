import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

@Suite("A program that outlives its launcher")
struct AdoptionTests {
    /// Launches a program that says `up`, and lets the launcher go.
    private func abandoned(
        _ bench: Bench, _ text: String, _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws {
        bench.folder.makeFIFO("up")
        let request = bench.script(text, change)
        _ = try bench.launcher.launch(request) { _ in Issue.record("the launcher was shut down and heard of the end") }
        _ = bench.hear("up")
        bench.launcher.shutDown()
    }

    private func adopt(_ bench: Bench, with launcher: SupervisedLauncher) throws -> (any RunningProcess, Ending) {
        let ending = Ending()
        let adoption = try launcher.adopt(exitFile: bench.folder.file("exit.json"), ended: ending.come)
        guard case .running(let process) = adoption else {
            Issue.record("\(adoption)")
            throw LaunchError(code: .system, message: "it does not run")
        }
        return (process, ending)
    }

    @Test("goes on, and is taken over by the next with all it printed and its end")
    func taken() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("go")
        try abandoned(bench, "echo before; echo > up; read line < go; echo after; exit 3")
        let next = try bench.next()
        defer { next.shutDown() }
        let (_, ending) = try adopt(bench, with: next)
        bench.folder.write("go", "\n")
        let outcome = try #require(await ending.outcome())
        #expect(outcome.end == .exited(code: 3))
        #expect(bench.stdout == "before\nafter\n")
        #expect(try ProcessOutcome(record: JSON.parse(#require(bench.folder.read("exit.json")))) == outcome)
    }

    @Test("leaves its outcome for whoever comes later")
    func collected() throws {
        let bench = try Bench()
        bench.folder.makeFIFO("go")
        try abandoned(bench, "echo > up; read line < go; exit 4")
        let monitor = try bench.monitor()
        let next = try bench.next()
        defer { next.shutDown() }
        // Whoever gets the lock finds the file.
        let lock = open(bench.folder.file("monitor.lock").string, O_RDONLY | O_CLOEXEC)
        bench.folder.write("go", "\n")
        #expect(flock(lock, LOCK_SH) == 0)
        close(lock)
        #expect(try JSON.parse(#require(bench.folder.read("exit.json")))["exitCode"] == 4)
        guard case .gone = try next.adopt(exitFile: bench.folder.file("exit.json"), ended: { _ in }) else {
            Issue.record("\(monitor) has nothing more to do")
            return
        }
    }

    @Test("can be stopped by the next")
    func stopped() async throws {
        let bench = try Bench()
        try abandoned(bench, "echo > up; exec sleep 1000")
        let next = try bench.next()
        defer { next.shutDown() }
        let (process, ending) = try adopt(bench, with: next)
        process.terminate(grace: nil)
        let outcome = try #require(await ending.outcome())
        #expect(outcome.end == .signalled(signal: SIGTERM, coreDumped: false))
        #expect(outcome.stop == .request)
    }

    @Test("times out by itself")
    func timeout() async throws {
        let bench = try Bench()
        try abandoned(bench, "trap 'exit 9' TERM; echo > up; sleep 1000 & wait") { $0.timeout = .milliseconds(300) }
        let next = try bench.next()
        defer { next.shutDown() }
        let ending = Ending()
        // By now it may be over: the record says the same.
        if case .running = try next.adopt(exitFile: bench.folder.file("exit.json"), ended: ending.come) {
            _ = await ending.outcome()
        }
        let outcome = try ProcessOutcome(record: JSON.parse(#require(bench.folder.read("exit.json"))))
        #expect(outcome.end == .exited(code: 9))
        #expect(outcome.timedOut)
    }

    @Test("is unknown once its monitor is killed, and nothing of it lives then")
    func monitorKilled() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        let ending = Ending()
        // One that left the session, lost its parent and ignores what it can.
        let text = "setsid sh -c 'trap : TERM HUP; echo $$ > ready; while :; do sleep 1000; done' & echo $$; wait"
        let process = try bench.launcher.launch(bench.script(text), ended: ending.come)
        let daemon = try #require(Int32(bench.hear("ready").dropLast()))
        kill(try bench.monitor(), SIGKILL)
        #expect(await ending.outcome() == nil)
        #expect(!isAlive(daemon))
        #expect(!isAlive(try #require(process.pid)))
        #expect(bench.folder.read("exit.json") == nil)
        guard case .gone = try bench.launcher.adopt(exitFile: bench.folder.file("exit.json"), ended: { _ in }) else {
            Issue.record("it was found again")
            return
        }
    }

    @Test("is unknown if its monitor was killed while nobody listened")
    func monitorKilledAlone() throws {
        let bench = try Bench()
        bench.folder.makeFIFO("ready")
        try abandoned(bench, "setsid sh -c 'echo $$ > ready; exec sleep 1000' & echo > up; wait")
        let daemon = try #require(Int32(bench.hear("ready").dropLast()))
        let monitor = try bench.monitor()
        kill(monitor, SIGKILL)
        untilGone(monitor)
        let next = try bench.next()
        defer { next.shutDown() }
        guard case .gone = try next.adopt(exitFile: bench.folder.file("exit.json"), ended: { _ in }) else {
            Issue.record("it was found to run")
            return
        }
        #expect(!isAlive(daemon))
    }

    @Test("goes on when the supervisor is killed, and others are started")
    func supervisorKilled() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("up")
        bench.folder.makeFIFO("go")
        let ending = Ending()
        _ = try bench.launcher.launch(bench.script("echo > up; read line < go; exit 5"), ended: ending.come)
        _ = bench.hear("up")
        let supervisor = try #require(fields(of: try bench.monitor()).dropFirst().first.flatMap { Int32($0) })
        kill(supervisor, SIGKILL)
        untilGone(supervisor)
        let other = bench.request(["true"]) {
            $0.stdoutPath = nil
            $0.stderrPath = nil
            $0.exitFile = bench.folder.makeFolder("other").appending("exit.json")
        }
        #expect(try await bench.run(other).end == .exited(code: 0))
        bench.folder.write("go", "\n")
        #expect(await ending.outcome()?.end == .exited(code: 5))
    }

    @Test("is not launched twice")
    func twice() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("up")
        let ending = Ending()
        let process = try bench.launcher.launch(bench.script("echo > up; exec sleep 1000"), ended: ending.come)
        _ = bench.hear("up")
        let refusal = #expect(throws: LaunchError.self) {
            _ = try bench.launcher.launch(bench.script("true")) { _ in }
        }
        #expect(refusal?.code == .log)
        process.kill()
        #expect(await ending.outcome()?.end == .signalled(signal: SIGKILL, coreDumped: false))
    }

    @Test("began only if its monitor says so")
    func neverBegan() async throws {
        let bench = try Bench()
        // Who prepared it was killed before it handed it over.
        bench.folder.write("monitor.lock", "")
        bench.folder.write("stdout.log", "")
        bench.folder.write("stderr.log", "")
        guard case .neverBegan = try bench.launcher.adopt(exitFile: bench.folder.file("exit.json"), ended: { _ in })
        else {
            Issue.record("it did not begin")
            return
        }
        let outcome = try await bench.run(bench.script("echo now"))
        #expect(outcome.end == .exited(code: 0))
        #expect(bench.stdout == "now\n")
    }

    @Test("began if its monitor wrote anything, whatever is left of that")
    func unreadable() throws {
        let bench = try Bench()
        bench.folder.write("monitor.lock", "\0\0\0")
        guard case .gone = try bench.launcher.adopt(exitFile: bench.folder.file("exit.json"), ended: { _ in }) else {
            Issue.record("it may have begun")
            return
        }
        #expect(bench.folder.read("exit.json") == nil)
        let refusal = #expect(throws: LaunchError.self) { _ = try bench.launcher.launch(bench.script("true")) { _ in } }
        #expect(refusal?.code == .log)
    }

    @Test("is waited for before its monitor has said who it is, and is unknown once nobody has it")
    func handedOver() async throws {
        let bench = try Bench()
        let held = open(bench.folder.file("monitor.lock").string, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #expect(flock(held, LOCK_EX) == 0)
        let (process, ending) = try adopt(bench, with: bench.launcher)
        // There is nobody yet to tell.
        process.terminate(grace: nil)
        close(held)
        #expect(await ending.outcome() == nil)
        #expect(bench.folder.read("exit.json") == nil)
    }

    @Test("has the outcome that its monitor had no time to give its name")
    func unnamedOutcome() async throws {
        let bench = try Bench()
        #expect(try await bench.run(bench.script("exit 3")).end == .exited(code: 3))
        let outcome = try #require(bench.folder.text("exit.json"))
        #expect(rename(bench.folder.file("exit.json").string, bench.folder.file("monitor.lock").string) == 0)
        guard case .gone = try bench.launcher.adopt(exitFile: bench.folder.file("exit.json"), ended: { _ in }) else {
            Issue.record("it has ended")
            return
        }
        #expect(bench.folder.text("exit.json") == outcome)
        #expect(bench.folder.read("monitor.lock") == nil)
    }

    @Test("ends as it ended, whatever it put in the place of its monitor's files")
    func forged() async throws {
        let bench = try Bench()
        let lock = bench.folder.file("monitor.lock").string
        let outcome = try await bench.run(bench.script("mv \(lock) \(lock).old; echo '{}' > \(lock); exit 3"))
        #expect(outcome.end == .exited(code: 3))
        let record = try JSON.parse(#require(bench.folder.read("exit.json")))
        #expect(try ProcessOutcome(record: record) == outcome)
        #expect(bench.folder.read("monitor.lock") == nil)
    }

    @Test("ends with its launcher where it has no exit file")
    func bound() throws {
        let bench = try Bench()
        bench.folder.makeFIFO("up")
        let request = bench.script("setsid sh -c 'echo $$ > up; exec sleep 1000' & wait") { $0.exitFile = nil }
        _ = try bench.launcher.launch(request) { _ in }
        let daemon = try #require(Int32(bench.hear("up").dropLast()))
        bench.launcher.shutDown()
        #expect(!isAlive(daemon))
    }

    /// Whether a process is there and is no zombie.
    private func isAlive(_ pid: Int32) -> Bool { fields(of: pid).first.map { $0 != "Z" && $0 != "X" } ?? false }
}
