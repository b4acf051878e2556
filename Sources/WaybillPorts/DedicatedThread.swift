import Glibc

/// A thread of its own for what blocks: reading notifications, waiting for processes, syncing files.
/// Swift's cooperative pool has as many threads as the machine has cores, and none of them may block.
package struct DedicatedThread: @unchecked Sendable {
    // `pthread_t` is a plain number on Linux.
    private let thread: pthread_t

    private final class Body {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a thread that takes no signals: those are for the main thread.
    ///
    /// - Parameter name: What `ps -L` and `top -H` show; Linux keeps 15 bytes.
    /// - Returns: Nil if the system has no thread to give (`EAGAIN`).
    package init?(name: String, _ run: @escaping @Sendable () -> Void) {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        // A new thread inherits the mask of its maker.
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                let body = Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue()
                DedicatedThread.nameThisThread(body.name)
                body.run()
                return nil
            }, body.toOpaque())
        guard failure == 0 else {
            body.release()
            return nil
        }
        self.thread = thread
    }

    private static func nameThisThread(_ name: String) {
        // `pthread_setname_np` is not visible to Swift. A thread without its name works as well.
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, Array(name.utf8), name.utf8.count)
        close(file)
    }

    /// Waits until the thread has ended. Exactly one of `join` and `detach` is called, once.
    package func join() {
        pthread_join(thread, nil)
    }

    /// Lets the thread go on by itself to the end of the process.
    package func detach() {
        pthread_detach(thread)
    }
}
