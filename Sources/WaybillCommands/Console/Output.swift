import Glibc
import Synchronization
import SystemPackage
import WaybillCore

/// A stream that commands write to, in order and at once.
struct Output: Sendable {
    static let standard = Output(descriptor: STDOUT_FILENO)
    static let errors = Output(descriptor: STDERR_FILENO)

    let descriptor: Int32
    private let failed = WriteFailure()

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Why something could not be written; nil if all was, or if nobody wanted to read it any more.
    var failure: Errno? { failed.first }

    /// Whether nothing more can be written, or nobody reads it: whoever would go on for ever stops then.
    var isUnread: Bool { failed.isUnread }

    /// Text and a newline.
    func line(_ text: String) { write(Array((text + "\n").utf8)) }

    /// One JSON value on one line.
    func json(_ value: Value) { write(JSON.compact(value) + [UInt8(ascii: "\n")]) }

    /// One JSON value for people.
    func prettyJSON(_ value: Value) { write(JSON.pretty(value)) }

    /// All bytes. A reader that went away (`waybill list | head`) gets no more, and that is no failure; any other error
    /// is remembered, and ends the command when it is done.
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
                failed.note(Errno(rawValue: errno))
                return
            }
        }
    }
}

/// The first error of writing to a stream.
private final class WriteFailure: Sendable {
    private let errors = Mutex<Errno?>(nil)

    var first: Errno? { errors.withLock { $0 == .brokenPipe ? nil : $0 } }
    var isUnread: Bool { errors.withLock { $0 != nil } }

    func note(_ error: Errno) {
        errors.withLock { first in first = first ?? error }
    }
}
