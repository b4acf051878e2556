import Testing
import WaybillCore
import WaybillHTTP
import WaybillPorts
import WaybillTestKit

/// What comes back when something goes wrong, and whether the request may have been received.
struct HTTPFailureTests {
    /// What becomes of one request to a server that behaves like this.
    private func failure(
        method: String = "GET", timeout: Duration = .seconds(30), limit: Int = 1 << 20,
        _ serve: @escaping @Sendable (LoopbackConnection) -> Void
    ) async -> (failure: HTTPFailure?, requests: Int, port: Int) {
        await withServer(LoopbackServer(serve: serve)) { server in
            let request = HTTPRequestSpec(method: method, url: server.url, timeout: timeout, bodyLimitBytes: limit)
            let result = await withPerformer { await $0.outcome(of: request).result }
            return (result.failure, server.requests.count, server.port)
        }
    }

    @Test("a server that is not there got nothing")
    func refused() async {
        let server = LoopbackServer { _ in [] }
        server.stop()
        let result = await withPerformer { await $0.get(server.url) }
        #expect(
            result.failure
                == HTTPFailure(
                    .connection, "cannot connect to 127.0.0.1:\(server.port): Connection refused",
                    mayHaveBeenSent: false))
    }

    @Test("a name that does not exist is a server that is not there")
    func unknownHost() async {
        // RFC 6761, section 6.4.
        let result = await withPerformer { await $0.get("http://nowhere.invalid/") }
        #expect(result.failure?.kind == .connection)
        #expect(result.failure?.mayHaveBeenSent == false)
        #expect(result.failure?.message == "cannot connect to nowhere.invalid:80: unknown host")
    }

    @Test(
        "a request whose connection ends without an answer may have been received, and is not sent again",
        arguments: ["GET", "POST"])
    func closedWithoutAnswer(method: String) async {
        let (failure, requests, port) = await failure(method: method) { connection in
            _ = connection.readRequest()
        }
        #expect(
            failure
                == HTTPFailure(
                    .connection, "127.0.0.1:\(port) closed the connection before its response was complete",
                    mayHaveBeenSent: true))
        #expect(requests == 1)
    }

    @Test("so is one whose connection is reset")
    func resetAfterRequest() async {
        let (failure, requests, _) = await failure(method: "POST") { connection in
            _ = connection.readRequest()
            connection.reset()
        }
        #expect(failure?.kind == .connection)
        #expect(failure?.mayHaveBeenSent == true)
        #expect(requests == 1)
    }

    @Test("a response that is cut off is none", arguments: ["Content-Length: 11", "Transfer-Encoding: chunked"])
    func cutOff(framing: String) async {
        let (failure, _, _) = await failure { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n5\r\nhello\r\n")
        }
        #expect(failure?.kind == .connection)
        #expect(failure?.mayHaveBeenSent == true)
    }

    @Test(
        "what is no HTTP is no response",
        arguments: [
            "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ])
    func noHTTP(text: String) async {
        let (failure, _, _) = await failure { connection in
            _ = connection.readRequest()
            connection.send(text)
            connection.waitForClose()
        }
        #expect(failure?.kind == .connection)
        #expect(failure?.message.contains("no HTTP") == true, "\(failure?.message ?? "")")
    }

    @Test("a server that never answers is given up at the deadline")
    func silence() async {
        let (failure, _, _) = await failure(timeout: .milliseconds(100)) { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        }
        #expect(failure == HTTPFailure(.timeout, "took longer than 100ms", mayHaveBeenSent: true))
    }

    @Test("so is one that answers byte by byte without an end: every byte counts, not only the first")
    func trickle() async {
        let (failure, _, _) = await failure(timeout: .milliseconds(100), limit: 1 << 30) { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while connection.send("1\r\nx\r\n") {}
        }
        #expect(failure == HTTPFailure(.timeout, "took longer than 100ms", mayHaveBeenSent: true))
    }

    @Test("a body over the limit is refused before it is read when its length is announced")
    func announcedLength() async {
        let (failure, _, _) = await failure(limit: 1_000) { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
            connection.waitForClose()
        }
        #expect(failure == HTTPFailure(.tooLarge, "the response has more than 1000 bytes", mayHaveBeenSent: true))
    }

    @Test("and as soon as it is over it when it comes in chunks without an end")
    func endlessBody() async {
        let (failure, _, _) = await failure(limit: 100_000) { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "4000\r\n" + String(repeating: "x", count: 0x4000) + "\r\n"
            while connection.send(chunk) {}
        }
        #expect(failure == HTTPFailure(.tooLarge, "the response has more than 100000 bytes", mayHaveBeenSent: true))
    }

    @Test("a body of exactly the limit is whole")
    func exactLimit() async {
        await withServer(LoopbackServer { _ in LoopbackServer.response(200, body: [1, 2, 3, 4]) }) { server in
            #expect(await withPerformer { await $0.get(server.url, limit: 4) }.response?.body == [1, 2, 3, 4])
        }
    }

    @Test("a small body that unpacks to a large one is held to the limit", arguments: [1 << 20, 1 << 30])
    func bomb(limit: Int) async {
        let packed = Packed.bomb(unpackingTo: HTTPClientPerformer.mostBodyBytes + (1 << 20))
        let (failure, _, _) = await failure(limit: limit) { connection in
            _ = connection.readRequest()
            connection.send(LoopbackServer.response(200, ["Content-Encoding: deflate"], body: packed.bytes))
            connection.waitForClose()
        }
        #expect(failure?.kind == .tooLarge)
    }

    @Test("a packed body that is damaged is no body")
    func damagedPacking() async {
        let (failure, _, port) = await failure { connection in
            _ = connection.readRequest()
            connection.send(LoopbackServer.response(200, ["Content-Encoding: gzip"], body: Array("not packed".utf8)))
            connection.waitForClose()
        }
        #expect(
            failure
                == HTTPFailure(
                    .connection, "the compressed response of 127.0.0.1:\(port) is damaged or cut off",
                    mayHaveBeenSent: true))
    }

    @Test("a header without measure is refused", arguments: ["X: " + String(repeating: "x", count: 70_000), nil])
    func largeHeader(line: String?) async {
        let (failure, _, _) = await failure { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            if let line { connection.send(line + "\r\nContent-Length: 0\r\n\r\n") }
            // Without a line of its own: headers without an end.
            while line == nil, connection.send("X: y\r\n") {}
            connection.waitForClose()
        }
        #expect(
            failure
                == HTTPFailure(
                    .tooLarge, "the header of the response has more than 65536 bytes", mayHaveBeenSent: true))
    }

    @Test(
        "a request that would not be one request is never sent",
        arguments: [
            HTTPRequestSpec(method: "GET /a HTTP/1.1\r\nX: y\r\n\r\nGET", url: "http://127.0.0.1/"),
            HTTPRequestSpec(method: "get", url: "http://127.0.0.1/"), HTTPRequestSpec(method: "", url: "http://h/"),
            HTTPRequestSpec(method: "GET", url: "http://127.0.0.1/", headers: [HTTPField("X", "a\r\nY: b")]),
            HTTPRequestSpec(method: "GET", url: "http://127.0.0.1/", headers: [HTTPField("X: y\r\nZ", "a")]),
            HTTPRequestSpec(method: "GET", url: "ftp://127.0.0.1/"), HTTPRequestSpec(method: "GET", url: "no url"),
            HTTPRequestSpec(method: "GET", url: ""), HTTPRequestSpec(method: "GET", url: "http:///x"),
            HTTPRequestSpec(method: "TRACE", url: "http://127.0.0.1/", body: [1]),
        ])
    func invalidRequests(request: HTTPRequestSpec) async {
        let failure = await withPerformer { await $0.outcome(of: request).result.failure }
        #expect(failure?.kind == .invalidRequest)
        #expect(failure?.mayHaveBeenSent == false)
    }

    // MARK: - Cancellation and the end

    @Test("a request that is cancelled ends at once, and its connection is closed")
    func cancellation() async {
        let arrived = Signal()
        let closed = Signal()
        let server = LoopbackServer(serve: { connection in
            _ = connection.readRequest()
            arrived.set()
            connection.waitForClose()
            closed.set()
        })
        await withServer(server) { server in
            // Long enough for a busy machine: what ends the request must be the cancellation.
            let patient = HTTPRequestSpec(method: "POST", url: server.url, timeout: .seconds(600))
            await withPerformer { performer in
                let outcome = await withCheckedContinuation { continuation in
                    let call = performer.perform(patient) {
                        continuation.resume(returning: $0)
                    }
                    Task {
                        await arrived.wait()
                        call.cancel()
                        call.cancel()
                    }
                }
                #expect(outcome.result.failure == HTTPFailure(.cancelled, "was cancelled", mayHaveBeenSent: true))
                await closed.wait()
            }
        }
    }

    @Test("cancelling what has ended does nothing")
    func lateCancellation() async {
        await withServer(LoopbackServer { _ in LoopbackServer.response(200) }) { server in
            await withPerformer { performer in
                let ended = Signal()
                let call = performer.perform(HTTPRequestSpec(method: "GET", url: server.url)) { outcome in
                    #expect(outcome.result.response?.status == 200)
                    ended.set()
                }
                await ended.wait()
                call.cancel()
                #expect(await performer.get(server.url).response?.status == 200)
            }
        }
    }

    @Test("a shut-down cancels what is under way, delivers it, and takes nothing more")
    func shutDown() async {
        let arrived = Signal()
        let server = LoopbackServer(serve: { connection in
            _ = connection.readRequest()
            arrived.set()
            connection.waitForClose()
        })
        await withServer(server) { server in
            let performer = HTTPClientPerformer()
            async let first = performer.get(server.url)
            await arrived.wait()
            performer.shutDown()
            #expect(await first.failure == HTTPFailure(.cancelled, "was cancelled", mayHaveBeenSent: true))
            let later = await performer.get(server.url)
            #expect(
                later.failure == HTTPFailure(.cancelled, "no request is taken any more", mayHaveBeenSent: false))
            performer.shutDown()
        }
    }

    @Test("a performer that sent nothing has nothing to shut down")
    func idle() {
        HTTPClientPerformer().shutDown()
    }
}
