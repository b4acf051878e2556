import Glibc

/// The reading end of a program's standard output or error, and the log behind it.
///
/// A pipe, and not the file itself as the program's output: only so the limit holds whatever the program does,
/// the program cannot cut or rewrite what it said, and secrets can be masked before they reach the disk.
/// A program that says nothing pays for it with a handful of cheap system calls; the limit costs no polling.
struct LogPipe: ~Copyable {
    private let pipe: Int32
    private let log: Int32
    private var room: Int
    /// Something was dropped: there was too much, or the disk took no more.
    private(set) var isTruncated = false

    /// Takes over both descriptors.
    init(pipe: Int32, log: Int32, limitBytes: Int) {
        self.pipe = pipe
        self.log = log
        room = limitBytes
    }

    deinit {
        close(pipe)
        close(log)
    }

    var descriptor: Int32 { pipe }

    /// Moves what is there, at most one buffer full.
    ///
    /// - Returns: False at the end, when nobody has the other end of the pipe any more.
    mutating func pump(_ buffer: UnsafeMutableRawBufferPointer) -> Bool {
        let count = read(pipe, buffer.baseAddress, buffer.count)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        keep(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return true
    }

    /// Moves what is left when all writers are gone, or as much as a pipe can hold if one could not be killed.
    mutating func drain(_ buffer: UnsafeMutableRawBufferPointer) {
        // The largest pipe an unprivileged program can make (`/proc/sys/fs/pipe-max-size`), and some.
        var bound = 4 << 20
        while bound > 0 {
            let count = read(pipe, buffer.baseAddress, buffer.count)
            guard count > 0 else { return }
            keep(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            bound -= count
        }
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        var rest = UnsafeRawBufferPointer(rebasing: bytes.prefix(room))
        if rest.count < bytes.count { isTruncated = true }
        while !rest.isEmpty {
            let count = write(log, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                // A hole in the middle would look like the whole: nothing more is kept.
                isTruncated = true
                room = 0
                return
            }
            room -= count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
