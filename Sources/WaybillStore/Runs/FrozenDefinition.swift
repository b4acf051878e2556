package import WaybillCore

/// What a run was started with, exactly as committed: workflow, policies, capabilities and scripts, under the
/// paths they have in the tree, and the index that names them by digest.
package struct FrozenDefinition: Hashable, Sendable {
    /// One source file.
    package struct Source: Hashable, Sendable {
        /// Relative to the tree's root, such as `workflows/release.yaml`.
        package var path: String
        package var bytes: [UInt8]
        package var isExecutable: Bool

        package init(path: String, bytes: [UInt8], isExecutable: Bool = false) {
            self.path = path
            self.bytes = bytes
            self.isExecutable = isExecutable
        }
    }

    package let workflow: String
    /// The commit the sources were taken from; nil for a tree without git or with changes.
    package let commit: String?
    /// By path, in code-point order.
    package let sources: [Source]
    /// The bytes of `definition/index.json`.
    package let index: [UInt8]
    /// Of the index: the run's definition digest, and what the ledger's first entry names as `prev`.
    package let digest: Digest

    /// Of two sources with the same path the first counts.
    package init(workflow: String, commit: String?, sources: [Source]) {
        var seen: Set<String> = []
        self.workflow = workflow
        self.commit = commit
        self.sources = sources.filter { seen.insert($0.path).inserted }
            .sorted { $0.path.precedesInCodePoints($1.path) }
        index = Self.index(workflow: workflow, commit: commit, sources: self.sources)
        digest = Digest.sha256(index)
    }

    package func source(_ path: String) -> Source? { sources.first { $0.path == path } }

    private static func index(workflow: String, commit: String?, sources: [Source]) -> [UInt8] {
        var writer = JSONWriter(style: .pretty)
        writer.beginObject()
        writer.member("format", 1)
        writer.member("workflow", workflow)
        writer.member("commit", commit)
        writer.name("files")
        writer.beginList()
        for source in sources {
            writer.beginObject()
            writer.member("path", source.path)
            writer.member("sha256", Digest.sha256(source.bytes).hex)
            writer.member("size", source.bytes.count)
            writer.member("executable", source.isExecutable)
            writer.endObject()
        }
        writer.endList()
        writer.endObject()
        return writer.finish()
    }
}
