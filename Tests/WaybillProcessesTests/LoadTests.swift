import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

@Suite("Many programs")
struct LoadTests {
    @Test("leave no descriptor, no zombie and no process behind")
    func leaks() async throws {
        let bench = try Bench()
        let rounds = 200
        let outcomes = try await withThrowingTaskGroup(of: [ProcessOutcome].self) { group in
            for lane in 0..<8 {
                group.addTask {
                    var outcomes: [ProcessOutcome] = []
                    for round in 0..<rounds {
                        let name = "\(lane)-\(round)"
                        // Every tenth leaves an orphan. The links say which pipes these were.
                        let text = round % 10 == 0 ? "setsid sleep 1000 & readlink /proc/self/fd/1" : "exit \(lane)"
                        outcomes.append(
                            try await bench.run(
                                bench.request(["/bin/sh", "-c", text]) {
                                    $0.stdoutPath = bench.folder.file("\(name).out")
                                    $0.stderrPath = bench.folder.file("\(name).err")
                                    $0.exitFile = nil
                                }))
                    }
                    return outcomes
                }
            }
            var all: [[ProcessOutcome]] = []
            for try await outcomes in group { all.append(outcomes) }
            return all
        }
        #expect(outcomes.count == 8)
        #expect(outcomes.allSatisfy { $0.count == rounds && $0.allSatisfy { $0.stillRunning == 0 } })
        #expect(outcomes.joined().filter { $0.end == .exited(code: 3) }.count == rounds * 9 / 10)
        #expect(outcomes.joined().allSatisfy { $0.exitCode != nil })

        bench.launcher.shutDown()
        let open = openFiles()
        let pipes = (0..<8).flatMap { lane in
            stride(from: 0, to: rounds, by: 10).compactMap { bench.folder.text("\(lane)-\($0).out")?.dropLast() }
        }
        #expect(pipes.count == 8 * rounds / 10 && pipes.allSatisfy { $0.hasPrefix("pipe:[") })
        #expect(pipes.filter { open.contains(String($0)) } == [])
        #expect(open.filter { $0.hasPrefix(bench.folder.path.string) } == [])
    }

    /// Where the descriptors of this process lead to.
    private func openFiles() -> Set<String> {
        var found: Set<String> = []
        for number in 0..<4096 {
            var target = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/fd/\(number)", &target, target.count)
            if count > 0 {
                found.insert(String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
        }
        return found
    }
}
