import SystemPackage
import Testing
import WaybillPorts
import WaybillTestKit

@Suite("What a program gets at descriptors")
struct DescriptorTests {
    @Test("it can read as often as it likes, from the beginning each time, and so can what it starts")
    func reading() async throws {
        let bench = try Bench()
        var paths: [String] = []
        let request = bench.script(
            #"cat "$ONE" "$TWO"; sh -c 'cat /dev/fd/4 "$ONE"'; cat <&3; ls /proc/self/fd | tr '\n' ' '"#
        ) {
            paths = [$0.addFile("first\n"), $0.addFile("second\n")]
            $0.environment["ONE"] = paths[0]
            $0.environment["TWO"] = paths[1]
        }
        #expect(paths == ["/dev/fd/3", "/dev/fd/4"])
        let outcome = try await bench.run(request)
        #expect(outcome.end == .exited(code: 0))
        // The last number is of the folder that is being listed.
        #expect(bench.stdout == "first\nsecond\nsecond\nfirst\nfirst\n0 1 2 3 4 5 ")
    }

    @Test("it cannot change, and nothing of it is in a file system")
    func sealed() async throws {
        let bench = try Bench()
        let request = bench.script(
            """
            (echo more >&3) 2> /dev/null || echo no writing
            (: > /dev/fd/3) 2> /dev/null || echo no emptying
            readlink /proc/$$/fd/3; stat -L -c %a-%h /proc/$$/fd/3
            cat /dev/fd/3
            """
        ) { _ = $0.addFile("kept") }
        let outcome = try await bench.run(request)
        #expect(outcome.end == .exited(code: 0), "\(bench.stderr)")
        #expect(bench.stdout == "no writing\nno emptying\n/memfd:secret (deleted)\n400-0\nkept")
    }

    @Test("it also gets where it is confined, has a standard input, and a request that is too long for a packet")
    func together() async throws {
        let bench = try Bench()
        let long = String(repeating: "x", count: 100_000)
        let request = bench.script(#"cat; cat /dev/fd/3 | tail -c 4; cat /dev/fd/66"#) {
            $0.input = Array("in\n".utf8)
            $0.confinement = Confinement(closed: [bench.folder.makeFolder("closed")], open: [], isStrict: true)
            _ = $0.addFile(long + "end\n")
            for number in 2...64 { _ = $0.addFile("file \(number)\n") }
        }
        let outcome = try await bench.run(request)
        #expect(outcome.end == .exited(code: 0), "\(bench.stderr)")
        #expect(bench.stdout == "in\nend\nfile 64\n")
    }

    @Test("has a limit, and no text with a NUL, which would end early")
    func refused() async throws {
        let bench = try Bench()
        for texts in [[String](repeating: "x", count: 65), ["a\0b"]] {
            let request = bench.script("true") { request in
                for text in texts { _ = request.addFile(text) }
            }
            let error = await #expect(throws: LaunchError.self) { try await bench.run(request) }
            #expect(error?.code == .invalidRequest)
        }
    }
}
