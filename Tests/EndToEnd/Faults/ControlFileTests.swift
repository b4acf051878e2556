import Foundation
import Glibc
import Testing
import WaybillCore

/// `@cancel`, `@pause` and the others, while a step runs.
@Suite("Control files")
struct ControlFileTests {
    /// The step says who it is, and leaves a child; both stay until they are ended.
    private static let files = [
        "workflows/long.yaml": """
        kind: Workflow
        name: long
        steps:
          - {id: work, run: [./work.sh]}
          - {id: after, run: [./after.sh]}
        """,
        "workflows/work.sh": """
        #!/bin/sh
        sleep 1000 &
        echo $! > child.tmp; mv child.tmp runs/child
        echo $$ > self.tmp; mv self.tmp runs/self
        while [ ! -e runs/go ]; do sleep 0.02; done
        kill $!
        """,
        "workflows/after.sh": "#!/bin/sh\necho done >> marks\n",
    ]

    private func started(_ tree: ScratchTree) async throws -> [pid_t] {
        try await tree.expect(0, "run", "long", "--id", "r")
        try await tree.until("the step runs") { tree.exists("runs/self") }
        return ["runs/child", "runs/self"].compactMap { tree.lines($0).first.flatMap { pid_t($0) } }
    }

    @Test("a cancelled run ends its step and everything it started", arguments: [false, true])
    func cancel(byCommand: Bool) async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.withDaemon { _ in
            let processes = try await started(tree)
            #expect(processes.count == 2 && processes.allSatisfy(isAlive))
            if byCommand {
                try await tree.expect(0, "cancel", "r")
            } else {
                try tree.drop(#"{"reason":"enough"}"#, at: "runs/r/inbox/@cancel.json")
            }
            try await tree.untilStatus("r", "cancelled")
            #expect(!processes.contains(where: isAlive))
        }
        #expect(!tree.exists("marks"))
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("a step that does not heed TERM is ended by the second cancellation")
    func cancelTwice() async throws {
        var files = Self.files
        files["workflows/work.sh"] = """
            #!/bin/sh
            trap '' TERM
            echo $$ > self.tmp; mv self.tmp runs/self
            while :; do sleep 0.02; done
            """
        let tree = try ScratchTree(files)
        try await tree.withDaemon { _ in
            let processes = try await started(tree)
            try tree.drop("", at: "runs/inbox/r.@cancel.txt")
            try await tree.until("the cancellation is taken", watching: "r") {
                try tree.count("RUN_CANCELLED", of: "r") == 1
            }
            try tree.drop("", at: "runs/r/inbox/@cancel--2.json")
            try await tree.untilStatus("r", "cancelled")
            #expect(!processes.contains(where: isAlive))
        }
        #expect(try tree.count("ANSWER_ACCEPTED", of: "r") == 2)
    }

    @Test("a pause lets the step end and starts no other until the run is resumed", arguments: [false, true])
    func pause(byCommand: Bool) async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.withDaemon { _ in
            _ = try await started(tree)
            if byCommand {
                try await tree.expect(0, "pause", "r")
                try await tree.expect(0, "snapshot", "r", "--name", "here")
            } else {
                try tree.drop("", at: "runs/r/inbox/@pause.json")
                try tree.drop(#"{"name":"here"}"#, at: "runs/r/inbox/@snapshot.json")
            }
            try await tree.until("both are taken", watching: "r") { try tree.count("ANSWER_ACCEPTED", of: "r") == 2 }
            try tree.write("", to: "runs/go")
            try await tree.untilStatus("r", "paused")
            #expect(!tree.exists("marks"))
            #expect(tree.names(in: "runs/r/snapshots") == ["here.json"])
            if byCommand {
                try await tree.expect(0, "resume", "r")
            } else {
                try tree.drop("", at: "runs/inbox/r.@resume.json")
            }
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.lines("marks") == ["done"])
    }
}
