import Testing
import WaybillCore
import WaybillPorts

@Suite("The outcome of a program")
struct ProcessOutcomeTests {
    private let start = Timestamp(microseconds: 1_700_000_000_123_456)

    private var all: [ProcessOutcome] {
        let usage = ProcessOutcome.Usage(
            user: .microseconds(1_100_001), system: .microseconds(7), maxResidentBytes: 1 << 40)
        return [
            ProcessOutcome(end: .exited(code: 0), startedAt: start, endedAt: start + .seconds(1), usage: usage),
            ProcessOutcome(
                end: .signalled(signal: 9, coreDumped: true), stop: .timeout, startedAt: start, endedAt: start,
                stdoutTruncated: true, leftBehind: 3, stillRunning: 1, usage: usage),
            ProcessOutcome(
                end: .signalled(signal: 15, coreDumped: false), stop: .request, startedAt: start, endedAt: start,
                stderrTruncated: true),
            ProcessOutcome(
                end: .failedToStart(errno: 2, message: "make: not found"), startedAt: start, endedAt: start),
        ]
    }

    private static let record = """
        {"format":1,"exitCode":null,"signal":9,"coreDumped":true,"error":null,"timedOut":true,"stopped":false,
         "startedAt":"2023-11-14T22:13:20.123456Z","endedAt":"2023-11-14T22:13:20.123456Z",
         "truncated":{"stdout":true,"stderr":false},"droppedBytes":{"stdout":5,"stderr":0},
         "masked":{"stdout":0,"stderr":2},"leftBehind":3,
         "stillRunning":1,"usage":{"userSeconds":1.100001,"systemSeconds":0.000007,"maxResidentBytes":1099511627776},
         "later":"a member of a newer version"}
        """

    @Test("is read from these words")
    func words() throws {
        var outcome = all[1]
        outcome.stdoutDroppedBytes = 5
        outcome.stderrMasks = 2
        #expect(try ProcessOutcome(record: JSON.parse(Array(Self.record.utf8))) == outcome)
    }

    @Test("of one that never ran is read, too")
    func failure() throws {
        let text = """
            {"format":1,"exitCode":null,"signal":null,"error":{"errno":2,"message":"make: not found"},
             "startedAt":"2023-11-14T22:13:20.123456Z","endedAt":"2023-11-14T22:13:20.123456Z","usage":null}
            """
        #expect(try ProcessOutcome(record: JSON.parse(Array(text.utf8))) == all[3])
    }

    @Test("is said in a few words")
    func description() {
        #expect(
            all.map(\.description) == [
                "exit code 0", "timed out (SIGKILL (core dumped))", "stopped (SIGTERM)", "make: not found",
            ])
        #expect(SignalName.of(0) == "signal 0")
        #expect(SignalName.of(31) == "SIGSYS")
        #expect(SignalName.of(40) == "signal 40")
    }

    @Test(
        "is not made up from a file that does not say it",
        arguments: [
            ("{}", .malformed, "exit file has no valid format"),
            (#"{"format":2}"#, .newerFormat, "exit file has format 2, this version reads 1"),
            (#"{"format":1}"#, .malformed, "exit file has no valid exitCode, signal or error"),
            (#"{"format":1,"exitCode":0,"startedAt":"now"}"#, .malformed, "exit file has no valid startedAt"),
            (#"{"format":1,"exitCode":99999999999}"#, .malformed, "exit file has no valid exitCode, signal or error"),
        ] as [(String, ExitRecordError.Code, String)])
    func malformed(text: String, code: ExitRecordError.Code, message: String) throws {
        let record = try JSON.parse(text)
        let refusal = #expect(throws: ExitRecordError.self) { try ProcessOutcome(record: record) }
        #expect(refusal == ExitRecordError(code: code, message: message))
    }
}
