import Foundation
import Synchronization
import Testing
import WaybillCore
import WaybillTestKit

/// Secrets of the built executable: they reach steps, and nothing else.
@Suite("Secrets, end to end")
struct SecretTests {
    private static let canary = #"c4nary/"bird"+\über~0123456789"#

    /// A tree whose settings have the canary as `bird`, in a file beside the tree's root that is gone with the folder.
    private func tree(_ files: [String: String], secret: String = Self.canary) throws -> (ScratchTree, ScratchTree) {
        let outside = try ScratchTree(["bird": secret + "\n"])
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: outside["bird"].path())
        let tree = try ScratchTree(files)
        try tree.write(
            """
            kind: Settings
            pools: {one: 1}
            secrets: {bird: {file: "\(outside["bird"].path())"}, cage: {command: [cat, "\(outside["bird"].path())"]}}

            """, to: "workflows/settings.yaml")
        return (tree, outside)
    }

    private func graph(_ steps: String...) -> [String: String] {
        ["workflows/w.yaml": "kind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined()]
    }

    /// Every file of a tree, what commands printed among them, in which a secret is: as it is, or once the file, or a part
    /// of it that looks like JSON, a URL or base64, is decoded.
    private func leaks(_ secret: String, in tree: ScratchTree) throws -> [String] {
        let needle = Array(secret.utf8)
        let names = FileManager.default.enumerator(atPath: tree.root.path())?.compactMap { $0 as? String } ?? []
        #expect(names.count > 20)
        return names.filter { name in
            guard let bytes = tree.bytes(name) else { return false }
            return decodings(bytes).contains { contains($0, needle) }
        }.sorted()
    }

    private func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        guard bytes.count >= needle.count else { return false }
        return Data(bytes).range(of: Data(needle)) != nil
    }

    private func decodings(_ bytes: [UInt8]) -> [[UInt8]] {
        var all = [bytes]
        let text = String(decoding: bytes, as: UTF8.self)
        if let plain = text.replacing("+", with: " ").removingPercentEncoding { all.append(Array(plain.utf8)) }
        if let plain = text.removingPercentEncoding { all.append(Array(plain.utf8)) }
        // JSON texts, line by line and as a whole, twice: texts of ledgers hold texts of others.
        for escaped in [text] + text.split(separator: "\n").map(String.init) {
            var next = escaped
            for _ in 0..<2 {
                next = next.replacing(#"\""#, with: "\"").replacing(#"\/"#, with: "/").replacing(#"\\"#, with: #"\"#)
                    .replacing(#"\u00fc"#, with: "ü")
                all.append(Array(next.utf8))
            }
        }
        let alphabet = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "+/-_"))
        for word in text.components(separatedBy: alphabet.inverted) where word.utf8.count >= 20 {
            let standard = word.replacing("-", with: "+").replacing("_", with: "/")
            for skipped in 0..<4 {
                let part = standard.dropFirst(skipped)
                let whole = String(part.prefix(part.count / 4 * 4))
                if let data = Data(base64Encoded: whole) { all.append([UInt8](data)) }
            }
        }
        return all
    }

    @Test("no feature writes a secret anywhere in the tree, raw, escaped or encoded")
    func canaryEverywhere() async throws {
        let isPolled = Mutex(false)
        let received = Mutex<[String]>([])
        let server = LoopbackServer { request in
            // Sends back what it got, in every way that a careless server might.
            let body = String(decoding: request.body, as: UTF8.self)
            received.withLock { $0.append("\(request.target) \(body)") }
            let given = request.headers["authorization"] ?? request.headers["x-key"] ?? request.target + body
            let encoded = Data(given.utf8).base64EncodedString()
            isPolled.withLock { $0 = true }
            let quoted = String(decoding: JSON.compact(.string(given)), as: UTF8.self)
            return LoopbackServer.response(
                200, ["Content-Type: application/json", "X-Echo: \(encoded)"],
                body: Array("{\"given\":\(quoted),\"encoded\":\"\(encoded)\"}".utf8))
        }
        defer { server.stop() }
        let hook = "#!/bin/sh\ncat >> \"$PWD/hooked\"\n"
        let print = """
            #!/bin/sh
            printf 'raw %s\\n' "$BIRD"
            printf '%s' "$BIRD" | base64 -w 20
            printf 'x%s' "$BIRD" | base64 -w 0; echo
            printf 'xy%s' "$BIRD" | base64 -w 0 | tr '+/' '-_'; echo
            printf '%s' "$BIRD" | sed 's/["\\\\]/\\\\&/g' >&2
            exit "${CODE:-0}"
            """
        let (tree, outside) = try self.tree([
            "hooks/any": hook, "workflows/print.sh": print,
            "workflows/w.yaml": """
            kind: Workflow
            name: w
            files: [print.sh]
            context: {a: 1}
            onFailure: [{id: told, run: [./print.sh], secrets: {BIRD: bird}}]
            finally: [{id: last, run: [./print.sh], secrets: {BIRD: cage}}]
            steps:
              - {id: plain, run: [./print.sh], secrets: {BIRD: bird}, pool: one}
              - {id: undone, run: [./print.sh], secrets: {BIRD: bird}, compensate: {run: [./print.sh], secrets: {BIRD: bird}}}
              - {id: asked, http: {url: "\(server.url)/a", auth: {bearer: {secret: bird}}}}
              - {id: basic, http: {url: "\(server.url)/b", auth: {basic: {user: me, password: {secret: cage}}}}}
              - {id: header, http: {method: POST, url: "\(server.url)/c", json: {a: 1}, headers: {X-Key: {secret: bird, prefix: "Key "}}}}
              - {id: queried, http: {url: "\(server.url)/d", query: {plain: 1, key: {secret: bird, prefix: "k "}}}}
              - {id: formed, http: {method: POST, url: "\(server.url)/e", form: {grant: refresh, token: {secret: cage}}}}
              - {id: stated, http: {method: POST, url: "\(server.url)/f", json: {to: [{token: {secret: bird}}, 1]}}}
              - {id: worded, http: {method: POST, url: "\(server.url)/g", text: {secret: bird}}}
              - {id: each, forEach: [1, 2], run: [./print.sh], secrets: {BIRD: bird}}
              - {id: used, uses: print@1}
              - {id: job, wait: {job: {handle: h, every: 1ms, poll: {run: [./print.sh]}}}, secrets: {BIRD: bird}}
              - {id: sub, call: {workflow: inner}}
              - {id: mark, snapshot: {name: half}}
              - {id: sent, emit: {type: seen, data: {body: "${{ steps.asked.output.body }}"}}}
              - {id: question, ask: {prompt: "Saw ${{ steps.asked.output.body.given }}?", choices: [yes]}}
              - {id: held, run: {script: "unset BIRD; BIRD=$(cat \\"$FILE\\") ./workflows/print.sh; cat \\"$FILE\\"; env >&2"}, secrets: {FILE: {name: bird, as: descriptor}}}
              - {id: again, run: [./print.sh], env: {CODE: "3"}, secrets: {BIRD: bird}, retry: {maxAttempts: 2, initial: 1ms}, continueOnError: true}
              - {id: leaky, run: {script: "printf %s \\"$BIRD\\" > \\"$WAYBILL_OUTPUT\\"; ./workflows/print.sh"}, secrets: {BIRD: bird}, output: {from: file, format: text}}

            """,
            "workflows/inner.yaml":
                "kind: Workflow\nname: inner\nsteps:\n  - {id: a, run: [./print.sh], secrets: {BIRD: cage}}\n",
            "workflows/capability.yaml":
                "kind: Capability\nname: print\nversion: 1.0.0\nrun: [./print.sh]\nsecrets: {BIRD: bird}\n",
            "workflows/policy.yaml":
                "kind: Policy\nname: watch\nmode: audit\nrules:\n  - {id: names, at: step.before, deny: \"'bird' in step.secrets\"}\n",
        ])
        defer { withExtendedLifetime(outside) {} }
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "w", "--id", "r")
            try await tree.until("the question is open", watching: "r") { tree.exists("runs/r/waits/question.json") }
            try await tree.expect(0, "answer", "r", "question", "yes")
            try await tree.untilStatus("r", "failed")
        }
        #expect(isPolled.withLock { $0 })
        #expect(
            received.withLock { $0.filter { "defg".contains($0.dropFirst().first ?? " ") } } == [
                "/d?plain=1&key=k%20c4nary%2F%22bird%22%2B%5C%C3%BCber~0123456789 ",
                "/e grant=refresh&token=c4nary%2F%22bird%22%2B%5C%C3%BCber%7E0123456789",
                #"/f {"to":[{"token":"c4nary/\"bird\"+\\über~0123456789"},1]}"#,
                "/g " + Self.canary,
            ])
        try await tree.expect(0, "secrets", "check")
        try await tree.expect(0, "secrets", "list", "--json")
        _ = try await tree.waybill("show", "r")
        _ = try await tree.waybill("logs", "r")
        try await tree.expect(0, "verify", "r", "--deep")

        let log = tree.lines("runs/r/steps/plain/1.1/stdout.log")
        #expect(log.first == "raw ***")
        #expect(log.count >= 3 && log.dropFirst().allSatisfy { $0.contains("***") && $0.utf8.count < 16 }, "\(log)")
        #expect(tree.lines("runs/r/steps/plain/1.1/stderr.log") == ["***"])
        #expect(tree.lines("runs/r/steps/held/1.1/stdout.log") == log + ["***"])
        #expect(tree.lines("runs/r/steps/held/1.1/stderr.log").contains("FILE=/dev/fd/3"))
        #expect(tree.member("runs/r/run.json", "error", "kind") == .string("secret"))
        #expect(tree.member("runs/r/run.json", "error", "step") == .string("leaky"))
        #expect(!tree.exists("runs/r/steps/leaky/1.1/output"))
        #expect(tree.exists("runs/r/steps/told/1.1/stdout.log") && tree.exists("runs/r/steps/last/1.1/stdout.log"))
        let leaks = try leaks(Self.canary, in: tree)
        #expect(leaks == [])
    }

    @Test("an output or an artifact that holds a secret fails the step and is not kept")
    func refused() async throws {
        let steps = [
            ("stdout", #"run: {script: "echo \"$T\""}, output: text"#),
            (
                "file",
                #"run: {script: "echo \"$T\" | base64 -w 0 > \"$WAYBILL_OUTPUT\""}, output: {from: file, format: text}"#
            ),
            ("artifact", #"run: {script: "echo x > clean; echo \"a $T\" > dirty"}, artifacts: [clean, dirty]"#),
        ]
        for (name, step) in steps {
            let (tree, outside) = try self.tree(
                graph("{id: a, \(step), secrets: {T: bird}}"), secret: "hunter2-hunter2")
            defer { withExtendedLifetime(outside) {} }
            try await tree.expect(1, "run", "w", "--id", "r")
            let error = try #require(tree.member("runs/r/run.json", "error"))
            #expect(error.member("kind") == .string("secret"), "\(name): \(error)")
            #expect(!tree.exists("runs/r/steps/a/1.1/output"))
            #expect(tree.names(in: "runs/r/artifacts/sha256") == [])
            #expect(tree.names(in: "runs/r/steps/a/1.1/artifacts") == [])
        }
    }

    @Test("a secret that is missing fails the attempt, and `retry` waits for it")
    func missing() async throws {
        let (tree, outside) = try self.tree(
            graph(
                "{id: a, run: {script: 'test ${#T} = 16 && echo had'}, secrets: {T: bird}, output: text, retry: {maxAttempts: 10000, initial: 20ms, on: [secret]}}"
            ))
        defer { withExtendedLifetime(outside) {} }
        try FileManager.default.removeItem(at: outside["bird"])
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "w", "--id", "r")
            try await tree.until("an attempt has failed", watching: "r") {
                tree.lines("runs/r/ledger.jsonl").contains { $0.contains("TASK_RETRY") }
            }
            try outside.write("later-than-never\n", to: "bird.new")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: outside["bird.new"].path())
            try FileManager.default.moveItem(at: outside["bird.new"], to: outside["bird"])
            try await tree.untilStatus("r", "completed")
        }
        #expect(tree.lines("runs/r/ledger.jsonl").contains { $0.contains("there is no file") })
        #expect(!tree.lines("runs/r/ledger.jsonl").contains { $0.contains("later-than-never") })
    }

    @Test("a step that outlives its daemon is masked all the same, and what it leaves is searched by the next")
    func adopted() async throws {
        let (tree, outside) = try self.tree(
            graph(
                "{id: a, run: {script: 'mkfifo go; echo > begun; read line < go; echo \"$T\"; echo \"$T\" > dirty'}, secrets: {T: bird}, artifacts: [dirty]}"
            ),
            secret: "hunter2-hunter2")
        defer { withExtendedLifetime(outside) {} }
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "w", "--id", "r")
        try await tree.until("the step has begun", watching: "r") { tree.exists("begun") }
        await daemon.kill()
        _ = try await tree.run("sh", "-c", "echo > go")
        try await tree.withDaemon { _ in try await tree.untilStatus("r", "failed") }
        #expect(tree.member("runs/r/run.json", "error", "kind") == .string("secret"))
        #expect(tree.lines("runs/r/steps/a/1.1/stdout.log") == ["***"])
        #expect(tree.names(in: "runs/r/artifacts/sha256") == [])
    }

    @Test("`secrets check` says which can be had and why others cannot, and prints none")
    func check() async throws {
        let (tree, outside) = try self.tree(
            graph("{id: a, run: [make], secrets: {T: bird}}"), secret: "hunter2-hunter2")
        defer { withExtendedLifetime(outside) {} }
        let good = try await tree.expect(0, "secrets", "check")
        #expect(good.output == "ok        bird\nok        cage\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: outside["bird"].path())
        let bad = try await tree.expect(1, "secrets", "check", "bird")
        #expect(bad.output.hasPrefix("too-open  bird: /"))
        #expect(!bad.output.contains("hunter2"))
        try FileManager.default.removeItem(at: outside["bird"])
        let json = try await tree.expect(1, "secrets", "check", "--json", "bird")
        let value = try JSON.parse(Array(json.output.utf8))
        #expect(value.member("status") == .string("missing"))
        #expect(value.member("usedBy") == .list([.string("w.a")]))
        try await tree.expect(2, "secrets", "check", "nobody")
        let list = try await tree.expect(0, "secrets", "list")
        #expect(list.output.hasPrefix("bird\tfile\t\(outside["bird"].path())\tw.a\n"))
    }
}
