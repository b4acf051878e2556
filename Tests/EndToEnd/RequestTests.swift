import Foundation
import Synchronization
import Testing
import WaybillCore
import WaybillTestKit

/// `http` steps of the built executable against a server on loopback.
@Suite("Requests, end to end")
struct RequestTests {
    private func workflow(_ steps: String, outputs: String = "{}") -> [String: String] {
        ["workflows/w.yaml": "kind: Workflow\nname: w\nsteps:\n\(steps)\noutputs: \(outputs)\n"]
    }

    private func withServer(
        _ server: LoopbackServer, _ body: (LoopbackServer) async throws -> Void
    ) async throws {
        defer { server.stop() }
        try await body(server)
    }

    private func json(_ text: String, status: Int = 200, _ headers: [String] = []) -> [UInt8] {
        LoopbackServer.response(status, ["Content-Type: application/json"] + headers, body: Array(text.utf8))
    }

    @Test("a step asks, the next one sends what it got, and the run's folder shows both")
    func askAndSend() async throws {
        let server = LoopbackServer { request in
            request.method == "GET" ? self.json(#"{"price":12}"#) : self.json(#"{"id":"c1"}"#, status: 201)
        }
        try await withServer(server) { server in
            let tree = try ScratchTree(
                workflow(
                    """
                      - {id: quote, http: {url: "\(server.url)/quotes", query: {sku: "a b"}}}
                      - id: charge
                        http:
                          method: POST
                          url: "\(server.url)/charges"
                          headers: {X-Trace: "${{ run.id }}"}
                          auth: {bearer: {secret: forge}}
                          json: {amount: "${{ steps.quote.output.body.price * 2 }}"}
                    """, outputs: #"{charge: "${{ steps.charge.output.body.id }}"}"#))
            try tree.write("kind: Settings\nsecrets: {forge: {command: [echo, open-sesame]}}\n", to: "workflows/s.yaml")
            try await tree.expect(0, "run", "w", "--id", "r")
            #expect(tree.member("runs/r/run.json", "outputs") == ["charge": "c1"])
            #expect(server.requests.map { "\($0.method) \($0.target)" } == ["GET /quotes?sku=a%20b", "POST /charges"])
            let charge = try #require(server.requests.last)
            #expect(charge.body == Array(#"{"amount":24}"#.utf8))
            #expect(charge.headers["authorization"] == "Bearer open-sesame")
            #expect(charge.headers["x-trace"] == "r")
            #expect(charge.headers["idempotency-key"]?.utf8.count == 64)
            #expect(tree.member("runs/r/steps/charge/1.1/request.json", "headers", "Authorization") == "***")
            #expect(tree.member("runs/r/steps/charge/1.1/response.json", "status") == 201)
            #expect(tree.bytes("runs/r/steps/charge/1.1/response.body") == Array(#"{"id":"c1"}"#.utf8))
            try await tree.expect(0, "verify", "r", "--deep")
        }
    }

    @Test("a server that asks for patience is asked again no earlier, with the same idempotency key")
    func retryAfter() async throws {
        let served = Mutex(0)
        let server = LoopbackServer { _ in
            let count = served.withLock { count in
                count += 1
                return count
            }
            return count < 3 ? LoopbackServer.response(503, ["Retry-After: 1"]) : self.json("{}")
        }
        try await withServer(server) { server in
            let tree = try ScratchTree(
                workflow(
                    """
                      - id: send
                        http: {method: POST, url: "\(server.url)/", text: hello}
                        retry: {maxAttempts: 3, initial: 1ms}
                    """))
            try await tree.withDaemon { _ in
                try await tree.expect(0, "run", "w", "--id", "r")
                try await tree.untilStatus("r", "completed")
            }
            #expect(server.requests.count == 3)
            #expect(Set(server.requests.map { $0.headers["idempotency-key"] }).count == 1)
            let run = try #require(tree.json("runs/r/run.json"))
            let times = [run["startedAt"], run["endedAt"]].compactMap {
                $0?.stringValue.flatMap(Timestamp.init(rfc3339:))
            }
            #expect(times.count == 2 && times[1] - times[0] >= .seconds(2))
        }
    }

    @Test("a status that is not expected fails the step with kind executor and the status")
    func unexpectedStatus() async throws {
        try await withServer(LoopbackServer { _ in LoopbackServer.response(404) }) { server in
            let tree = try ScratchTree(workflow("  - {id: get, http: {url: \"\(server.url)/x\"}}"))
            try await tree.expect(1, "run", "w", "--id", "r")
            let error = try #require(tree.member("runs/r/run.json", "error"))
            #expect(error["kind"] == "executor")
            #expect(error["status"] == 404)
            #expect(error["message"] == "the server answered with status 404 Not Found")
            #expect(server.requests.count == 1)
        }
    }

    @Test("a request under way when the daemon dies is repeated where that is safe, and asked about where it is not")
    func killedDaemon() async throws {
        // Nobody is answered while the first daemon lives.
        let isOpen = Mutex(false)
        let server = LoopbackServer(serve: { connection in
            while connection.readRequest() != nil {
                guard isOpen.withLock({ $0 }) else { return connection.waitForClose() }
                connection.send(LoopbackServer.response(200))
            }
        })
        try await withServer(server) { server in
            let tree = try ScratchTree(
                workflow(
                    """
                      - {id: safe, needs: [], http: {url: "\(server.url)/safe"}}
                      - {id: pay, needs: [], http: {method: POST, url: "\(server.url)/pay"}}
                    """))
            let daemon = try await tree.startDaemon()
            try await tree.expect(0, "run", "w", "--id", "r")
            try await tree.until("both were sent", watching: "r") { server.requests.count == 2 }
            await daemon.kill()
            isOpen.withLock { $0 = true }
            try await tree.withDaemon { _ in
                try await tree.untilWaiting("r", for: "pay-unknown")
                try tree.drop("done", at: "runs/r/inbox/pay-unknown.txt")
                try await tree.untilStatus("r", "completed")
            }
            #expect(server.requests.map(\.target).sorted() == ["/pay", "/safe", "/safe"])
            #expect(try tree.count("TASK_UNKNOWN", of: "r") == 2)
        }
    }

    @Test("a cancelled run gives its request up")
    func cancelled() async throws {
        let closed = Mutex(false)
        let server = LoopbackServer(serve: { connection in
            _ = connection.readRequest()
            connection.waitForClose()
            closed.withLock { $0 = true }
        })
        try await withServer(server) { server in
            let tree = try ScratchTree(workflow("  - {id: get, http: {url: \"\(server.url)/x\", method: POST}}"))
            try await tree.withDaemon { _ in
                try await tree.expect(0, "run", "w", "--id", "r")
                try await tree.until("it was sent", watching: "r") { server.requests.count == 1 }
                try await tree.expect(0, "cancel", "r")
                try await tree.untilStatus("r", "cancelled")
                try await tree.until("the connection is closed") { closed.withLock { $0 } }
            }
        }
    }

    @Test("a daemon that sends nothing has no thread for it")
    func idleDaemon() async throws {
        let tree = try ScratchTree(["workflows/w.yaml": "kind: Workflow\nname: w\nsteps: [{id: a, set: {}}]\n"])
        try await tree.withDaemon { daemon in
            try await tree.expect(0, "run", "w", "--id", "r", "--wait")
            let tasks = "/proc/\(daemon.processID)/task"
            let names = try FileManager.default.contentsOfDirectory(atPath: tasks).compactMap { task in
                try? String(contentsOfFile: "\(tasks)/\(task)/comm", encoding: .utf8)
            }
            #expect(!names.isEmpty && !names.contains { $0.hasPrefix("NIO") }, "\(names)")
        }
    }
}
