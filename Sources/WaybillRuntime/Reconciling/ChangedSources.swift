import SystemPackage
import WaybillPorts

/// Which manifests may have changed since somebody looked, as far as the kernel said.
struct ChangedSources {
    /// Where more of them changed, looking at all costs no more.
    private static let most = 64

    private var paths: Set<String> = []
    private var isUnclear = false

    /// - Parameter root: the tree's.
    mutating func note(_ change: TreeWatcher.Change, below root: FilePath) {
        guard case .file(var path) = change, path.removePrefix(root), paths.count < Self.most else {
            isUnclear = true
            return
        }
        paths.insert(path.string)
    }

    /// Forgets them.
    ///
    /// - Returns: relative to the root; nil: anything may have.
    mutating func take() -> Set<String>? {
        defer { self = ChangedSources() }
        return isUnclear ? nil : paths
    }
}
