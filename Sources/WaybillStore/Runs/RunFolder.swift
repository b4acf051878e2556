package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// A file that follows from a run's ledger, by its path in the run's folder.
package struct Projection: Sendable {
    package var path: FilePath
    package var bytes: [UInt8]

    package init(path: FilePath, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// A run's folder, open. What is written here are projections, which can be rebuilt and are not synced.
package struct RunFolder: Sendable {
    package static let ledger: FilePath = "ledger.jsonl"
    package static let glance: FilePath = "run.json"
    package static let definition: FilePath = "definition"
    package static let index: FilePath = "definition/index.json"
    package static let checkpoints: FilePath = "checkpoints"
    package static let snapshots: FilePath = "snapshots"
    package static let waits: FilePath = "waits"
    package static let inbox: FilePath = "inbox"
    package static let steps: FilePath = "steps"
    package static let artifacts: FilePath = "artifacts/sha256"

    package let run: RunID
    package let directory: any Directory
    /// Whether a group may read what the run shows of itself.
    private let isShared: Bool

    package init(run: RunID, directory: any Directory, isShared: Bool = false) {
        self.isShared = isShared
        self.run = run
        self.directory = directory
    }

    /// The folder of one attempt: `steps/<address>/<visit>.<attempt>`.
    package static func attempt(_ address: String, visit: Int, attempt: Int) -> FilePath {
        steps.appending(address).appending("\(visit).\(attempt)")
    }

    package static func checkpoint(_ seq: Int) -> FilePath { checkpoints.appending("\(seq).json") }

    package static func wait(_ key: String) -> FilePath { waits.appending("\(key).json") }

    package static func snapshot(_ name: String) -> FilePath { snapshots.appending("\(name).json") }

    /// Puts a projection in place: readers see the old file or the new one, whole. Missing folders are made.
    package func project(_ path: FilePath, _ bytes: [UInt8]) throws(StoreError) {
        let permissions: UInt16 = isShared ? 0o640 : Permissions.file
        try storing { () throws(FileSystemError) in
            try directory.project(path, with: bytes, permissions: permissions)
        }
    }

    /// As `project`, unless the file has these bytes already; says whether it was written.
    @discardableResult
    package func projectIfChanged(_ path: FilePath, _ bytes: [UInt8]) throws(StoreError) -> Bool {
        if let present = try? directory.read(path, limit: bytes.count), present == bytes { return false }
        try project(path, bytes)
        return true
    }

    /// Takes a projection away; nothing happens if it is missing.
    package func unproject(_ path: FilePath) throws(StoreError) {
        try storing { () throws(FileSystemError) in _ = try directory.remove(path) }
    }

    /// The bytes of a file; nil if missing.
    package func read(_ path: FilePath, limit: Int) throws(StoreError) -> [UInt8]? {
        try storing { () throws(FileSystemError) in try directory.read(path, limit: limit) }
    }

    /// The names of the files in a folder, sorted, temporaries left out; empty if it is missing.
    package func names(in path: FilePath, limit: Int = 1_000_000) throws(StoreError) -> [String] {
        let entries = try storing { () throws(FileSystemError) in try directory.entries(path, limit: limit) }
        return (entries ?? []).filter { !TemporaryName.isTemporary($0.name) }.map(\.name.string)
            .sorted { $0.precedesInCodePoints($1) }
    }

    /// Removes what an interrupted replacement left behind. Only the ledger's owner may do it.
    package func sweep() throws(StoreError) {
        try storing { () throws(FileSystemError) in
            let receipts = ["accepted", "rejected"].map { Self.inbox.appending($0) }
            for folder in [FilePath(), Self.waits, Self.checkpoints, Self.snapshots] + receipts {
                for entry in try directory.entries(folder, limit: 1_000_000) ?? []
                where TemporaryName.isTemporary(entry.name) && entry.kind != .directory {
                    _ = try directory.remove(folder.appending(entry.name))
                }
            }
        }
    }
}
