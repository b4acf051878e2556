import Glibc
import Synchronization
import WaybillPorts

/// An HTTP server on 127.0.0.1 that does what a test tells it to, also what no server should do.
///
/// Every connection has a thread of its own, on which the test's closure reads and writes with blocking calls.
package final class LoopbackServer: Sendable {
    /// A request as it came, with the number of its connection, from 1.
    package struct Request: Sendable, Hashable {
        package var connection: Int
        package var method: String
        package var target: String
        /// Names in lower case; of two alike the later counts.
        package var headers: [String: String]
        package var body: [UInt8]
    }

    private struct State {
        var connections: [Int: LoopbackConnection] = [:]
        var threads: [DedicatedThread] = []
        var connectionCount = 0
        var requests: [Request] = []
        var isStopped = false
    }

    package let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let acceptor: Mutex<DedicatedThread?> = Mutex(nil)

    package var url: String { "http://127.0.0.1:\(port)" }
    /// All requests that were read so far, in order.
    package var requests: [Request] { state.withLock { $0.requests } }
    package var connectionCount: Int { state.withLock { $0.connectionCount } }

    /// - Parameter serve: Called for each connection; the connection is closed when it returns.
    package init(serve: @escaping @Sendable (LoopbackConnection) -> Void) {
        (listener, port) = Self.listen()
        let thread = DedicatedThread(name: "loopback") { [self] in accept(serve) }
        precondition(thread != nil, "no thread left for a server")
        acceptor.withLock { $0 = thread }
    }

    /// Answers one request after the other.
    package convenience init(answer: @escaping @Sendable (Request) -> [UInt8]) {
        self.init(serve: { connection in
            while let request = connection.readRequest() {
                guard connection.send(answer(request)) else { return }
            }
        })
    }

    /// A whole response; `Content-Length` is added unless `Transfer-Encoding` is there.
    package static func response(_ status: Int, _ headers: [String] = [], body: [UInt8] = []) -> [UInt8] {
        let isChunked = headers.contains { $0.hasPrefix("Transfer-Encoding") }
        let framing = isChunked || status == 204 ? [] : ["Content-Length: \(body.count)"]
        return Array((["HTTP/1.1 \(status) X"] + headers + framing + ["", ""]).joined(separator: "\r\n").utf8) + body
    }

    /// Closes everything and waits for the threads.
    package func stop() {
        let open = state.withLock { state in
            state.isStopped = true
            return state.connections.values
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in open { connection.interrupt() }
        acceptor.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
        close(listener)
        for thread in state.withLock({ $0.threads }) { thread.join() }
    }

    // MARK: - Sockets

    private static func listen() -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && Glibc.listen(descriptor, 128) == 0
                    && getsockname(descriptor, address, &size) == 0
            }
        }
        precondition(isBound, "cannot listen on 127.0.0.1")
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private func accept(_ serve: @escaping @Sendable (LoopbackConnection) -> Void) {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                if errno == EINTR { continue }
                return
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            admit(descriptor, serve)
        }
    }

    private func admit(_ descriptor: Int32, _ serve: @escaping @Sendable (LoopbackConnection) -> Void) {
        let connection = state.withLock { state -> LoopbackConnection? in
            guard !state.isStopped else { return nil }
            state.connectionCount += 1
            let connection = LoopbackConnection(descriptor, number: state.connectionCount) { [self] request in
                self.state.withLock { $0.requests.append(request) }
            }
            state.connections[connection.number] = connection
            return connection
        }
        guard let connection else {
            close(descriptor)
            return
        }
        let thread = DedicatedThread(name: "connection") { [self] in
            serve(connection)
            state.withLock { _ = $0.connections.removeValue(forKey: connection.number) }
            connection.close()
        }
        precondition(thread != nil, "no thread left for a connection")
        if let thread { state.withLock { $0.threads.append(thread) } }
    }
}
