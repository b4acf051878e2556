package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// Outputs that are large, binary or sensitive, under the digest of their content.
package protocol ArtifactStore: Sendable {
    /// Keeps contents; all are durable before this returns, so that an entry may name them. The same content twice is
    /// kept once.
    /// - Returns: what is kept of each, in their order.
    /// - Throws: for a file `.missing`, `.tooLarge` beyond its limit, `.files` for what is no regular file. Some of the
    ///   others may be kept then.
    func put(_ contents: [ArtifactContent], run: RunID) throws(StoreError) -> [Artifact]
    /// The bytes; nil if missing.
    /// - Throws: `.tooLarge` beyond `limit` bytes, `.mismatch` if they are not what was put.
    func get(_ digest: Digest, run: RunID, limit: Int) throws(StoreError) -> [UInt8]?
    /// The size in bytes; nil if missing.
    func size(of digest: Digest, run: RunID) throws(StoreError) -> Int64?
    /// Removes the bytes for good, durably; false if they are missing.
    func remove(_ digest: Digest, run: RunID) throws(StoreError) -> Bool
}

/// What is to be kept.
package enum ArtifactContent: Sendable {
    case bytes([UInt8])
    /// A regular file of at most so many bytes. The copy shares its blocks where the file system can.
    case file(FilePath, in: any Directory, limit: Int64)
}

/// Content that is kept.
package struct Artifact: Hashable, Sendable {
    package var sha256: Digest
    package var size: Int64

    package init(sha256: Digest, size: Int64) {
        self.sha256 = sha256
        self.size = size
    }

    /// Where it lies in the run's folder: `artifacts/sha256/ab/cdef...`.
    package var path: FilePath { Self.path(of: sha256) }

    package static func path(of digest: Digest) -> FilePath {
        let hex = digest.hex
        return RunFolder.artifacts.appending(String(hex.prefix(2))).appending(String(hex.dropFirst(2)))
    }
}
