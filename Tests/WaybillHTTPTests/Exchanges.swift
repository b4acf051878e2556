import Synchronization
import WaybillCore
import WaybillHTTP
import WaybillPorts
import WaybillTestKit

/// A performer for the time of a test.
func withPerformer<Result>(
    trustRoots: String? = nil, _ body: (HTTPClientPerformer) async throws -> Result
) async rethrows -> Result {
    let performer = HTTPClientPerformer(trustRoots: trustRoots, idleTimeout: .seconds(600))
    defer { performer.shutDown() }
    return try await body(performer)
}

/// A server for the time of a test.
func withServer<Result>(
    _ server: LoopbackServer, _ body: (LoopbackServer) async throws -> Result
) async rethrows -> Result {
    defer { server.stop() }
    return try await body(server)
}

extension HTTPClientPerformer {
    func outcome(of request: HTTPRequestSpec) async -> HTTPOutcome {
        await withCheckedContinuation { continuation in
            _ = perform(request) { continuation.resume(returning: $0) }
        }
    }

    func get(_ url: String, timeout: Duration = .seconds(30), limit: Int = 1 << 20) async -> Result<
        HTTPResponse, HTTPFailure
    > {
        await outcome(of: HTTPRequestSpec(method: "GET", url: url, timeout: timeout, bodyLimitBytes: limit)).result
    }
}

extension Result<HTTPResponse, HTTPFailure> {
    var response: HTTPResponse? { try? get() }
    var failure: HTTPFailure? { if case .failure(let failure) = self { failure } else { nil } }
    var text: String? { response.map { String(decoding: $0.body, as: UTF8.self) } }
}

/// An event that a thread of a server waits for or sets off, and that a test awaits.
final class Signal: Sendable {
    private let state = Mutex<(isSet: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func set() {
        let waiting = state.withLock { state in
            state.isSet = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isSet = state.withLock { state in
                if !state.isSet { state.waiting.append(continuation) }
                return state.isSet
            }
            if isSet { continuation.resume() }
        }
    }
}
