import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// Finds the tree a command is about.
enum TreeSearch {
    /// The folder that `-C` names, or the working directory or the nearest folder above it that has `workflows/`.
    static func root(_ directory: String?) throws(CommandError) -> FilePath {
        if let directory {
            let path = try real(directory)
            guard isTree(path) else {
                throw CommandError(
                    "no-tree", "there is no workflows/ in \(path)",
                    hint: "`waybill init \(directory)` makes a tree that works", status: .usage)
            }
            return path
        }
        let start = try real(".")
        var path = start
        while true {
            if isTree(path) { return path }
            guard path.removeLastComponent() else { break }
        }
        throw CommandError(
            "no-tree", "there is no workflows/ in \(start), nor in any folder above it",
            hint: "`waybill init` makes a tree here, and -C names one elsewhere", status: .usage)
    }

    /// An existing folder as an absolute path without links, so that messages name one place one way.
    static func real(_ path: String) throws(CommandError) -> FilePath {
        guard let resolved = realpath(path, nil) else {
            let reason = Errno(rawValue: errno)
            throw CommandError("no-tree", "cannot use \(path): \(reason)", status: .usage)
        }
        defer { free(resolved) }
        let place = FilePath(platformString: resolved)
        guard isFolder(place) else { throw CommandError("no-tree", "\(place) is no folder", status: .usage) }
        return place
    }

    static func isFolder(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Only what is known to be missing is: of what may not be looked at others say why.
    static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return lstat(path.string, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }

    private static func isTree(_ path: FilePath) -> Bool { isFolder(path.appending("workflows")) }
}

extension GlobalOptions {
    /// The tree's root.
    func root() throws(CommandError) -> FilePath { try TreeSearch.root(directory) }

    /// The tree, open.
    func tree() throws(CommandError) -> Tree {
        let root = try root()
        do throws(RuntimeError) {
            return try Tree.open(root, fileSystem: LocalFileSystem(), clock: SystemClock())
        } catch {
            throw CommandError(error)
        }
    }
}

extension Tree {
    /// Whether a daemon works on the tree at this moment.
    var hasDaemon: Bool { (try? TreeLock.isAttended(caches)) ?? false }
}
