import Foundation
import Testing
import WaybillCore

/// Whoever edits history without the key is found out, and what was edited is named.
@Suite("Signed history")
struct SigningTests {
    private static let workflow = """
        kind: Workflow
        name: small
        steps:
          - {id: say, run: [echo, hello], output: text}
          - {id: ask, ask: {prompt: "${{ steps.say.output }}?", approval: true}}
        """

    /// Two runs that ended, `r` and `s`, and one that waits, `w`.
    private func tree() async throws -> ScratchTree {
        let tree = try await ScratchTree.signing(["workflows/small.yaml": Self.workflow])
        for run in ["r", "s", "w"] { try await tree.expect(3, "run", "small", "--id", run) }
        for run in ["r", "s"] { try await tree.expect(0, "approve", run, "ask") }
        let sound = try await tree.verify()
        #expect(sound.status == 0)
        #expect(sound.errors.isEmpty, "\(sound.errors)")
        return tree
    }

    @Test("a key is a file of its owner's, its public half is OpenSSH's, and neither is ever written over")
    func keys() async throws {
        let tree = try ScratchTree()
        let line = try await tree.expect(0, "keys", "generate", "--out", "k", "--name", "alice").output
        #expect(line.hasPrefix("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"))
        #expect(line.hasSuffix(" alice\n"))
        #expect(tree.lines("k.pub") == [line.dropLast().description])
        let mode = try FileManager.default.attributesOfItem(atPath: tree["k"].path())[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let shown = try await tree.expect(0, "keys", "show", "k")
        #expect(shown.output == line)
        let known = try await tree.run("ssh-keygen", "-lf", "k.pub")
        #expect(known.status == 0, "\(known)")
        let list = try await tree.waybill("keys", "show", "k.pub", "--json")
        let fingerprint = try JSON.parse([UInt8](list.output.utf8)).listValue?.first?.member("fingerprint")?.stringValue
        #expect(fingerprint.map { known.output.contains($0) } == true)
        let before = tree.bytes("k")
        let again = try await tree.expect(1, "keys", "generate", "--out", "k")
        #expect(again.errors.contains("there is a file already"))
        #expect(tree.bytes("k") == before)
    }

    @Test("a key that others may read is refused, and nothing is recorded unsigned")
    func looseKey() async throws {
        let tree = try await ScratchTree.signing(["workflows/small.yaml": Self.workflow])
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: tree["key"].path())
        let refused = try await tree.expect(1, "run", "small", "--id", "r")
        #expect(refused.errors.contains("may be read by others"))
        #expect(!tree.exists("runs/r"))
        let doctor = try await tree.expect(1, "doctor")
        #expect(doctor.output.contains("chmod 600"))
    }

    @Test("waits and ends are signed, in the ledger and in the journal")
    func signatures() async throws {
        let tree = try await tree()
        #expect(try tree.types("w").last == "SIGNED")
        #expect(try tree.types("r").suffix(2) == ["RUN_END", "SIGNED"])
        #expect(try tree.types("r").count { $0 == "SIGNED" } == 2)
        let report = try await tree.waybill("verify", "r", "--json")
        let value = try JSON.parse([UInt8](report.output.utf8))
        let count = try tree.types("r").count
        #expect(value.member("signed") == .int(Int64(count - 1)))
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("a changed, a removed and a moved entry are named")
    func edits() async throws {
        let tree = try await tree()
        try tree.edit("runs/r/ledger.jsonl") { $0[2] = $0[2].replacing("hello", with: "hellO") }
        #expect(try await tree.verify("r").errors["r"]?.contains("chain 4") == true)
        try tree.edit("runs/s/ledger.jsonl") { $0.remove(at: 3) }
        #expect(try await tree.verify("s").errors["s"]?.contains("sequence 4") == true)
        try tree.edit("runs/w/ledger.jsonl") { $0.swapAt(2, 3) }
        let moved = try await tree.verify()
        #expect(moved.status == 1)
        #expect(moved.errors.keys.sorted() == ["r", "s", "w"])
        #expect(moved.errors["w"]?.contains("sequence 3") == true)
    }

    @Test("a history that was written anew as a whole is found by what the key signed")
    func rewrites() async throws {
        let tree = try await tree()
        // With the old signatures in it: the first one that does not fit is named.
        try tree.rewrite("runs/w/ledger.jsonl") { $0[2] = $0[2].replacing("hello", with: "hellO") }
        tree.forgetHeads(of: "w")
        let found = try #require(try await tree.verify("w").errors["w"])
        #expect(found.contains { $0.hasPrefix("signature ") }, "\(found)")
        // Without any: whoever signs would have signed at the wait.
        try tree.rewrite("runs/w/ledger.jsonl") { lines in lines.removeAll { $0.contains(#""type":"SIGNED""#) } }
        let wait = try #require(try tree.types("w").firstIndex(of: "TASK_WAITING")) + 1
        #expect(try await tree.verify("w").errors["w"] == ["unsigned \(wait)"])
        // A run that ended is in the journal, too.
        try tree.rewrite("runs/r/ledger.jsonl") { $0[2] = $0[2].replacing("hello", with: "hellO") }
        tree.forgetHeads(of: "r")
        let ended = try tree.types("r").count
        #expect(try await tree.verify("r").errors["r"]?.contains("head \(ended)") == true)
        // Without keys the first of these verifies.
        try tree.write("kind: Settings\nname: default\n", to: "workflows/settings.yaml")
        #expect(try await tree.verify("w").status == 0)
        #expect(try await tree.verify("w", "--trust", tree["key.pub"].path()).status == 1)
    }

    @Test("a rewrite signed with another key is found, and the key is named")
    func otherKey() async throws {
        let tree = try await tree()
        try await tree.expect(0, "keys", "generate", "--out", "other")
        let found = try await tree.verify("--trust", "other.pub")
        #expect(found.status == 1)
        #expect(found.errors["journal"] == ["unsigned"])
        let text = try await tree.expect(1, "verify", "--trust", "other.pub")
        #expect(text.output.contains("a key that is not trusted"))
        // The key itself may stand in the place of its file.
        try await tree.expect(0, "verify", "--trust", tree.lines("key.pub")[0])
    }

    @Test("a tail that was cut is found by the journal, and by a head that was remembered")
    func cutTail() async throws {
        let tree = try await tree()
        let heads = try await tree.expect(0, "verify", "--print-heads").output
        try tree.write(heads, to: "heads.txt")
        let counts = (r: try tree.types("r").count, w: try tree.types("w").count)
        #expect(heads.contains("w=\(counts.w):"))
        // Whole decisions go, and what else knows them in the run's folder.
        let ask = try #require(try tree.types("r").firstIndex(of: "ANSWER_ACCEPTED"))
        try tree.edit("runs/r/ledger.jsonl") { $0.removeLast($0.count - ask) }
        let rest = try #require(try tree.types("w").firstIndex(of: "TASK_END"))
        try tree.edit("runs/w/ledger.jsonl") { $0.removeLast($0.count - rest) }
        for run in ["r", "w"] { tree.forgetHeads(of: run) }
        #expect(try await tree.verify("r").errors["r"] == ["head \(ask + 1)"])
        #expect(try await tree.verify("w").status == 0, "nothing here knows better")
        let found = try await tree.verify("--heads", "heads.txt")
        #expect(found.status == 1)
        #expect(found.errors["w"] == ["head \(rest + 1)"])
        let head = try #require(heads.split(separator: "\n").first { $0.hasPrefix("w=") }.map(String.init))
        #expect(try await tree.verify("w", "--head", head).errors["w"] == ["head \(rest + 1)"])
    }

    @Test("a run that was removed is named, ended or not")
    func removedRun() async throws {
        let tree = try await tree()
        for run in ["s", "w"] { try FileManager.default.removeItem(at: tree["runs/\(run)"]) }
        let found = try await tree.verify()
        #expect(found.status == 1)
        #expect(found.errors["journal"]?.count == 2)
        let text = try await tree.expect(1, "verify")
        #expect(text.output.contains("run s ended here, and its folder is gone"))
        #expect(text.output.contains("run w started here, and its folder is gone"))
    }

    @Test("a journal that was edited, cut or written anew to hide a run is found")
    func journal() async throws {
        let journal = "runs/journal.jsonl"
        let edited = try await tree()
        try edited.edit(journal) { $0[0] = $0[0].replacing("small", with: "smalL") }
        #expect(try await edited.verify().errors["journal"] == ["chain 2"])

        let cut = try await tree()
        let head = try await cut.expect(0, "verify", "--print-heads").lines.first { $0.hasPrefix("journal=") }
        // The first start and its signature stay.
        try cut.edit(journal) { $0.removeLast($0.count - 2) }
        let found = try await cut.verify()
        #expect(found.status == 1)
        #expect(found.errors["s"] == ["journal"])
        #expect(found.errors["w"] == ["journal"])
        let journalHead = try #require(head).dropFirst("journal=".count)
        #expect(try await cut.verify("--journal-head", String(journalHead)).errors["journal"] == ["head 3"])

        let anew = try await tree()
        try anew.rewrite(journal) { lines in
            lines.removeAll { $0.contains(#""run":"s""#) || $0.contains(#""type":"SIGNED""#) }
        }
        try FileManager.default.removeItem(at: anew["runs/s"])
        let rewritten = try await anew.verify()
        #expect(rewritten.status == 1)
        #expect(rewritten.errors["journal"] == ["unsigned"])
    }

    @Test("a run under another run's name is found")
    func swappedRun() async throws {
        let tree = try await tree()
        try FileManager.default.removeItem(at: tree["runs/w"])
        try FileManager.default.copyItem(at: tree["runs/r"], to: tree["runs/w"])
        #expect(try await tree.verify("w").errors["w"] == ["run 1"])
    }

    @Test("what came after the last signature is said, and no error")
    func unsignedTail() async throws {
        let tree = try await tree()
        try tree.write("kind: Settings\nname: default\nkeys: {trust: [key.pub]}\n", to: "workflows/settings.yaml")
        let signed = try tree.types("w").count
        try await tree.expect(0, "approve", "w", "ask")
        let finished = try await tree.expect(0, "verify", "w")
        #expect(finished.output.contains("entries \(signed + 1) to \(try tree.types("w").count) are not signed yet"))
    }
}
