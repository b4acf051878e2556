import Glibc
import Testing

/// The harness itself: a test that waits must see what happens, and a test that fails must say so.
@Suite("The end-to-end harness")
struct HarnessTests {
    @Test("a wait ends when the file it waits for is there")
    func waitingForAFile() async throws {
        let tree = try ScratchTree()
        async let waited: Void = tree.until("the answer is there") { tree.exists("runs/answer") }
        try tree.drop("yes", at: "runs/answer")
        try await waited
        #expect(tree.lines("runs/answer") == ["yes"])
    }

    @Test("a wait for what never comes gives up and says what for")
    func givingUp() async throws {
        let tree = try ScratchTree()
        await #expect(throws: GaveUp.self) {
            try await tree.until("pigs fly", limit: .zero) { false }
        }
    }

    @Test("exit codes and signals are told apart")
    func endings() async throws {
        let tree = try ScratchTree(["fail.sh": "#!/bin/sh\necho out\necho err >&2\nexit 3\n"])
        let failed = try await tree.run("./fail.sh")
        #expect((failed.status, failed.signalled) == (3, false))
        #expect((failed.output, failed.errors) == ("out\n", "err\n"))
        let killed = try await tree.run("sh", "-c", "kill -KILL $$")
        #expect((killed.status, killed.signalled) == (SIGKILL, true))
    }
}
