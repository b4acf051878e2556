import Testing
import WaybillCore
import WaybillPorts

struct HTTPOutcomeRecordTests {
    private static let start = Timestamp(microseconds: 1_795_169_700_000_000)
    private static let response = HTTPOutcome(
        result: .success(
            HTTPResponse(
                status: 207, headers: [HTTPField("X-A", "1"), HTTPField("x-a", "2")], body: [0x00, 0xFF])),
        startedAt: start, endedAt: start + .milliseconds(1_500))
    private static let failure = HTTPOutcome(
        result: .failure(HTTPFailure(.timeout, "took longer than 1s", mayHaveBeenSent: true)), startedAt: start,
        endedAt: start)

    @Test("a response's record says all but the body, which lies beside it")
    func responseRecord() {
        let expected: Value = [
            "format": 1, "status": 207, "size": 2, "error": nil,
            "headers": [["name": "X-A", "value": "1"], ["name": "x-a", "value": "2"]],
            "startedAt": "2026-11-20T10:15:00.000000Z", "endedAt": "2026-11-20T10:15:01.500000Z",
        ]
        #expect(Self.response.record == expected)
        #expect(HTTPOutcome(record: expected, body: [0x00, 0xFF]) == Self.response)
    }

    @Test("a failure's record says why there is no response")
    func failureRecord() {
        let expected: Value = [
            "format": 1, "status": nil, "size": nil, "headers": nil,
            "error": ["kind": "timeout", "message": "took longer than 1s", "mayHaveBeenSent": true],
            "startedAt": "2026-11-20T10:15:00.000000Z", "endedAt": "2026-11-20T10:15:00.000000Z",
        ]
        #expect(Self.failure.record == expected)
        #expect(HTTPOutcome(record: expected, body: []) == Self.failure)
    }

    @Test("a body that is shorter or longer than the record says belongs to something else", arguments: [0, 1, 3])
    func otherBody(count: Int) {
        #expect(HTTPOutcome(record: Self.response.record, body: Array(repeating: 0, count: count)) == nil)
    }

    @Test(
        "what a newer version wrote, or nobody, says nothing",
        arguments: [
            ("format", 2), ("format", nil), ("status", nil), ("status", 20), ("headers", nil),
            ("headers", [["name": "X"]]), ("size", nil), ("startedAt", "yesterday"),
            ("endedAt", "2026-11-20T10:14:00Z"), ("error", ["kind": "timeout"]),
            ("error", ["kind": "whim", "message": "", "mayHaveBeenSent": true]),
        ] as [(String, Value)])
    func malformed(member: String, value: Value) throws {
        var record = try #require(Self.response.record.objectValue)
        record[member] = value
        #expect(HTTPOutcome(record: .object(record), body: [0x00, 0xFF]) == nil)
    }
}
