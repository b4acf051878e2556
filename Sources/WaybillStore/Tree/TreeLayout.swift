package import SystemPackage
package import WaybillCore

/// Where everything is in a tree.
package struct TreeLayout: Hashable, Sendable {
    /// The tree's root, absolute.
    package let root: FilePath
    /// The folder of runs: `runs` beneath the root, unless settings place it elsewhere.
    package let runs: FilePath

    /// - Parameter runs: as the settings say it; a relative path is relative to the root.
    package init(root: FilePath, runs: FilePath = "runs") {
        self.root = root
        self.runs = root.pushing(runs)
    }

    package var workflows: FilePath { root.appending("workflows") }
    package var hooks: FilePath { root.appending("hooks") }
    package var journal: FilePath { runs.appending("journal.jsonl") }
    package var inbox: FilePath { runs.appending("inbox") }
    /// Indexes and caches: everything in it can be rebuilt.
    package var caches: FilePath { root.appending(".waybill") }
    package var daemonLock: FilePath { caches.appending("daemon.lock") }

    package func folder(of run: RunID) -> FilePath { runs.appending(run.text) }
    package func inbox(of run: RunID) -> FilePath { folder(of: run).appending("inbox") }
}
