import Glibc

/// Lets threads wait until a test opens it, once and for all.
final class Gate: Sendable {
    private let ends: (reading: Int32, writing: Int32)

    init() {
        var pair: [Int32] = [-1, -1]
        precondition(pipe(&pair) == 0)
        ends = (pair[0], pair[1])
    }

    deinit { close(ends.reading) }

    /// Closes the writing end: every read, now and later, is at the end of the file.
    func open() { close(ends.writing) }

    func wait() {
        var byte: UInt8 = 0
        while read(ends.reading, &byte, 1) < 0, errno == EINTR {}
    }
}
