package import SystemPackage

/// One watched folder, for as long as its watcher lives; ids are not used twice.
package struct WatchID: Hashable, Sendable {
    package let number: Int32
    package init(number: Int32) { self.number = number }
}

/// What a caller wants to hear about.
package enum WatchInterest: Sendable {
    /// New files only: moved in, closed after writing, created. For inboxes, where taking a file out of the folder
    /// must not wake the one who took it.
    case arrivals
    /// Also deleted, moved out, and changed attributes. For sources.
    case everything
}

/// Something happened to a watched folder. It is a hint: the folder is the truth.
package struct WatchEvent: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// An entry came by rename: it is complete.
        case movedIn
        /// A file that was open for writing was closed.
        case closedAfterWrite
        /// An entry appeared: a folder, a link, or a file that is about to be written.
        case created
        /// An entry was removed or moved out.
        case deleted
        /// Mode, owner or times of an entry changed.
        case attribute
        /// Events were lost: look at everything again. It belongs to no watch.
        case overflow
        /// The folder itself was deleted, moved or unmounted: the watch has ended.
        case watchGone
    }

    /// Nil with `overflow`.
    package var watch: WatchID?
    package var kind: Kind
    /// The entry's name, as bytes: Linux allows all but `/` and NUL. Empty with `overflow` and `watchGone`.
    package var name: [UInt8]
    package var isDirectory: Bool

    package init(watch: WatchID?, kind: Kind, name: [UInt8] = [], isDirectory: Bool = false) {
        self.watch = watch
        self.kind = kind
        self.name = name
        self.isDirectory = isDirectory
    }

    /// The name as text; nil if it is not UTF-8.
    package var text: String? { String(validating: name, as: UTF8.self) }
}

/// A folder could not be watched.
package struct WatchError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// The kernel has no watch left (`fs.inotify.max_user_watches`), or no memory for it: scan instead.
        case noWatchLeft
        /// This user has too many watchers (`fs.inotify.max_user_instances`) or too many open files: scan instead.
        case noWatcherLeft
        case notFound
        case notADirectory
        case notPermitted
        /// The watcher was stopped.
        case stopped
        case system
    }

    package var code: Code
    package var message: String
    package var path: FilePath?
    package var cause: Errno?

    package init(code: Code, message: String, path: FilePath? = nil, cause: Errno? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.cause = cause
    }
}

/// Hears from the system what happens in folders, so that nobody has to look.
package protocol DirectoryWatcher: Sendable {
    /// Says where events go: once, before the first `watch`.
    ///
    /// Events of one batch come together and in order, on the watcher's own thread. The receiver must not block.
    func start(_ deliver: @escaping @Sendable ([WatchEvent]) -> Void)
    /// Watches the entries of one folder, not of its sub-folders. What was there before makes no event: list the
    /// folder after this returns. The same folder again, also by another path, gives the same id and the new interest.
    ///
    /// - Throws: ``WatchError``; with `noWatchLeft` and `noWatcherLeft` the caller falls back to scanning.
    func watch(_ directory: FilePath, for interest: WatchInterest) throws(WatchError) -> WatchID
    /// Ends a watch. Events on their way may still arrive; no `watchGone` follows.
    func unwatch(_ id: WatchID)
    /// Ends all watches and the watcher.
    func stop()
}
