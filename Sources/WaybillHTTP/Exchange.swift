import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization
import WaybillCore
import WaybillPorts

/// One request under way: collects the response, keeps the limits, and knows whether anything was sent.
final class Exchange: HTTPClientResponseDelegate, HTTPCall {
    private struct State {
        var task: HTTPClient.Task<HTTPResponse>?
        var isCancelled = false
        /// Set before the first byte can have left.
        var wasSent = false
        var response = HTTPResponse(status: 0)
    }

    private let request: HTTPRequestSpec
    private let startedAt: Timestamp
    private let state = Mutex(State())
    /// Where the request goes, for messages: the rest of a URL may hold what is nobody else's business.
    private let host: Mutex<String> = Mutex("")

    init(_ request: HTTPRequestSpec, startedAt: Timestamp) {
        var request = request
        request.bodyLimitBytes = min(request.bodyLimitBytes, HTTPClientPerformer.mostBodyBytes)
        self.request = request
        self.startedAt = startedAt
    }

    /// The request in the library's terms.
    ///
    /// - Throws: `invalidRequest` where it cannot be sent as it is.
    func prepare(userAgent: String) throws(HTTPFailure) -> HTTPClient.Request {
        // The library writes the method as it is: a space or a newline would start another header or request.
        guard !request.method.isEmpty, request.method.utf8.allSatisfy((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains)
        else { throw HTTPFailure(.invalidRequest, "a method consists of capital letters", mayHaveBeenSent: false) }
        var headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        if !headers.contains(name: "User-Agent") { headers.add(name: "User-Agent", value: userAgent) }
        do {
            let prepared = try HTTPClient.Request(
                url: request.url, method: HTTPMethod(rawValue: request.method), headers: headers,
                body: request.body.isEmpty ? nil : .byteBuffer(ByteBuffer(bytes: request.body)))
            host.withLock { $0 = "\(prepared.host):\(prepared.port)" }
            return prepared
        } catch {
            throw failure(for: error)
        }
    }

    /// Takes the library's handle; a call that was cancelled meanwhile is given up.
    func start(_ task: HTTPClient.Task<HTTPResponse>) {
        let isCancelled = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func cancel() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }

    func outcome(_ result: Result<HTTPResponse, HTTPFailure>, endedAt: Timestamp) -> HTTPOutcome {
        HTTPOutcome(result: result, startedAt: startedAt, endedAt: max(endedAt, startedAt))
    }

    func failure(for error: any Error) -> HTTPFailure {
        let reading = FailureReading(
            host: host.withLock { $0 }, request: request, mayHaveBeenSent: state.withLock { $0.wasSent })
        return reading.failure(for: error)
    }

    // MARK: - What the library reports, on its thread

    func didSendRequestHead(task: HTTPClient.Task<HTTPResponse>, _ head: HTTPRequestHead) {
        state.withLock { $0.wasSent = true }
    }

    func didReceiveHead(
        task: HTTPClient.Task<HTTPResponse>, _ head: HTTPResponseHead
    ) -> EventLoopFuture<Void> {
        let size = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard size <= HTTPClientPerformer.headerLimitBytes else {
            return task.eventLoop.makeFailedFuture(LimitExceeded.headers)
        }
        // The body as it will be collected: the fields that speak of its compressed form say nothing of it any more.
        let isUnpacked = request.method != "HEAD" && Self.isPacked(head.headers)
        let fields = head.headers.filter { name, _ in
            !isUnpacked || !["content-encoding", "content-length"].contains(name.lowercased())
        }
        state.withLock { state in
            state.response.status = Int(head.status.code)
            state.response.headers = fields.map { HTTPField($0.name, $0.value) }
        }
        let announced = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        guard request.method == "HEAD" || announced <= request.bodyLimitBytes else {
            return task.eventLoop.makeFailedFuture(LimitExceeded.body)
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<HTTPResponse>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let fits = state.withLock { state in
            guard buffer.readableBytes <= request.bodyLimitBytes - state.response.body.count else { return false }
            state.response.body.append(contentsOf: buffer.readableBytesView)
            return true
        }
        return fits
            ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(LimitExceeded.body)
    }

    func didFinishRequest(task: HTTPClient.Task<HTTPResponse>) throws -> HTTPResponse {
        state.withLock { $0.response }
    }

    /// Whether the library unpacks the body: it knows two encodings, and looks at the first that is named.
    private static func isPacked(_ headers: HTTPHeaders) -> Bool {
        ["gzip", "deflate"].contains(headers[canonicalForm: "Content-Encoding"].first?.lowercased() ?? "")
    }
}
