internal import Synchronization
internal import SystemPackage
package import WaybillCore
internal import WaybillPorts
package import WaybillStore

/// Artifacts in a dictionary.
package final class MemoryArtifactStore: ArtifactStore {
    private let artifacts = Mutex<[RunID: [Digest: [UInt8]]]>([:])

    package init() {}

    /// Replaces the content of an artifact, as a broken disk or a meddler would.
    package func damage(_ digest: Digest, run: RunID, _ bytes: [UInt8]) {
        artifacts.withLock { $0[run]?[digest] = bytes }
    }

    package func put(_ contents: [ArtifactContent], run: RunID) throws(StoreError) -> [Artifact] {
        var kept: [Artifact] = []
        for content in contents {
            let bytes = try Self.bytes(of: content)
            let digest = Digest.sha256(bytes)
            artifacts.withLock { $0[run, default: [:]][digest] = bytes }
            kept.append(Artifact(sha256: digest, size: Int64(bytes.count)))
        }
        return kept
    }

    private static func bytes(of content: ArtifactContent) throws(StoreError) -> [UInt8] {
        switch content {
        case .bytes(let bytes): return bytes
        case .file(let path, let folder, let limit):
            var found: [UInt8]?
            do throws(FileSystemError) {
                found = try folder.read(path, limit: Int(limit))
            } catch {
                throw StoreError(error)
            }
            guard let found else { throw StoreError(.missing, "there is no \(path)") }
            return found
        }
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
