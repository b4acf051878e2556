import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore
import WaybillTestKit

@testable import WaybillRuntime

/// What an `http` step sends, and what it leaves in its attempt's folder.
struct AttemptRequestTests {
    private static let run = RunID("release-20261120T101500-7k3f9q").unsafelyUnwrapped
    private let scratch = ScratchFolder()
    private let host: AttemptHost
    private let reference = AttemptReference(step: "pay", visit: 1, attempt: 1)
    private let clock = ManualClock()

    init() throws {
        let tree = try Tree.open(scratch.path, fileSystem: LocalFileSystem(), clock: clock)
        mkdir(scratch.file("runs/\(Self.run.text)").string, 0o700)
        let place = SourcePlace(file: "workflows/w.yaml", line: 1, column: 1)
        let workflow = WorkflowDefinition(
            name: "w", place: place, sourcePath: "workflows/w.yaml", plan: Plan(shape: .graph, steps: []))
        let directory = try #require(try tree.runsDirectory.openDirectory(FilePath(Self.run.text)))
        host = AttemptHost(
            tree: tree, run: Self.run, folder: RunFolder(run: Self.run, directory: directory),
            definition: RunDefinition(workflow: workflow, of: Catalog(), digest: .zero))
    }

    private func attempt(_ members: Object) -> Attempt {
        var intent: Object = ["action": "http", "method": "POST", "url": "http://h/x", "headers": [:], "timeout": "5s"]
        for (name, value) in members { intent[name] = value }
        return Attempt(reference: reference, intent: intent, startedAt: clock.now())
    }

    private func file(_ name: String) -> Value? {
        scratch.read("runs/\(Self.run.text)/steps/pay/1.1/\(name)").flatMap { try? JSON.parse($0) }
    }

    @Test("what was recorded is what is sent")
    func request() throws {
        let attempt = attempt(["headers": ["A": "1", "B": "2"], "body": "hello", "maxSize": 10])
        let expected = HTTPRequestSpec(
            method: "POST", url: "http://h/x", headers: [HTTPField("A", "1"), HTTPField("B", "2")],
            body: Array("hello".utf8), timeout: .seconds(5), bodyLimitBytes: 10)
        #expect(try host.exchangeRequest(attempt) == expected)
        #expect(attempt.isRequest)
    }

    @Test("a body may be a file of the tree, read when it is sent")
    func fileBody() throws {
        scratch.write("data.bin", "\u{0}1")
        #expect(try host.exchangeRequest(attempt(["body": ["file": "data.bin"]])).body == [0, 0x31])
        #expect(try host.exchangeRequest(attempt(["body": ["file": "./runs/../data.bin"]])).body == [0, 0x31])
    }

    @Test(
        "a body that cannot be had is said before anything is sent",
        arguments: [
            ("missing.bin", "http.file: missing.bin does not exist"),
            ("/etc/passwd", "http.file: /etc/passwd lies outside of the tree"),
            ("runs/../../x", "http.file: runs/../../x lies outside of the tree"),
        ])
    func missingBody(path: String, message: String) {
        let error = #expect(throws: RequestProblem.self) {
            try host.exchangeRequest(attempt(["body": ["file": .string(path)]]))
        }
        #expect(error?.message == message)
    }

    @Test("secrets are put where the record says they belong, and not into the record")
    func secrets() throws {
        let attempt = attempt([
            "url": "http://h/x?k=***", "secretQuery": [["at": 13, "secret": "one", "as": "query"]],
            "body": #"{"a":"***"}"#, "secretBody": [["at": 6, "secret": "two", "as": "json"]],
        ])
        let secrets = try AttemptSecrets(
            ["one", "two"], from: ["one": .file("1"), "two": .file("2")],
            by: GivenSecrets(values: ["1": "a/b&long", "2": "c\"d long"]))
        var request = try host.exchangeRequest(attempt)
        let masks = try host.add(secrets, to: &request, of: attempt)
        #expect(request.url == "http://h/x?k=a%2Fb%26long")
        #expect(request.body == Array(#"{"a":"c\"d long"}"#.utf8))
        // A server that quotes the body quotes what was escaped before.
        #expect(masks.masked(#"{"sent":"{\"a\":\"c\\\"d long\"}"}"#) == #"{"sent":"{\"a\":\"***\"}"}"#)
        _ = try host.prepare(reference)
        try host.writeRequest(attempt, at: clock.now())
        #expect(file("request.json")?["url"] == "http://h/x?k=***")
        #expect(file("request.json")?["body"] == #"{"a":"***"}"#)

        let long = try AttemptSecrets(
            ["one", "two"], from: ["one": .file("1"), "two": .file("2")],
            by: GivenSecrets(values: ["1": String(repeating: "x", count: 17_000), "2": "long enough"]))
        var tooLong = try host.exchangeRequest(attempt)
        #expect(throws: SecretError.self) { try host.add(long, to: &tooLong, of: attempt) }
    }

    @Test("the folder shows the request, without what opens doors elsewhere")
    func requestRecord() throws {
        let attempt = attempt([
            "body": "hello",
            "headers": [
                "Authorization": "Bearer t", "X-Auth-Token": "t", "cookie": "t", "X-API-Key": "t", "Accept": "*/*",
                "Idempotency-Key": "k",
            ],
        ])
        _ = try host.prepare(reference)
        #expect(!host.wasLaunched(attempt))
        try host.writeRequest(attempt, at: clock.now())
        #expect(host.wasLaunched(attempt))
        let expected: Value = [
            "format": 1, "method": "POST", "url": "http://h/x", "body": "hello", "timeout": "5s",
            "sentAt": "2026-11-20T10:15:00.000000Z",
            "headers": [
                "Authorization": "***", "X-Auth-Token": "***", "cookie": "***", "X-API-Key": "***", "Accept": "*/*",
                "Idempotency-Key": "k",
            ],
        ]
        #expect(file("request.json") == expected)
    }

    @Test("the folder shows the response, and another process can take it from there")
    func responseRecord() throws {
        let outcome = HTTPOutcome(
            result: .success(HTTPResponse(status: 200, headers: [HTTPField("A", "1")], body: Array("done".utf8))),
            startedAt: clock.now(), endedAt: clock.now())
        _ = try host.prepare(reference)
        #expect(try host.recordedExchange(of: reference) == nil)
        try host.writeExchange(outcome, of: reference)
        #expect(scratch.read("runs/\(Self.run.text)/steps/pay/1.1/response.body") == Array("done".utf8))
        #expect(file("response.json") == outcome.record)
        #expect(try host.recordedExchange(of: reference) == outcome)

        scratch.write("runs/\(Self.run.text)/steps/pay/1.1/response.body", "don")
        #expect(try host.recordedExchange(of: reference) == nil)
    }

    @Test("a response is the engine's to read, and a failure is what the step's retries speak of")
    func results() {
        func outcome(_ result: Result<HTTPResponse, HTTPFailure>) -> AttemptResult.Outcome {
            AttemptHost.result(HTTPOutcome(result: result, startedAt: clock.now(), endedAt: clock.now())).outcome
        }
        func failed(_ kind: HTTPFailure.Kind) -> AttemptResult.Outcome {
            outcome(.failure(HTTPFailure(kind, "so", mayHaveBeenSent: true)))
        }
        let reply = HTTPReply(status: 503, headers: [("Retry-After", "3")], body: [1])
        let response = HTTPResponse(status: 503, headers: [HTTPField("Retry-After", "3")], body: [1])
        #expect(outcome(.success(response)) == .responded(reply))
        #expect(failed(.timeout) == .timedOut)
        #expect(failed(.connection) == .unreachable("so"))
        #expect(failed(.tooLarge) == .unreachable("so"))
        #expect(failed(.invalidRequest) == .notStarted("so"))
        #expect(failed(.cancelled) == .stopped)
    }

    @Test("a request that was cancelled before it was sent can be sent as if it were the first time")
    func nothingLeft() {
        func outcome(sent: Bool, _ kind: HTTPFailure.Kind = .cancelled) -> AttemptOutcome {
            .exchange(
                HTTPOutcome(
                    result: .failure(HTTPFailure(kind, "so", mayHaveBeenSent: sent)), startedAt: clock.now(),
                    endedAt: clock.now()))
        }
        #expect(outcome(sent: false).wasStopped && outcome(sent: false).leftNothing)
        #expect(outcome(sent: true).wasStopped && !outcome(sent: true).leftNothing)
        #expect(!outcome(sent: false, .connection).wasStopped)
    }
}

/// Secrets by the paths of their files.
private struct GivenSecrets: SecretReader {
    let values: [String: String]

    func read(_ source: SecretSource) throws(SecretError) -> String {
        guard case .file(let path) = source, let value = values[path] else { throw SecretError(.missing, "none") }
        return value
    }
}
