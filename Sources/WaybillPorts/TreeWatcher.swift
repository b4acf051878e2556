import Glibc
import Synchronization
package import SystemPackage

/// Hears of changes anywhere below a folder, and follows sub-folders as they come and go.
///
/// The caller owns the watcher and passes its events on. Names that begin with a dot are not followed, links neither.
package final class TreeWatcher: Sendable {
    private struct State {
        var paths: [WatchID: FilePath] = [:]
        var problem: WatchError?
    }

    /// More folders than any tree of manifests has; beyond it the caller scans.
    package static let defaultFolderLimit = 10_000

    package let root: FilePath
    private let watcher: any DirectoryWatcher
    private let folderLimit: Int
    private let state = Mutex(State())

    package init(root: FilePath, watcher: any DirectoryWatcher, folderLimit: Int = defaultFolderLimit) {
        self.root = root
        self.watcher = watcher
        self.folderLimit = folderLimit
    }

    /// What keeps it from hearing of every change: the root is missing, or watches ran out. Nil when all is well.
    /// While there is a problem the caller scans, and calls `refresh` when it sees the cause gone.
    package var problem: WatchError? { state.withLock { $0.problem } }

    /// The folders that are watched.
    package var folders: [FilePath] { state.withLock { Array($0.paths.values) } }

    /// Watches all there is, also again. What happened before this returns makes no event: look afterwards.
    package func refresh() {
        state.withLock { state in
            let before = Set(state.paths.keys)
            state = State()
            follow(root, &state)
            for id in before.subtracting(state.paths.keys) { watcher.unwatch(id) }
        }
    }

    /// Ends all its watches.
    package func stop() {
        state.withLock { state in
            for id in state.paths.keys { watcher.unwatch(id) }
            state = State()
        }
    }

    /// What may be other than before.
    package enum Change: Hashable, Sendable {
        /// One file, which may have come, gone, or got other bytes.
        case file(FilePath)
        case anything
    }

    /// Takes an event of the watcher in.
    ///
    /// - Returns: what in the tree may have changed; nil also for the watches of others.
    package func handle(_ event: WatchEvent) -> Change? {
        if event.kind == .overflow {
            refresh()
            return .anything
        }
        guard let id = event.watch else { return nil }
        return state.withLock { state in
            guard let folder = state.paths[id] else { return nil }
            if event.kind == .watchGone {
                state.paths[id] = nil
                if folder == root { state.problem = .rootGone(root) }
                return .anything
            }
            guard let path = folder.appending(name: event.name) else { return .anything }
            guard event.isDirectory else { return .file(path) }
            switch event.kind {
            case .created, .movedIn: follow(path, &state)
            case .deleted: leave(path, &state)
            default: break
            }
            return .anything
        }
    }

    /// Watches a folder and those in it. Each is listed after its watch began, so that nothing falls between.
    private func follow(_ path: FilePath, _ state: inout State) {
        var open = [path]
        while let folder = open.popLast() {
            if folder != root, folder.lastComponent?.string.hasPrefix(".") == true { continue }
            guard state.paths.count < folderLimit else {
                state.problem = WatchError(
                    code: .noWatchLeft, message: "\(root) has more than \(folderLimit) folders", path: folder)
                return
            }
            do throws(WatchError) {
                state.paths[try watcher.watch(folder, for: .everything)] = folder
            } catch {
                // A folder below the root that is gone again, or was a link, is no problem.
                if folder == root || error.code != .notFound && error.code != .notADirectory {
                    state.problem = error
                }
                continue
            }
            open += Self.subfolders(of: folder)
        }
    }

    /// Ends the watches of a folder that was moved away, and of those in it.
    private func leave(_ path: FilePath, _ state: inout State) {
        for (id, folder) in state.paths where folder.starts(with: path) {
            state.paths[id] = nil
            watcher.unwatch(id)
        }
    }

    private static func subfolders(of path: FilePath) -> [FilePath] {
        guard let folder = opendir(path.string) else { return [] }
        defer { closedir(folder) }
        var found: [FilePath] = []
        while let entry = readdir(folder) {
            let length = strnlen(&entry.pointee.d_name.0, 256)
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0[..<length]) }
            guard name != Array(".".utf8), name != Array("..".utf8), let child = path.appending(name: name) else {
                continue
            }
            if isFolder(child, type: Int32(entry.pointee.d_type)) { found.append(child) }
        }
        return found
    }

    private static func isFolder(_ path: FilePath, type: Int32) -> Bool {
        guard type == Int32(DT_UNKNOWN) else { return type == Int32(DT_DIR) }
        var status = stat()
        return path.withPlatformString { lstat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

extension FilePath {
    /// The entry with this name, which need not be UTF-8; nil if it cannot be a name.
    fileprivate func appending(name: [UInt8]) -> FilePath? {
        let characters = name.map { CInterop.PlatformChar(bitPattern: $0) } + [0]
        return Component(platformString: characters).map { appending($0) }
    }
}

extension WatchError {
    fileprivate static func rootGone(_ root: FilePath) -> WatchError {
        WatchError(code: .notFound, message: "\(root) was deleted, moved or unmounted", path: root)
    }
}
