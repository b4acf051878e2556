import Dispatch
import Foundation
import Glibc
import Synchronization

/// A small HTTP/1.1 server on a loopback port of its own: one request a connection, answered by a closure.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        /// Names in lower case.
        var headers: [String: String]
        var body: String
        /// The method and the path.
        var line: String { "\(method) \(path)" }
    }
    struct Response: Sendable {
        var status: Int
        var headers: [String: String] = [:]
        /// JSON; none if empty.
        var body = ""
    }

    private let listener: Int32
    let port: UInt16
    private let received = Mutex<[Request]>([])
    private let respond: @Sendable (Request, _ earlier: [Request]) -> Response

    /// - Parameter respond: gets the request and all that came before it.
    init(_ respond: @escaping @Sendable (Request, _ earlier: [Request]) -> Response) throws {
        self.respond = respond
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        port = UInt16(bigEndian: address.sin_port)
        // A thread of its own: it ends when the listener is shut down.
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
                guard connection >= 0 else { return }
                self?.serve(connection)
                close(connection)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// All requests so far, in order.
    var requests: [Request] { received.withLock { $0 } }

    private func serve(_ connection: Int32) {
        guard let request = Self.read(connection) else { return }
        let earlier = received.withLock { requests in
            defer { requests.append(request) }
            return requests
        }
        let response = respond(request, earlier)
        var head = "HTTP/1.1 \(response.status) Said\r\nConnection: close\r\n"
        for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
        if !response.body.isEmpty { head += "Content-Type: application/json\r\n" }
        if response.status != 204 { head += "Content-Length: \(response.body.utf8.count)\r\n" }
        var bytes = [UInt8]((head + "\r\n" + response.body).utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL.rawValue))
            }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    private static func read(_ connection: Int32) -> Request? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            if let request = parse(text) { return request }
        }
    }

    /// Nil as long as the request is not whole.
    private static func parse(_ text: String) -> Request? {
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        var lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let words = lines.removeFirst().split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        let body = String(text[end.upperBound...])
        guard words.count == 3, body.utf8.count >= headers["content-length"].flatMap({ Int($0) }) ?? 0 else {
            return nil
        }
        return Request(method: words[0], path: words[1], headers: headers, body: body)
    }
}
