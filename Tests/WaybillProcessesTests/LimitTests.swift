import CLinux
import Glibc
import Testing
import WaybillCore
import WaybillPorts
import WaybillTestKit

@Suite("A program with limits")
struct LimitTests {
    private func status(_ bench: Bench, _ name: String) -> String? {
        bench.stdout.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            .map { String($0.dropFirst(name.count + 1).drop { $0.isWhitespace }) }
    }

    /// A line of `/proc/self/limits`: soft and hard.
    private func limits(_ bench: Bench, _ name: String) -> [Substring] {
        bench.stdout.split(separator: "\n").first { $0.hasPrefix(name) }
            .map { Array($0.dropFirst(name.count).split(separator: " ").prefix(2)) } ?? []
    }

    @Test("is held to them by the kernel")
    func held() async throws {
        let bench = try Bench()
        let own = wb_count_processes()
        _ = try await bench.run(
            bench.request(["cat", "/proc/self/limits"]) {
                $0.limits = ProcessLimits(
                    cpu: .milliseconds(1_500), memoryBytes: 512 << 20, files: 64, processes: 1_000)
            })
        #expect(limits(bench, "Max cpu time") == ["2", "3"])
        #expect(limits(bench, "Max address space") == ["536870912", "536870912"])
        #expect(limits(bench, "Max open files") == ["64", "64"])
        #expect(limits(bench, "Max core file size") == ["0", "0"])
        // Others of this user begin and end meanwhile.
        let processes = try #require(limits(bench, "Max processes").first.flatMap { UInt64($0) })
        #expect(own > 0)
        #expect(processes > 1_000)
    }

    @Test("has those of whoever started its supervisor where it asks for more")
    func lowered() async throws {
        let bench = try Bench()
        _ = try await bench.run(bench.request(["cat", "/proc/self/limits"]))
        let most = try #require(limits(bench, "Max open files").last.flatMap { Int($0) })
        let other = try Bench()
        _ = try await other.run(
            other.request(["cat", "/proc/self/limits"]) { $0.limits.files = most == Int.max ? most : most + 1 })
        #expect(limits(other, "Max open files").last == limits(bench, "Max open files").last)
    }

    @Test("ends with SIGXCPU when its processor time is used up, and its outcome says so")
    func cpu() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(
            bench.request(["/bin/sh", "-c", "while :; do :; done"]) { $0.limits.cpu = .seconds(1) })
        #expect(outcome.end == .signalled(signal: SIGXCPU, coreDumped: false))
        #expect(outcome.limit == .cpu)
        #expect(outcome.stop == nil)
    }

    @Test("is killed a second later if it does not mind, and its outcome says the same")
    func cpuIgnored() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(
            bench.script("trap '' XCPU; while :; do :; done") { $0.limits.cpu = .seconds(1) })
        #expect(outcome.end == .signalled(signal: SIGKILL, coreDumped: false))
        #expect(outcome.limit == .cpu)
    }

    @Test("whose child used up its processor time exits as its shell has it, and its outcome says the same")
    func cpuOfChild() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(
            bench.script("sh -c 'while :; do :; done'; exit 7") { $0.limits.cpu = .seconds(1) })
        #expect(outcome.end == .exited(code: 128 + SIGXCPU))
        #expect(outcome.limit == .cpu)
    }

    @Test("that ends for another reason has an outcome without a limit")
    func otherEnds() async throws {
        for (text, end) in [
            ("exit 3", ProcessOutcome.End.exited(code: 3)), ("kill -KILL $$", .signalled(signal: 9, coreDumped: false)),
        ] {
            let bench = try Bench()
            let outcome = try await bench.run(bench.script(text) { $0.limits.cpu = .seconds(100) })
            #expect(outcome.end == end)
            #expect(outcome.limit == nil)
        }
    }

    @Test("cannot open more files, nor take more memory")
    func refusals() async throws {
        let files = try Bench()
        let outcome = try await files.run(
            files.request(["/bin/bash", "-c", "for n in {3..20}; do eval \"exec $n</dev/null\" || exit 9; done"]) {
                $0.limits.files = 16
            })
        #expect(outcome.end == .exited(code: 9) || outcome.end == .exited(code: 1))
        #expect(files.stderr.contains("Too many open files") || files.stderr.contains("Bad file descriptor"))
        let memory = try Bench()
        let heavy = try await memory.run(
            memory.request(["dd", "if=/dev/zero", "of=/dev/null", "bs=256M", "count=1"]) {
                $0.limits.memoryBytes = 64 << 20
            })
        #expect(heavy.exitCode == 1)
        #expect(memory.stderr.contains("memory exhausted"))
    }

    @Test("gains no privileges, unless its request says that it may", arguments: [false, true])
    func privileges(mayGain: Bool) async throws {
        let bench = try Bench()
        _ = try await bench.run(bench.request(["cat", "/proc/self/status"]) { $0.mayGainPrivileges = mayGain })
        let isHeld = !mayGain || contents(of: "/proc/self/status")?.contains("NoNewPrivs:\t1") == true
        #expect(status(bench, "NoNewPrivs") == (isHeld ? "1" : "0"))
    }
}
