import CLinux
import Glibc
import Synchronization
package import SystemPackage
package import WaybillPorts

/// Watches folders through inotify, with one thread that sleeps in the kernel until something happens.
///
/// It lives until `stop`, which must not be called from `deliver`.
package final class InotifyWatcher: DirectoryWatcher {
    private struct State {
        var deliver: (@Sendable ([WatchEvent]) -> Void)?
        /// Watches that neither the caller nor the kernel has ended.
        var living: Set<Int32> = []
        var thread: DedicatedThread?
        var isStopped = false
    }

    private static let arrivals = UInt32(IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF)
    private static let changes = UInt32(IN_DELETE | IN_MOVED_FROM | IN_ATTRIB)
    /// Room for 240 events with the longest names, and for thousands with usual ones.
    private static let bufferBytes = 64 << 10

    private let inotify: Int32
    private let wake: Int32
    private let state = Mutex(State())

    /// - Throws: ``WatchError``, `noWatcherLeft` where the system's limits are reached.
    package init() throws(WatchError) {
        inotify = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard inotify >= 0 else {
            let cause = Errno(rawValue: errno)
            throw WatchError(
                code: [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory].contains(cause)
                    ? .noWatcherLeft : .system,
                message: "cannot watch folders: \(cause.description) (fs.inotify.max_user_instances)", cause: cause)
        }
        wake = eventfd(0, Int32(EFD_CLOEXEC))
        guard wake >= 0 else {
            let cause = Errno(rawValue: errno)
            close(inotify)
            throw WatchError(
                code: .noWatcherLeft, message: "cannot watch folders: \(cause.description)", cause: cause)
        }
        guard let thread = DedicatedThread(name: "watch", { [self] in run() }) else {
            close(inotify)
            close(wake)
            throw WatchError(code: .noWatcherLeft, message: "no thread left to watch folders on")
        }
        state.withLock { $0.thread = thread }
    }

    package func start(_ deliver: @escaping @Sendable ([WatchEvent]) -> Void) {
        state.withLock { $0.deliver = deliver }
    }

    package func watch(_ directory: FilePath, for interest: WatchInterest) throws(WatchError) -> WatchID {
        let mask =
            switch interest {
            case .arrivals: Self.arrivals
            case .everything: Self.arrivals | Self.changes
            }
        // Under the lock, so that the thread cannot hear of the watch's end before it knows the watch.
        let result: Result<WatchID, WatchError> = state.withLock { state in
            guard !state.isStopped else {
                return .failure(WatchError(code: .stopped, message: "the watcher was stopped", path: directory))
            }
            let number = inotify_add_watch(inotify, directory.string, mask | UInt32(IN_ONLYDIR))
            guard number >= 0 else { return .failure(.addFailed(errno, directory)) }
            state.living.insert(number)
            return .success(WatchID(number: number))
        }
        return try result.get()
    }

    package func unwatch(_ id: WatchID) {
        state.withLock { state in
            guard state.living.remove(id.number) != nil, !state.isStopped else { return }
            inotify_rm_watch(inotify, id.number)
        }
    }

    package func stop() {
        let thread = state.withLock { state in
            state.isStopped = true
            defer { state.thread = nil }
            return state.thread
        }
        guard let thread else { return }
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
        thread.join()
        close(inotify)
        close(wake)
    }

    private func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferBytes, alignment: 8)
        defer { buffer.deallocate() }
        var sources = [
            pollfd(fd: inotify, events: Int16(POLLIN), revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            _ = poll(&sources, 2, -1)
            if sources[1].revents != 0 { return }
            let count = read(inotify, buffer.baseAddress, buffer.count)
            guard count > 0 else { continue }
            let (deliver, events) = state.withLock { state in
                (state.deliver, parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), &state))
            }
            if !events.isEmpty { deliver?(events) }
        }
    }

    /// Takes a batch apart; see `inotify(7)` for the layout.
    private func parse(_ bytes: UnsafeRawBufferPointer, _ state: inout State) -> [WatchEvent] {
        let headBytes = 16
        var events: [WatchEvent] = []
        var offset = 0
        while offset + headBytes <= bytes.count {
            let number = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let nameBytes = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let name = bytes[(offset + headBytes)..<(offset + headBytes + nameBytes)].prefix { $0 != 0 }
            offset += headBytes + nameBytes
            if let event = event(number, mask, Array(name), &state) { events.append(event) }
        }
        return events
    }

    private func event(_ number: Int32, _ mask: UInt32, _ name: [UInt8], _ state: inout State) -> WatchEvent? {
        func has(_ bit: Int32) -> Bool { mask & UInt32(bitPattern: bit) != 0 }
        let id = WatchID(number: number)
        if has(IN_Q_OVERFLOW) { return WatchEvent(watch: nil, kind: .overflow) }
        if has(IN_IGNORED) {
            return state.living.remove(number) == nil ? nil : WatchEvent(watch: id, kind: .watchGone)
        }
        if has(IN_MOVE_SELF) {
            // The kernel would go on watching the folder at its new place, whose path nobody knows.
            guard state.living.remove(number) != nil else { return nil }
            inotify_rm_watch(inotify, number)
            return WatchEvent(watch: id, kind: .watchGone)
        }
        // What a folder that is watched no longer had to say, or is about the folder itself, or follows as IN_IGNORED.
        guard state.living.contains(number), !name.isEmpty else { return nil }
        let kind: WatchEvent.Kind
        if has(IN_MOVED_TO) {
            kind = .movedIn
        } else if has(IN_CLOSE_WRITE) {
            kind = .closedAfterWrite
        } else if has(IN_CREATE) {
            kind = .created
        } else if has(IN_DELETE) || has(IN_MOVED_FROM) {
            kind = .deleted
        } else {
            kind = .attribute
        }
        return WatchEvent(watch: id, kind: kind, name: name, isDirectory: has(IN_ISDIR))
    }
}

extension WatchError {
    fileprivate static func addFailed(_ number: Int32, _ path: FilePath) -> WatchError {
        let cause = Errno(rawValue: number)
        let code: Code =
            switch cause {
            case .noSpace, .noMemory: .noWatchLeft
            case .noSuchFileOrDirectory: .notFound
            case .notDirectory: .notADirectory
            case .permissionDenied: .notPermitted
            default: .system
            }
        let reason =
            code == .noWatchLeft ? "no watch left, see fs.inotify.max_user_watches" : cause.description
        return WatchError(code: code, message: "cannot watch \(path): \(reason)", path: path, cause: cause)
    }
}
