internal import SystemPackage
package import WaybillCore
package import WaybillPorts

/// Checkpoints as files: `<run>/checkpoints/<seq>.json`.
package struct FileCheckpointStore: CheckpointStore {
    /// A state larger than this has outgrown its purpose.
    package static let largestCheckpoint = 256 << 20
    private static let maximumCheckpoints = 1_000_000

    private let runs: any Directory

    package init(runs: any Directory) { self.runs = runs }

    package func write(_ bytes: [UInt8], run: RunID, seq: Int) throws(StoreError) -> Digest {
        guard let folder = try storing({ () throws(FileSystemError) in try runs.openDirectory(FilePath(run.text)) })
        else { throw StoreError(.missing, "there is no run \(run)") }
        try RunFolder(run: run, directory: folder).project(RunFolder.checkpoint(seq), bytes)
        return Digest.sha256(bytes)
    }

    package func numbers(run: RunID) throws(StoreError) -> [Int] {
        let entries = try storing { () throws(FileSystemError) in
            try runs.entries(
                FilePath(run.text).appending(RunFolder.checkpoints.components), limit: Self.maximumCheckpoints)
        }
        return (entries ?? []).compactMap { Self.number($0.name) }.sorted()
    }

    package func read(run: RunID, seq: Int) throws(StoreError) -> [UInt8]? {
        try storing { () throws(FileSystemError) in try runs.read(full(run, seq), limit: Self.largestCheckpoint) }
    }

    package func remove(run: RunID, seq: Int) throws(StoreError) {
        try storing { () throws(FileSystemError) in _ = try runs.remove(full(run, seq)) }
    }

    private func full(_ run: RunID, _ seq: Int) -> FilePath {
        FilePath(run.text).appending(RunFolder.checkpoint(seq).components)
    }

    private static func number(_ name: FilePath.Component) -> Int? {
        guard name.extension == "json", let number = Int(name.stem), name.stem == "\(number)" else { return nil }
        return number
    }
}
