import Glibc
import Synchronization

/// One connection of a `LoopbackServer`, used on its own thread.
package final class LoopbackConnection: Sendable {
    /// From 1, in the order the connections came.
    package let number: Int
    private let descriptor: Int32
    private let record: @Sendable (LoopbackServer.Request) -> Void
    private let unread = Mutex<[UInt8]>([])
    private let isOpen = Mutex(true)

    init(_ descriptor: Int32, number: Int, record: @escaping @Sendable (LoopbackServer.Request) -> Void) {
        self.descriptor = descriptor
        self.number = number
        self.record = record
    }

    /// The next request; nil once the client has closed.
    package func readRequest() -> LoopbackServer.Request? {
        var bytes = unread.withLock { bytes in
            defer { bytes = [] }
            return bytes
        }
        while true {
            if let (request, length) = Self.parse(bytes, connection: number) {
                unread.withLock { $0 = Array(bytes[length...]) }
                record(request)
                return request
            }
            guard let more = receive() else { return nil }
            bytes += more
        }
    }

    /// Sends all of it; false if the client does not take it any more.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(
                    descriptor, raw.baseAddress.map { $0 + sent }, raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Reads whatever comes until the client closes.
    package func waitForClose() {
        while receive() != nil {}
    }

    /// Breaks the connection off: the client sees a reset instead of an orderly end.
    package func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    package func close() {
        isOpen.withLock { isOpen in
            if isOpen { Glibc.close(descriptor) }
            isOpen = false
        }
    }

    /// Ends reads and writes that are under way, from any thread.
    func interrupt() {
        isOpen.withLock { isOpen in
            if isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            return count > 0 ? Array(buffer[..<count]) : nil
        }
    }

    /// A request with a body of known length, and how many bytes it has.
    private static func parse(_ bytes: [UInt8], connection: Int) -> (LoopbackServer.Request, Int)? {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count,
            let head = (0...bytes.count - end.count).first(where: { Array(bytes[$0..<$0 + end.count]) == end })
        else { return nil }
        // Split by bytes: Swift takes "\r\n" for one character.
        let lines = bytes[..<head].split(separator: UInt8(ascii: "\n")).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
        let start = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        let total = head + end.count + length
        guard bytes.count >= total, start.count == 3 else { return nil }
        let body = Array(bytes[(head + end.count)..<total])
        return (
            LoopbackServer.Request(
                connection: connection, method: start[0], target: start[1], headers: headers, body: body), total
        )
    }
}
