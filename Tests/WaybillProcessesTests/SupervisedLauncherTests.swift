import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

@Suite("A launched program")
struct SupervisedLauncherTests {
    @Test("gets its arguments exactly")
    func arguments() async throws {
        let bench = try Bench()
        let words = ["", " ", "two words", "it's", "\"quoted\"", "line\nline", "$HOME `id` *", "\\", "žluť", "-n", ""]
        let outcome = try await bench.run(bench.request(["/usr/bin/printf", "%s\\0"] + words))
        #expect(outcome.end == .exited(code: 0))
        #expect(bench.stdout == words.map { "\($0)\0" }.joined())
    }

    @Test("sees the environment of its request and nothing else")
    func environment() async throws {
        let bench = try Bench()
        let environment = ["A": "1", "EMPTY": "", "TEXT": "two\nlines = 'x'", "PATH": "/usr/bin:/bin"]
        _ = try await bench.run(bench.request(["env", "-0"]) { $0.environment = environment })
        let lines = bench.stdout.split(separator: "\0").map(String.init)
        #expect(lines.sorted() == environment.map { "\($0.key)=\($0.value)" }.sorted())
    }

    @Test("starts in its working directory, and a relative program counts from there")
    func workingDirectory() async throws {
        let bench = try Bench()
        bench.folder.makeFolder("inner")
        bench.folder.write("inner/tool", "#!/bin/sh\npwd\n", mode: 0o700)
        let inner = bench.folder.file("inner")
        let outcome = try await bench.run(bench.request(["./tool"]) { $0.workingDirectory = inner })
        #expect(outcome.end == .exited(code: 0))
        #expect(bench.stdout == "\(inner)\n")
    }

    @Test("may be another file than its first argument says")
    func executable() async throws {
        let bench = try Bench()
        let request = bench.request(["./kept-name", "-c", "echo $0"]) { $0.executable = "/bin/sh" }
        _ = try await bench.run(request)
        #expect(bench.stdout == "./kept-name\n")
    }

    @Test("is found in the PATH of its own environment")
    func path() async throws {
        let bench = try Bench()
        bench.folder.makeFolder("first")
        bench.folder.makeFolder("second")
        bench.folder.write("first/tool", "not executable")
        bench.folder.write("second/tool", "#!/bin/sh\necho second\n", mode: 0o700)
        let path = "\(bench.folder.file("missing")):\(bench.folder.file("first")):\(bench.folder.file("second"))"
        let outcome = try await bench.run(bench.request(["tool"]) { $0.environment = ["PATH": path] })
        #expect(outcome.end == .exited(code: 0))
        #expect(bench.stdout == "second\n")
    }

    @Test("reads its input to the end", arguments: [0, 5, 3 << 20])
    func input(size: Int) async throws {
        let bench = try Bench()
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        _ = try await bench.run(bench.request(["cat"]) { $0.input = bytes })
        #expect(bench.folder.read("stdout.log") == bytes)
    }

    @Test("that reads no input is not disturbed by it")
    func unreadInput() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(
            bench.request(["true"]) { $0.input = [UInt8](repeating: 0, count: 1 << 20) })
        #expect(outcome.end == .exited(code: 0))
    }

    @Test("has an empty standard input where none is given")
    func noInput() async throws {
        let bench = try Bench()
        _ = try await bench.run(bench.request(["readlink", "/proc/self/fd/0"]))
        #expect(bench.stdout == "/dev/null\n")
    }

    @Test("has its three descriptors, default signals, no mask and umask 077")
    func cleanProcess() async throws {
        let bench = try Bench()
        // The fourth descriptor is the folder that `ls` lists.
        let text = "ls -1 /proc/self/fd; umask; sed -n '/^Sig[BIC]/p' /proc/self/status"
        _ = try await bench.run(bench.request(["/bin/bash", "-c", text]))
        let zeros = "0000000000000000"
        #expect(
            bench.stdout == "0\n1\n2\n3\n0077\nSigBlk:\t\(zeros)\nSigIgn:\t\(zeros)\nSigCgt:\t\(zeros)\n")
    }

    @Test("leads a session and process group of its own")
    func session() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(bench.script("cut -d ' ' -f 1,5,6 /proc/$$/stat")) { process in
            #expect(process.pid != nil)
        }
        #expect(outcome.end == .exited(code: 0))
        let numbers = bench.stdout.split(whereSeparator: \.isWhitespace)
        #expect(numbers.count == 3)
        #expect(Set(numbers).count == 1)
    }

    @Test("has its two outputs in two files that only the owner reads")
    func logs() async throws {
        let bench = try Bench()
        _ = try await bench.run(bench.script("echo out; echo err >&2; echo again"))
        #expect(bench.stdout == "out\nagain\n")
        #expect(bench.stderr == "err\n")
        var status = stat()
        #expect(stat(bench.folder.file("stdout.log").string, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
    }

    @Test("ends with its exit code", arguments: [0, 1, 2, 77, 255] as [Int32])
    func exitCode(code: Int32) async throws {
        let bench = try Bench()
        #expect(try await bench.run(bench.script("exit \(code)")).end == .exited(code: code))
    }

    @Test("that dies of a signal is reported so", arguments: [SIGKILL, SIGTERM, SIGUSR1])
    func signalled(signal: Int32) async throws {
        let bench = try Bench()
        let outcome = try await bench.run(bench.script("kill -\(signal) $$"))
        #expect(outcome.end == .signalled(signal: signal, coreDumped: false))
        #expect(outcome.stop == nil)
    }

    @Test("leaves its outcome as a file that reads back as what was reported")
    func exitFile() async throws {
        let bench = try Bench()
        let outcome = try await bench.run(bench.script("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3"))
        let record = try JSON.parse(#require(bench.folder.read("exit.json")))
        #expect(try ProcessOutcome(record: record) == outcome)
        #expect(record["exitCode"] == 3)
        for name in ["exit.json.tmp", "monitor.lock"] { #expect(bench.folder.read(name) == nil) }
        let usage = try #require(outcome.usage)
        #expect(usage.user + usage.system > .zero)
        #expect(usage.maxResidentBytes > 100_000)
        #expect(outcome.startedAt < outcome.endedAt)
    }
}
