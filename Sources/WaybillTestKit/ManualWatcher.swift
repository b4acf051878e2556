import Synchronization
package import SystemPackage
package import WaybillPorts

/// A watcher whose events the test makes. Everything is delivered on the test's own stack.
package final class ManualWatcher: DirectoryWatcher {
    private struct State {
        var deliver: (@Sendable ([WatchEvent]) -> Void)?
        var watches: [WatchID: (path: FilePath, interest: WatchInterest)] = [:]
        var lastNumber: Int32 = 0
        var isStopped = false
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: How many folders can be watched at once, before `noWatchLeft`.
    package init(limit: Int = .max) {
        self.limit = limit
    }

    /// The folders that are watched.
    package var watched: Set<FilePath> { state.withLock { Set($0.watches.values.map(\.path)) } }

    /// How many folders began to be watched, also of those that are watched no more.
    package var beginnings: Int { state.withLock { Int($0.lastNumber) } }

    package func start(_ deliver: @escaping @Sendable ([WatchEvent]) -> Void) {
        state.withLock { $0.deliver = deliver }
    }

    package func watch(_ directory: FilePath, for interest: WatchInterest) throws(WatchError) -> WatchID {
        let result: Result<WatchID, WatchError> = state.withLock { state in
            guard !state.isStopped else {
                return .failure(WatchError(code: .stopped, message: "the watcher was stopped", path: directory))
            }
            if let known = state.watches.first(where: { $0.value.path == directory }) {
                state.watches[known.key] = (directory, interest)
                return .success(known.key)
            }
            guard state.watches.count < limit else {
                return .failure(
                    WatchError(code: .noWatchLeft, message: "cannot watch \(directory): no watch left", path: directory)
                )
            }
            state.lastNumber += 1
            let id = WatchID(number: state.lastNumber)
            state.watches[id] = (directory, interest)
            return .success(id)
        }
        return try result.get()
    }

    package func unwatch(_ id: WatchID) {
        state.withLock { $0.watches[id] = nil }
    }

    package func stop() {
        state.withLock { state in
            state.isStopped = true
            state.watches = [:]
            state.deliver = nil
        }
    }

    /// Delivers an event of a watched folder. Nothing happens if nobody watches it, or not for this kind.
    package func send(_ kind: WatchEvent.Kind, _ name: String, in directory: FilePath, isDirectory: Bool = false) {
        let (deliver, event) = state.withLock { state -> ((@Sendable ([WatchEvent]) -> Void)?, WatchEvent?) in
            guard let (id, watch) = state.watches.first(where: { $0.value.path == directory }) else {
                return (nil, nil)
            }
            if watch.interest == .arrivals, kind == .deleted || kind == .attribute { return (nil, nil) }
            if kind == .watchGone { state.watches[id] = nil }
            let event = WatchEvent(watch: id, kind: kind, name: Array(name.utf8), isDirectory: isDirectory)
            return (state.deliver, event)
        }
        if let event { deliver?([event]) }
    }

    /// Says that events were lost.
    package func overflow() {
        state.withLock { $0.deliver }?([WatchEvent(watch: nil, kind: .overflow)])
    }
}
