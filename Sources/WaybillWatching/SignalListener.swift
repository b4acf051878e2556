import CLinux
import Glibc
package import SystemPackage
import WaybillPorts

/// Hears the signals that ask a process to end, on a thread that sleeps in the kernel until one comes.
package enum SignalListener {
    /// Begins to listen, once in a process: from then on these signals end nothing by themselves.
    ///
    /// - Parameters:
    ///   - numbers: e.g. `SIGTERM`. `SIGHUP` stays ignored where `nohup` has made it so.
    ///   - deliver: is called on the listener's thread, with the number.
    /// - Throws: the system's error for want of descriptors or threads.
    package static func listen(
        for numbers: [Int32], deliver: @escaping @Sendable (Int32) -> Void
    ) throws(Errno) {
        let pipe = wb_hear_signals(numbers, Int32(numbers.count))
        guard pipe >= 0 else { throw Errno(rawValue: errno) }
        let thread = DedicatedThread(name: "signals") {
            var number: UInt8 = 0
            while true {
                let count = read(pipe, &number, 1)
                if count == 1 { deliver(Int32(number)) }
                if count == 0 || (count < 0 && errno != EINTR) { return }
            }
        }
        guard let thread else { throw .resourceTemporarilyUnavailable }
        thread.detach()
    }
}
