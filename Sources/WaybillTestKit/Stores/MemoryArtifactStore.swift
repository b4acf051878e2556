internal import Synchronization
package import SystemPackage
package import WaybillCore
package import WaybillPorts
package import WaybillStore

/// Artifacts in a dictionary.
package final class MemoryArtifactStore: ArtifactStore {
    private let artifacts = Mutex<[RunID: [Digest: [UInt8]]]>([:])

    package init() {}

    /// Replaces the content of an artifact, as a broken disk or a meddler would.
    package func damage(_ digest: Digest, run: RunID, _ bytes: [UInt8]) {
        artifacts.withLock { $0[run]?[digest] = bytes }
    }

    package func put(_ bytes: [UInt8], run: RunID) throws(StoreError) -> Artifact {
        let digest = Digest.sha256(bytes)
        artifacts.withLock { $0[run, default: [:]][digest] = bytes }
        return Artifact(sha256: digest, size: Int64(bytes.count))
    }

    package func put(
        contentsOf path: FilePath, in folder: any Directory, run: RunID, limit: Int64
    ) throws(StoreError) -> Artifact {
        var content: [UInt8]?
        do throws(FileSystemError) {
            content = try folder.read(path, limit: Int(limit))
        } catch {
            throw StoreError(error)
        }
        guard let content else { throw StoreError(.missing, "there is no \(path)") }
        return try put(content, run: run)
    }

    package func get(_ digest: Digest, run: RunID, limit: Int) throws(StoreError) -> [UInt8]? {
        guard let bytes = artifacts.withLock({ $0[run]?[digest] }) else { return nil }
        guard bytes.count <= limit else { throw StoreError(.tooLarge, "artifact \(digest) is larger than \(limit)") }
        guard Digest.sha256(bytes) == digest else { throw StoreError(.mismatch, "artifact \(digest) was changed") }
        return bytes
    }

    package func remove(_ digest: Digest, run: RunID) throws(StoreError) -> Bool {
        artifacts.withLock { $0[run]?.removeValue(forKey: digest) != nil }
    }

    package func size(of digest: Digest, run: RunID) throws(StoreError) -> Int64? {
        artifacts.withLock { $0[run]?[digest].map { Int64($0.count) } }
    }
}
