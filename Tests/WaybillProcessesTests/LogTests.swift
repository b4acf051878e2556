import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

@Suite("The log of a program")
struct LogTests {
    @Test("keeps what fits and says that there was more", arguments: [999, 1000, 1001, 200_000])
    func limit(size: Int) async throws {
        let bench = try Bench()
        let request = bench.request(["/bin/sh", "-c", "head -c \(size) /dev/zero; echo done >&2"]) {
            $0.logLimitBytes = 1000
        }
        let outcome = try await bench.run(request)
        #expect(outcome.end == .exited(code: 0))
        #expect(bench.folder.read("stdout.log") == [UInt8](repeating: 0, count: min(size, 1000)))
        #expect(outcome.stdoutTruncated == (size > 1000))
        #expect(!outcome.stderrTruncated)
        #expect(bench.stderr == "done\n")
    }

    @Test("of a program that writes a gigabyte neither blocks it nor costs memory, and counts what is dropped")
    func gigabyte() async throws {
        let bench = try Bench()
        bench.folder.makeFIFO("written")
        bench.folder.makeFIFO("go")
        let request = bench.script("head -c 1G /dev/zero; echo > written; read line < go") {
            $0.logLimitBytes = 1 << 20
        }
        nonisolated(unsafe) var peak = ""
        let outcome = try await bench.run(request) { _ in
            _ = bench.hear("written")
            let status = (try? bench.monitor()).flatMap { contents(of: "/proc/\($0)/status") } ?? ""
            peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }.map(String.init) ?? ""
            bench.folder.write("go", "\n")
        }
        #expect(outcome.end == .exited(code: 0))
        #expect(outcome.stdoutTruncated)
        #expect(outcome.stdoutDroppedBytes == (1 << 30) - (1 << 20))
        #expect(outcome.stderrDroppedBytes == 0)
        #expect(bench.folder.read("stdout.log")?.count == 1 << 20)
        let kilobytes = try #require(peak.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        #expect(kilobytes < 8_192)
    }

    @Test("is whole when the outcome comes")
    func whole() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(bench.script("seq 1 50000; seq 1 50000 >&2"))
        #expect(outcome.end == .exited(code: 0))
        let expected = (1...50_000).map { "\($0)\n" }.joined()
        #expect(bench.stdout == expected)
        #expect(bench.stderr == expected)
        #expect(!outcome.stdoutTruncated && !outcome.stderrTruncated)
    }

    @Test("has the last words of what was killed")
    func lastWords() async throws {
        let bench = try Bench()
        _ = try await bench.run(bench.script("echo last words; kill -KILL $$"))
        #expect(bench.stdout == "last words\n")
    }

    @Test("need not be kept")
    func none() async throws {
        let bench = try Bench()
        let request = bench.script("echo out; echo err >&2; link=$(readlink /proc/$$/fd/1); echo $link >&2") {
            $0.stdoutPath = nil
        }
        _ = try await bench.run(request)
        #expect(bench.stderr == "err\n/dev/null\n")
        #expect(bench.folder.read("stdout.log") == nil)
    }
}
