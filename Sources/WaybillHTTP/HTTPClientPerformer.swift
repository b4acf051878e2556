import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL
import Synchronization
package import WaybillPorts

/// Sends requests with async-http-client, all on one thread of its own.
///
/// Nothing exists before the first request: a daemon whose workflows use no `http` has neither the thread nor a client.
/// Whoever sent a request must call `shutDown` before letting go of the performer.
///
/// HTTP/1.1 over TCP or TLS (1.2 or later); the host's certificate is checked against the system's roots.
package final class HTTPClientPerformer: HTTPPerformer {
    /// How requests share connections. The library never sends a request again by itself; what a connection was used
    /// for before decides whether a request can fall victim to a server that closes it in the same moment.
    private enum Lane: CaseIterable {
        /// Idempotent methods take idle connections.
        case reused
        /// Others get a connection of their own, so that they fail only for reasons of their own: whether a POST was
        /// received before its connection broke cannot be told.
        case fresh
        /// HEAD: there is no body, and the library would look for the compressed one that the header speaks of.
        case bodiless

        init(method: String) {
            switch method {
            case "HEAD": self = .bodiless
            case "GET", "OPTIONS", "PUT", "DELETE", "TRACE": self = .reused
            default: self = .fresh
            }
        }
    }

    private struct State {
        var group: MultiThreadedEventLoopGroup?
        var clients: [Lane: HTTPClient] = [:]
        var lastID: UInt64 = 0
        var exchanges: [UInt64: Exchange] = [:]
        var isShutDown = false
    }

    private let clock: any WallClock
    private let userAgent: String
    private let trustRoots: String?
    private let idleTimeout: Duration
    private let state = Mutex(State())

    /// The most bytes that header fields of a response may have in all.
    package static let headerLimitBytes = 64 << 10
    /// The most bytes that any body may have: a compressed one is unpacked this far, whatever its request allows.
    package static let mostBodyBytes = 64 << 20
    /// From the start of a connection to the end of its handshake.
    static let connectTimeout = Duration.seconds(10)
    /// Short, because servers close idle connections after some seconds, and a request that crosses with that is lost.
    package static let defaultIdleTimeout = Duration.seconds(2)
    /// More than requests can be under way: a request waits for its own connection alone. How many there are
    /// at once is the caller's to limit.
    private static let mostConnections = 1 << 16

    /// - Parameters:
    ///   - userAgent: The `User-Agent` of requests that name none; several public services refuse those without.
    ///   - trustRoots: A file of certificates in PEM to trust instead of the system's roots.
    ///   - idleTimeout: How long a connection stays open without a request.
    package init(
        clock: any WallClock = SystemClock(), userAgent: String = "waybill", trustRoots: String? = nil,
        idleTimeout: Duration = defaultIdleTimeout
    ) {
        self.clock = clock
        self.userAgent = userAgent
        self.trustRoots = trustRoots
        self.idleTimeout = idleTimeout
    }

    package func perform(
        _ request: HTTPRequestSpec, ended: @escaping @Sendable (HTTPOutcome) -> Void
    ) -> any HTTPCall {
        let exchange = Exchange(request, startedAt: clock.now())
        let prepared: HTTPClient.Request
        do {
            prepared = try exchange.prepare(userAgent: userAgent)
        } catch {
            ended(exchange.outcome(.failure(error), endedAt: clock.now()))
            return exchange
        }
        let (client, id) = admit(exchange, to: Lane(method: request.method))
        guard let client else {
            let failure = HTTPFailure(.cancelled, "no request is taken any more", mayHaveBeenSent: false)
            ended(exchange.outcome(.failure(failure), endedAt: clock.now()))
            return exchange
        }
        let task = client.execute(
            request: prepared, delegate: exchange, deadline: .now() + TimeAmount(clamping: request.timeout))
        exchange.start(task)
        task.futureResult.whenComplete { [self] result in
            state.withLock { _ = $0.exchanges.removeValue(forKey: id) }
            ended(exchange.outcome(result.mapError(exchange.failure(for:)), endedAt: clock.now()))
        }
        return exchange
    }

    package func shutDown() {
        let last = state.withLock { state in
            state.isShutDown = true
            defer {
                state.clients = [:]
                state.group = nil
            }
            return (clients: Array(state.clients.values), group: state.group, exchanges: state.exchanges.values)
        }
        for exchange in last.exchanges { exchange.cancel() }
        // Both fail only if they were called before, which the state rules out. The thread ends with the group,
        // after it delivered what was left.
        for client in last.clients { try? client.syncShutdown() }
        try? last.group?.syncShutdownGracefully()
    }

    // MARK: - Clients

    /// Counts an exchange in; no client means that the performer was shut down.
    private func admit(_ exchange: Exchange, to lane: Lane) -> (client: HTTPClient?, id: UInt64) {
        state.withLock { state in
            guard !state.isShutDown else { return (nil, 0) }
            state.lastID += 1
            state.exchanges[state.lastID] = exchange
            if let client = state.clients[lane] { return (client, state.lastID) }
            let group = state.group ?? Self.makeGroup()
            let client = HTTPClient(eventLoopGroup: group, configuration: configuration(of: lane))
            state.group = group
            state.clients[lane] = client
            return (client, state.lastID)
        }
    }

    /// One thread, which takes no signals: those are for the main thread.
    private static func makeGroup() -> MultiThreadedEventLoopGroup {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return MultiThreadedEventLoopGroup(numberOfThreads: 1)
    }

    private func configuration(of lane: Lane) -> HTTPClient.Configuration {
        var security = TLSConfiguration.makeClientConfiguration()
        security.minimumTLSVersion = .tlsv12
        if let trustRoots { security.trustRoots = .file(trustRoots) }
        var pool = HTTPClient.Configuration.ConnectionPool(
            idleTimeout: TimeAmount(clamping: idleTimeout),
            concurrentHTTP1ConnectionsPerHostSoftLimit: Self.mostConnections)
        // A connection that cannot be made is an outcome now; when to try again is the workflow's to say.
        pool.retryConnectionEstablishment = false
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: security, redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(clamping: Self.connectTimeout)), connectionPool: pool,
            decompression: lane == .bodiless ? .disabled : .enabled(limit: .size(Self.mostBodyBytes)))
        configuration.httpVersion = .http1Only
        configuration.maximumUsesPerConnection = lane == .fresh ? 1 : nil
        return configuration
    }
}

extension TimeAmount {
    /// Nanoseconds, as far as they go: some 292 years.
    fileprivate init(clamping duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let nanoseconds = overflowed ? Int64.max / 2 : min(whole, Int64.max / 2)
        self = .nanoseconds(max(0, nanoseconds) + max(0, attoseconds / 1_000_000_000))
    }
}
