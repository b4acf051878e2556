import Testing
import WaybillCore
import WaybillHTTP
import WaybillPorts
import WaybillTestKit

/// What goes over the wire, and what comes back.
struct HTTPClientPerformerTests {
    @Test("a request arrives as it was given, and the response comes back whole")
    func wholeExchange() async throws {
        let server = LoopbackServer { _ in
            LoopbackServer.response(201, ["X-A: 1", "x-a: 2"], body: Array("done".utf8))
        }
        try await withServer(server) { server in
            let request = HTTPRequestSpec(
                method: "POST", url: server.url + "/a%2Fb//c/../d;p?q=a+b&c=%C3%BC",
                headers: [HTTPField("X-One", "1"), HTTPField("Content-Type", "text/plain")], body: Array("hello".utf8))
            let outcome = await withPerformer { await $0.outcome(of: request) }
            let response = try #require(outcome.result.response)
            #expect(response.status == 201)
            #expect(response.headers.filter { $0.name.lowercased() == "x-a" }.map(\.value) == ["1", "2"])
            #expect(response.body == Array("done".utf8))
            #expect(outcome.startedAt <= outcome.endedAt)

            let received = try #require(server.requests.first)
            #expect(server.requests.count == 1)
            #expect(received.method == "POST")
            #expect(received.target == "/a%2Fb//c/../d;p?q=a+b&c=%C3%BC")
            #expect(received.body == Array("hello".utf8))
            #expect(
                received.headers == [
                    "x-one": "1", "content-type": "text/plain", "content-length": "5", "user-agent": "waybill",
                    "host": "127.0.0.1:\(server.port)", "accept-encoding": "deflate, gzip",
                ])
        }
    }

    @Test("a URL without a path asks for /, and keeps its query")
    func emptyPath() async {
        await withServer(LoopbackServer { _ in LoopbackServer.response(200) }) { server in
            _ = await withPerformer { await $0.get(server.url + "?x=%2F") }
            #expect(server.requests.map(\.target) == ["/?x=%2F"])
        }
    }

    @Test("every status is a response, redirects too", arguments: [200, 204, 302, 404, 429, 500, 503])
    func statuses(status: Int) async {
        await withServer(LoopbackServer { _ in LoopbackServer.response(status, ["Location: /elsewhere"]) }) { server in
            let result = await withPerformer { await $0.get(server.url) }
            #expect(result.response?.status == status)
            #expect(server.requests.map(\.target) == ["/"])
        }
    }

    @Test("a body in chunks, a body up to the end of the connection, and what comes first with status 100 are read")
    func framings() async {
        let server = LoopbackServer(serve: { connection in
            while let request = connection.readRequest() {
                switch request.target {
                case "/chunks":
                    connection.send(
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                case "/hints":
                    connection.send("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\n")
                    connection.send("Content-Length: 2\r\n\r\nok")
                default:
                    connection.send("HTTP/1.0 200 OK\r\n\r\nto the end")
                    return
                }
            }
        })
        await withServer(server) { server in
            await withPerformer { performer in
                #expect(await performer.get(server.url + "/chunks").text == "abcde")
                #expect(await performer.get(server.url + "/hints").text == "ok")
                #expect(await performer.get(server.url + "/end").text == "to the end")
            }
        }
    }

    @Test("HEAD has a header alone, however long or packed the body would be")
    func head() async {
        let server = LoopbackServer { _ in
            Array("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nContent-Encoding: gzip\r\n\r\n".utf8)
        }
        await withServer(server) { server in
            let request = HTTPRequestSpec(method: "HEAD", url: server.url, timeout: .seconds(30), bodyLimitBytes: 10)
            let result = await withPerformer { await $0.outcome(of: request).result }
            #expect(result.response?.status == 200)
            #expect(result.response?.body == [])
            #expect(result.response?.headers.contains(HTTPField("Content-Length", "99999999")) == true)
        }
    }

    @Test("idempotent requests share a connection, others get one of their own")
    func connections() async {
        await withServer(LoopbackServer { _ in LoopbackServer.response(200) }) { server in
            await withPerformer { performer in
                for method in ["GET", "PUT", "DELETE", "POST", "PATCH", "GET"] {
                    _ = await performer.outcome(of: HTTPRequestSpec(method: method, url: server.url))
                }
            }
            #expect(server.requests.map(\.method) == ["GET", "PUT", "DELETE", "POST", "PATCH", "GET"])
            #expect(server.requests.map(\.connection) == [1, 1, 1, 2, 3, 1])
        }
    }

    @Test("a connection that the server closed after its response is not used again")
    func closedByServer() async {
        let server = LoopbackServer(serve: { connection in
            guard connection.readRequest() != nil else { return }
            connection.send(LoopbackServer.response(200, ["Connection: close"]))
        })
        await withServer(server) { server in
            await withPerformer { performer in
                for _ in 1...3 { #expect(await performer.get(server.url).response?.status == 200) }
            }
            #expect(server.requests.map(\.connection) == [1, 2, 3])
        }
    }

    @Test("many requests run side by side, each on its own connection")
    func sideBySide() async {
        let count = 20
        let everyone = Gathering(count)
        let server = LoopbackServer(serve: { connection in
            guard connection.readRequest() != nil else { return }
            // Nobody is answered before all are here.
            everyone.meet()
            connection.send(LoopbackServer.response(200))
        })
        await withServer(server) { server in
            await withPerformer { performer in
                let statuses = await withTaskGroup(of: Int?.self) { group in
                    for _ in 1...count { group.addTask { await performer.get(server.url).response?.status } }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses == Array(repeating: 200, count: count))
            }
        }
    }

    @Test("a body is unpacked, and the fields that spoke of the packed one are gone", arguments: Packed.samples)
    func packed(sample: Packed) async {
        let server = LoopbackServer { _ in
            LoopbackServer.response(
                200, ["Content-Encoding: \(sample.encoding)", "X-A: 1"], body: sample.bytes)
        }
        await withServer(server) { server in
            let result = await withPerformer { await $0.get(server.url) }
            #expect(result.text == #"{"hello":"packed"}"#)
            #expect(result.response?.headers == [HTTPField("X-A", "1")])
        }
    }
}
