import Testing
import WaybillCore
import WaybillManifests

@testable import WaybillEngine

struct HTTPResponseReaderTests {
    private let reader = HTTPResponseReader(expect: [HTTPAction.StatusRange(200...299)])

    private func body(_ bytes: [UInt8], type: String?) throws -> Value? {
        let headers = type.map { [(name: "Content-Type", value: $0)] } ?? []
        return try reader.read(HTTPReply(status: 200, headers: headers, body: bytes)).get()["body"]
    }

    @Test("the output is the status, the headers in lower case and the body")
    func wholeOutput() throws {
        let reply = HTTPReply(
            status: 201,
            headers: [("Content-Type", "application/json"), ("X-A", "1"), ("x-a", "2"), ("Location", "/o/1")],
            body: Array(#"{"id":7,"price":1.50}"#.utf8))
        let expected: Value = [
            "status": 201, "body": ["id": 7, "price": 1.5],
            "headers": ["content-type": "application/json", "x-a": "1, 2", "location": "/o/1"],
        ]
        #expect(try reader.read(reply).get() == expected)
    }

    @Test(
        "a body is JSON where its media type says so",
        arguments: [
            "application/json", "Application/JSON; charset=utf-8", "application/problem+json", " text/json ;x=y",
        ])
    func jsonBodies(type: String) throws {
        #expect(try body(Array("[1]".utf8), type: type) == [1])
        #expect(try body([], type: type) == .null)
    }

    @Test("what only looks like JSON is text", arguments: ["text/plain", "application/jsonl", "application/xml", nil])
    func textBodies(type: String?) throws {
        #expect(try body(Array("[1]\n".utf8), type: type) == "[1]\n")
        #expect(try body([], type: type) == "")
    }

    @Test("text in ISO 8859-1 is read as such, and bytes that are no text come as base64")
    func otherBodies() throws {
        #expect(try body([0x66, 0xFC, 0x72], type: "text/html; charset=\"ISO-8859-1\"") == "für")
        #expect(try body([0x66, 0xFC, 0x72], type: "text/html") == ["base64": "Zvxy"])
        #expect(try body([0xFF, 0x00], type: "application/octet-stream") == ["base64": "/wA="])
    }

    @Test("a status that is not expected fails the step, whatever the body")
    func unexpectedStatus() {
        let reply = HTTPReply(status: 503, headers: [("content-type", "application/json")], body: Array("{".utf8))
        let failure = HTTPReplyFailure(
            failure: Failure(.executor, "the server answered with status 503 Service Unavailable"), status: 503)
        #expect(reader.read(reply) == .failure(failure))
        let unnamed = reader.read(HTTPReply(status: 599))
        let expected = Failure(.executor, "the server answered with status 599")
        #expect(unnamed == .failure(HTTPReplyFailure(failure: expected, status: 599)))
    }

    @Test("the statuses that count are the step's to say", arguments: [(302, true), (404, true), (200, false)])
    func expectedStatuses(status: Int, isExpected: Bool) {
        let reader = HTTPResponseReader(expect: [.init(300...399), .init(404...404)])
        #expect(((try? reader.read(HTTPReply(status: status)).get()) != nil) == isExpected)
    }

    @Test("a body that claims to be JSON and is not fails the verification, with the place")
    func brokenJSON() {
        let reply = HTTPReply(
            status: 200, headers: [("Content-Type", "application/json")], body: Array("{\"a\":1,}".utf8))
        guard case .failure(let failure) = reader.read(reply) else {
            Issue.record("a broken body was read")
            return
        }
        #expect(failure.failure.kind == .verification)
        #expect(failure.failure.message.hasPrefix("the body is no JSON: "))
        #expect(failure.failure.message.hasSuffix("(line 1, column 8)"))
        #expect(failure.status == 200)
    }

    @Test("a body nested without measure is no output")
    func deepJSON() {
        let text = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
        let reply = HTTPReply(status: 200, headers: [("content-type", "application/json")], body: Array(text.utf8))
        #expect(throws: HTTPReplyFailure.self) { try reader.read(reply).get() }
    }

    @Test("a body over the step's maxSize is no output")
    func largeBody() {
        let reader = HTTPResponseReader(
            expect: [.init(200...200)], output: OutputDefinition(format: .text, maxSize: 3))
        #expect(throws: Never.self) { try reader.read(HTTPReply(status: 200, body: [1, 2, 3])).get() }
        let failure = Failure(.verification, "the response has 4 bytes, more than 3")
        #expect(
            reader.read(HTTPReply(status: 200, body: [1, 2, 3, 4]))
                == .failure(HTTPReplyFailure(failure: failure, status: 200)))
    }

    @Test("when to try again is read from the header, in any letter case")
    func retryAfter() {
        let now = Timestamp(microseconds: 0)
        #expect(
            HTTPReply(status: 429, headers: [("RETRY-AFTER", "3")]).retryAfter(now: now)
                == Timestamp(microseconds: 3_000_000))
        #expect(HTTPReply(status: 429).retryAfter(now: now) == nil)
    }
}
