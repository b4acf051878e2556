import Foundation
import Glibc
import Testing
import WaybillCore

/// Who may answer, with files of real users.
@Suite("Answers of people", .enabled(if: People.arePlayable, "\(People.why)"))
struct AnswererFileTests {
    private static func workflow(_ from: String, _ more: String = "") -> String {
        """
        kind: Workflow
        name: ship
        steps:
          - {id: first, ask: {prompt: first, choices: [go]}}
          - {id: approve, ask: {prompt: ship, approval: true, from: {\(from)}}}
        outputs: {answer: "${{ steps.approve.output.approve }}", by: "${{ steps.approve.answers.map(a, a.by) }}"}
        \(more)
        """
    }

    private func tree(_ from: String, _ more: String = "") throws -> ScratchTree {
        try ScratchTree(["workflows/ship.yaml": Self.workflow(from, more)])
    }

    /// A run that asks for the approval.
    private func ask(_ tree: ScratchTree, _ run: String = "r") async throws {
        try await tree.expect(0, "run", "ship", "--id", run)
        try await tree.untilWaiting(run, for: "first")
        try tree.drop("go", at: "runs/\(run)/inbox/first.txt", by: "games")
        try await tree.untilWaiting(run, for: "approve")
    }

    @Test("a file counts if its owner may answer, nobody else may write it, and it names this question")
    func owners() async throws {
        let tree = try tree("users: [daemon], groups: [bin]")
        try await tree.withDaemon { _ in
            try await ask(tree, "other")
            try await ask(tree)
            let refused: [(String, String, () throws -> Void)] = [
                (
                    "approve--plain.txt", "token",
                    { try tree.drop("yes", at: "runs/r/inbox/approve--plain.txt", by: "bin") }
                ),
                (
                    // An old file of the owner's that somebody else moved in.
                    "approve--old.json", "token",
                    {
                        let old = try tree.envelope("other", "approve", "true")
                        try tree.drop(old, at: "runs/r/inbox/approve--old.json", by: "daemon")
                    }
                ),
                ("approve--games.json", "owner", { try tree.answer("r", "approve", by: "games") }),
                ("approve--root.json", "owner", { try tree.answer("r", "approve", by: "root") }),
                (
                    "approve--open.json", "owner",
                    { try tree.answer("r", "approve", by: "daemon", as: "approve--open.json", mode: 0o660) }
                ),
                (
                    "approve--all.json", "owner",
                    { try tree.answer("r", "approve", by: "daemon", as: "approve--all.json", mode: 0o602) }
                ),
            ]
            for (file, kind, drop) in refused {
                try drop()
                let found = try await tree.untilRefused(file, of: "r")
                #expect(found == kind, "\(file)")
            }
            #expect(tree.status("r") == "waiting")
            try tree.answer("r", "approve", by: "bin", mode: 0o640)
            try await tree.untilStatus("r", "completed")
        }
        let accepted = try #require(try tree.data("ANSWER_ACCEPTED", of: "r").last)
        #expect(accepted["user"] == "bin")
        #expect(accepted["uid"] == .int(Int64(People.uid("bin"))))
        #expect(accepted["groups"] == ["bin"])
        #expect(accepted["mode"] == "0640")
        #expect(tree.member("runs/r/run.json", "outputs", "by") == ["bin"])
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("a step cannot approve itself, nor can a command of the user that it runs as, unless that was allowed")
    func ownUser() async throws {
        let text = """
            kind: Workflow
            name: greedy
            steps:
              - {id: approve, ask: {prompt: ship, approval: true, from: {users: [root, daemon]}}}
              - id: cheat
                needs: []
                run: "cat runs/r/waits/approve.json | sed -n 's/^ *.token.: *.\\\\([0-9a-f]\\\\{64\\\\}\\\\).*/{\\"token\\":\\"\\\\1\\",\\"answer\\":true}/p' > runs/r/inbox/approve--cheat.json"
            """
        let tree = try ScratchTree([
            "workflows/greedy.yaml": text,
            "workflows/self.yaml":
                "{kind: Workflow, name: self, steps: [{id: a, ask: {prompt: go, approval: true, from: {users: [root], self: true}}}]}",
        ])
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "greedy", "--id", "r")
            #expect(try await tree.untilRefused("approve--cheat.json", of: "r") == "owner")
            let finished = try await tree.waybill("approve", "r")
            #expect(finished.status == 1)
            #expect(finished.errors.contains("self: true"), "\(finished)")
            try tree.answer("r", "approve", by: "daemon")
            try await tree.untilStatus("r", "completed")
            try await tree.expect(0, "run", "self", "--id", "s")
            try await tree.untilWaiting("s", for: "a")
            try await tree.expect(0, "approve", "s")
            try await tree.untilStatus("s", "completed")
        }
    }

    @Test("a quorum is counted across the daemon's death, each person once, and the question says how many are missing")
    func quorum() async throws {
        let tree = try tree("users: [daemon, bin, games], quorum: 2, notBy: [first]")
        let daemon = try await tree.startDaemon()
        try await ask(tree)
        try tree.answer("r", "approve", by: "games")
        #expect(try await tree.untilRefused("approve--games.json", of: "r") == "owner")
        try tree.answer("r", "approve", by: "daemon")
        try await tree.until("one is missing", watching: "r") {
            tree.member("runs/r/waits/approve.json", "missing") == 1
        }
        await daemon.kill()
        let page = try await tree.expect(0, "waits", "r")
        #expect(page.output.contains("1 approval missing, approved by daemon"), "\(page)")
        try await tree.withDaemon { _ in
            try tree.answer("r", "approve", "{\"approve\":true}", by: "daemon", as: "approve--again.json")
            #expect(try await tree.untilRefused("approve--again.json", of: "r") == "already-answered")
            try tree.answer("r", "approve", by: "bin")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.member("runs/r/run.json", "outputs", "by") == ["daemon", "bin"])
        #expect(tree.names(in: "runs/r/inbox/accepted").filter { $0.contains("-approve.json") }.count == 4)
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("one refusal refuses, and whoever started the run does not count")
    func starter() async throws {
        let tree = try tree("users: [daemon, bin], notStarter: true, quorum: 2")
        try await tree.withDaemon { _ in
            try tree.drop(#"{"workflow":"ship","id":"r"}"#, at: "runs/inbox/start.json", by: "daemon")
            try await tree.untilWaiting("r", for: "first")
            try tree.drop("go", at: "runs/r/inbox/first.txt", by: "games")
            try await tree.untilWaiting("r", for: "approve")
            try tree.answer("r", "approve", by: "daemon")
            #expect(try await tree.untilRefused("approve--daemon.json", of: "r") == "owner")
            try tree.answer("r", "approve", "false", by: "bin")
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.member("runs/r/run.json", "outputs", "answer") == false)
        #expect(try tree.data("RUN_START", of: "r").first?["starter"]?["user"] == "daemon")
    }

    @Test("control files count from those who may control, by commands as well")
    func control() async throws {
        let tree = try ScratchTree([
            "workflows/ship.yaml": Self.workflow("users: [bin]", "control: {from: {users: [bin], self: true}}"),
            "workflows/settings.yaml": "{kind: Settings, control: {from: {users: [bin, root], self: true}}}",
        ])
        try await tree.withDaemon { _ in
            try await ask(tree)
            try tree.drop("{}", at: "runs/r/inbox/@cancel.json", by: "bin")
            #expect(try await tree.untilRefused("@cancel.json", of: "r") == "control")
            let finished = try await tree.waybill("cancel", "r")
            #expect(finished.status == 1)
            #expect(finished.errors.contains("root may not answer: expected bin"), "\(finished)")
            let token = try #require(tree.member("runs/r/run.json", "control", "token")?.stringValue)
            let pause = #"{"token":"\#(token)","answer":{"reason":"lunch"}}"#
            try tree.drop(pause, at: "runs/r/inbox/@pause.json", by: "bin")
            try await tree.untilStatus("r", "paused")
            try tree.drop(pause, at: "runs/r/inbox/@resume.json", by: "bin")
            #expect(try await tree.untilRefused("@resume.json", of: "r") == "control")
        }
        try await tree.expect(0, "verify", "r", "--deep")
    }

    @Test("an SSH signature counts whoever owns the file, beside it or a little later", .enabled(if: People.signs))
    func signatures() async throws {
        let tree = try ScratchTree([
            "workflows/ship.yaml": Self.workflow("signers: [alice@example.com]"),
            "workflows/settings.yaml": "{kind: Settings, signers: workflows/allowed_signers}",
        ])
        for name in ["alice", "mallory"] {
            let made = try await tree.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name)
            #expect(made.status == 0)
        }
        let keys = try ["alice", "mallory"].map { name in
            "\(name)@example.com \(try String(contentsOf: tree["\(name).pub"], encoding: .utf8))"
        }
        try tree.write(keys.joined(), to: "workflows/allowed_signers")
        func sign(_ text: String, as key: String) async throws -> String {
            try tree.write(text, to: "message")
            try? FileManager.default.removeItem(at: tree["message.sig"])
            #expect(
                try await tree.run("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "waybill", "message").status == 0)
            return try String(contentsOf: tree["message.sig"], encoding: .utf8)
        }
        try await tree.withDaemon { _ in
            try await ask(tree)
            let answer = try tree.envelope("r", "approve", "true")
            try tree.drop(try await sign(answer, as: "mallory"), at: "runs/r/inbox/approve--m.json.sig")
            try tree.drop(answer, at: "runs/r/inbox/approve--m.json")
            #expect(try await tree.untilRefused("approve--m.json", of: "r") == "signature")
            let good = try await sign(answer, as: "alice")
            try tree.drop(good, at: "runs/r/inbox/approve--x.json.sig")
            try tree.drop(answer + " ", at: "runs/r/inbox/approve--x.json")
            #expect(try await tree.untilRefused("approve--x.json", of: "r") == "signature")
            // The answer waits for its signature, in either door.
            try tree.drop(answer, at: "runs/inbox/r.approve.json")
            try tree.drop("1", at: "runs/inbox/r.nobody.json")
            #expect(try await tree.untilRefused("r.nobody.json", of: "r") == "unknown-wait")
            #expect(tree.exists("runs/inbox/r.approve.json"))
            try tree.drop(good, at: "runs/inbox/r.approve.json.sig")
            try await tree.untilStatus("r", "completed")
            #expect(!tree.exists("runs/inbox/r.approve.json.sig"))

            // The same answer and signature again answer no other question.
            try await ask(tree, "s")
            try tree.drop(good, at: "runs/s/inbox/approve.json.sig")
            try tree.drop(answer, at: "runs/s/inbox/approve.json")
            #expect(try await tree.untilRefused("approve.json", of: "s") == "token")
        }
        let accepted = try #require(try tree.data("ANSWER_ACCEPTED", of: "r").last)
        #expect(accepted["signer"] == "alice@example.com")
        #expect(accepted["signature"]?.stringValue?.hasPrefix("-----BEGIN SSH SIGNATURE-----") == true)
        let digest = Digest.sha256(tree.bytes("workflows/allowed_signers") ?? [])
        #expect(accepted["signers"] == .string(digest.hex))
        #expect(tree.member("runs/r/run.json", "outputs", "by") == ["alice@example.com"])
        #expect(tree.names(in: "runs/r/inbox/.claimed") == [])
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("the group of the settings sees questions and answers them, and nothing else")
    func access() async throws {
        let tree = try ScratchTree([
            "workflows/ship.yaml": Self.workflow("groups: [bin], quorum: 1"),
            "workflows/settings.yaml": "{kind: Settings, access: {group: bin}}",
        ])
        chmod(tree["runs"].path(), 0o700)
        try await tree.withDaemon { _ in
            try await ask(tree)
            let modes: [(String, mode_t)] = [
                ("runs", 0o750), ("runs/inbox", 0o3770), ("runs/r", 0o2750), ("runs/r/inbox", 0o3770),
                ("runs/r/waits", 0o2750), ("runs/r/waits/approve.json", 0o640), ("runs/r/run.json", 0o640),
                ("runs/r/ledger.jsonl", 0o600),
            ]
            for (path, mode) in modes {
                var status = stat()
                #expect(lstat(tree[path].path(), &status) == 0)
                #expect(status.st_mode & 0o7777 == mode, "\(path) is \(String(status.st_mode & 0o7777, radix: 8))")
            }
            for folder in ["accepted", "rejected", ".claimed"] {
                var status = stat()
                #expect(lstat(tree["runs/r/inbox/\(folder)"].path(), &status) == 0)
                #expect(status.st_mode & 0o777 == 0o700, "\(folder)")
            }
            let seen = try await tree.waybill(as: "bin", "waits", "r")
            #expect(seen.status == 0 && seen.output.contains("ship"), "\(seen)")
            #expect(try await tree.waybill(as: "games", "waits", "r").status != 0)
            let refused = try await tree.waybill(as: "bin", "answer", "r", "approve", "maybe")
            #expect(refused.status == 1, "\(refused)")
            let approved = try await tree.waybill(as: "bin", "approve", "r", "--comment", "fine")
            #expect(approved.status == 0, "\(approved)")
            try await tree.untilStatus("r", "completed")
            let doctor = try await tree.waybill("doctor", "--json")
            #expect(doctor.output.contains("questions and inboxes are open to the group 'bin'"), "\(doctor)")
        }
        #expect(tree.member("runs/r/run.json", "outputs", "by") == ["bin"])
    }
}
