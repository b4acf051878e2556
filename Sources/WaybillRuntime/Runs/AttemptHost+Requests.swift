import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

/// Between the recorded intent of an `http` step and the wire: what is sent, what it leaves in the attempt's folder.
///
/// `request.json` is there before anything is sent, `response.json` after everything came. An attempt with the first
/// and without the second may have been received or not.
extension AttemptHost {
    static let exchange = (request: "request.json", response: "response.json", body: "response.body")
    /// The largest body that is read from a file and sent.
    private static let largestBody = 64 << 20

    /// The request as the intent has it, and its body read.
    ///
    /// - Throws: `notStarted`, in words for people, where the body cannot be had.
    func exchangeRequest(_ attempt: Attempt) throws(RequestProblem) -> HTTPRequestSpec {
        let intent = attempt.intent
        let headers = (intent["headers"]?.objectValue ?? Object()).map { HTTPField($0.key, $0.value.stringValue ?? "") }
        let timeout = intent["timeout"]?.stringValue.flatMap(Duration.init(text:))
        return HTTPRequestSpec(
            method: intent["method"]?.stringValue ?? "", url: intent["url"]?.stringValue ?? "", headers: headers,
            body: try body(of: intent), timeout: timeout ?? HTTPRequestSpec.defaultTimeout,
            bodyLimitBytes: intent["maxSize"]?.intValue.map(Int.init) ?? HTTPResponseReader.defaultBodyLimitBytes)
    }

    private func body(of intent: Object) throws(RequestProblem) -> [UInt8] {
        guard let payload = Payload.read("body", from: intent) else { return [] }
        if case .inline(let value) = payload, let path = value["file"]?.stringValue { return try file(path) }
        do throws(RuntimeError) {
            return try bytes(of: payload)
        } catch {
            throw RequestProblem(message: error.message)
        }
    }

    private func file(_ path: String) throws(RequestProblem) -> [UInt8] {
        let relative = FilePath(path).lexicallyNormalized()
        guard relative.isRelative, relative.components.first != ".." else {
            throw RequestProblem(message: "http.file: \(path) lies outside of the tree")
        }
        do throws(FileSystemError) {
            if let bytes = try tree.root.read(relative, limit: Self.largestBody) { return bytes }
        } catch {
            throw RequestProblem(message: "http.file: \(path) cannot be read: \(error.description)")
        }
        throw RequestProblem(message: "http.file: \(path) does not exist")
    }

    /// Says what is about to be sent, without what opens doors elsewhere.
    func writeRequest(_ attempt: Attempt, at now: Timestamp) throws(RuntimeError) {
        var record = Object([("format", 1), ("sentAt", .string(now.description))])
        for name in ["method", "url", "body", "bodyRef", "timeout"] { record[name] = attempt.intent[name] }
        let headers = attempt.intent["headers"]?.objectValue ?? Object()
        record["headers"] = .object(Object(headers.map { ($0.key, Self.isSecret($0.key) ? "***" : $0.value) }))
        try write(Self.exchange.request, JSON.pretty(.object(record)), attempt.reference)
    }

    private static func isSecret(_ header: String) -> Bool {
        let name = header.lowercased()
        return ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey"].contains {
            name.hasSuffix($0)
        }
    }

    /// Keeps an outcome for whoever finds the folder later. The record comes last: with it, all is there.
    func writeExchange(_ outcome: HTTPOutcome, of reference: AttemptReference) throws(RuntimeError) {
        if case .success(let response) = outcome.result { try write(Self.exchange.body, response.body, reference) }
        try write(Self.exchange.response, JSON.pretty(outcome.record), reference)
    }

    private func write(_ name: String, _ bytes: [UInt8], _ reference: AttemptReference) throws(RuntimeError) {
        do throws(StoreError) {
            try folder.project(path(of: reference).appending(name), bytes)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The outcome that this process or an earlier one left; nil if none can be relied on.
    func recordedExchange(of reference: AttemptReference) throws(RuntimeError) -> HTTPOutcome? {
        do throws(StoreError) {
            let path = path(of: reference)
            guard let bytes = try folder.read(path.appending(Self.exchange.response), limit: 1 << 20),
                let record = try? JSON.parse(bytes)
            else { return nil }
            let body = try folder.read(path.appending(Self.exchange.body), limit: Self.largestBody)
            return HTTPOutcome(record: record, body: body ?? [])
        } catch {
            throw RuntimeError(error)
        }
    }

    static func result(_ outcome: HTTPOutcome) -> AttemptResult {
        let end: AttemptResult.Outcome =
            switch outcome.result {
            case .success(let response):
                .responded(
                    HTTPReply(
                        status: response.status, headers: response.headers.map { ($0.name, $0.value) },
                        body: response.body))
            case .failure(let failure):
                switch failure.kind {
                case .timeout: .timedOut
                case .cancelled: .stopped
                case .invalidRequest: .notStarted(failure.message)
                case .connection, .tooLarge: .unreachable(failure.message)
                }
            }
        return AttemptResult(outcome: end, startedAt: outcome.startedAt, endedAt: outcome.endedAt)
    }
}

/// Why a request cannot be sent.
struct RequestProblem: Error {
    let message: String
}

extension Attempt {
    /// Whether it is a request, not a process.
    var isRequest: Bool { intent["action"] == "http" }
}
