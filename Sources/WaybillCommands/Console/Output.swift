import Glibc
import WaybillCore

/// A stream that commands write to, in order and at once.
struct Output: Sendable {
    static let standard = Output(descriptor: STDOUT_FILENO)
    static let errors = Output(descriptor: STDERR_FILENO)

    let descriptor: Int32

    /// Text and a newline.
    func line(_ text: String) { write(Array((text + "\n").utf8)) }

    /// One JSON value on one line.
    func json(_ value: Value) { write(JSON.compact(value) + [UInt8(ascii: "\n")]) }

    /// One JSON value for people.
    func prettyJSON(_ value: Value) { write(JSON.pretty(value)) }

    /// All bytes. A reader that went away (`waybill list | head`) gets no more, and that is no failure.
    func write(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
            }
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&ready, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}
