package import WaybillCore

/// A file that a step left: `{"name","sha256","size","mediaType","path"}`.
package struct ArtifactRecord: Sendable, Hashable {
    /// The path that matched, relative to the working directory.
    package var name: String
    package var digest: Digest
    /// Bytes.
    package var size: Int
    package var mediaType: String
    /// Where the copy lies, relative to the tree's root.
    package var path: String

    package init(name: String, digest: Digest, size: Int, mediaType: String, path: String) {
        self.name = name
        self.digest = digest
        self.size = size
        self.mediaType = mediaType
        self.path = path
    }

    package var value: Value {
        [
            "name": .string(name), "sha256": .string(digest.hex), "size": .int(Int64(size)),
            "mediaType": .string(mediaType), "path": .string(path),
        ]
    }

    package init?(_ value: Value) {
        guard let name = value["name"]?.stringValue, let hex = value["sha256"]?.stringValue,
            let digest = Digest(hex: hex), let size = value["size"]?.intValue,
            let mediaType = value["mediaType"]?.stringValue, let path = value["path"]?.stringValue
        else { return nil }
        self.init(name: name, digest: digest, size: Int(size), mediaType: mediaType, path: path)
    }
}
