import Glibc

/// Blocks a thread until another opens it, through a pipe.
final class Latch: Sendable {
    private let ends: (reading: Int32, writing: Int32)

    init() {
        var pair: [Int32] = [-1, -1]
        precondition(pipe(&pair) == 0)
        ends = (pair[0], pair[1])
    }

    deinit {
        close(ends.reading)
        close(ends.writing)
    }

    func open() {
        var byte: UInt8 = 1
        _ = write(ends.writing, &byte, 1)
    }

    func wait() {
        var byte: UInt8 = 0
        while read(ends.reading, &byte, 1) < 0, errno == EINTR {}
    }
}
