package import WaybillCore

/// Reads YAML 1.2 with the core schema, as manifests and answers use it.
///
/// The grammar is libyaml's. On top of it a manifest may hold neither duplicate keys, nor merge keys, nor tags
/// outside the core schema, and nothing that grows beyond `YAMLLimits`.
package enum YAML {
    /// All documents of a text, with everything that is wrong in it.
    ///
    /// Mistakes that leave the structure intact (a duplicate key, a tag) are collected and reading goes on; a syntax
    /// error or a limit ends the text there, and the document it stands in is left out.
    package static func documents(_ bytes: [UInt8], limits: YAMLLimits = .standard) -> YAMLStream {
        guard bytes.count <= limits.bytes else {
            return YAMLStream(documents: [], problems: [.tooLarge(bytes.count, limit: limits.bytes)])
        }
        var composer = YAMLComposer(reader: YAMLEventReader(bytes), limits: limits)
        return composer.stream()
    }

    /// The value of a text of one document: what an answer in YAML says. A text without a document is `null`.
    ///
    /// - Throws: the first problem of the text, a second document, or a number that JSON cannot carry.
    package static func value(_ bytes: [UInt8], limits: YAMLLimits = .standard) throws(YAMLError) -> Value {
        let stream = documents(bytes, limits: limits)
        if let problem = stream.problems.first { throw problem }
        guard let root = stream.documents.first else { return .null }
        if stream.documents.count > 1 {
            throw YAMLError(
                .documents, "expected one document, got \(stream.documents.count)", at: stream.documents[1].mark)
        }
        if let mark = root.firstUnboundedNumber {
            throw YAMLError(.number, "infinity and NaN are no JSON numbers", at: mark)
        }
        return root.value
    }
}

/// The documents of a text and the problems found in it.
package struct YAMLStream: Sendable {
    package var documents: [YAMLNode]
    package var problems: [YAMLError]
}

/// What a YAML text may cost. Every limit is checked while reading, before memory is spent.
package struct YAMLLimits: Sendable {
    /// Length of the text in bytes.
    package var bytes = 4 << 20
    /// Nodes of all documents together, those behind an alias counted each time it is used.
    package var nodes = 400_000
    /// Collections inside each other.
    package var depth = 64
    /// Uses of anchors.
    package var aliases = 1_000
    package var documents = 10_000
    /// Problems reported before reading stops.
    package var problems = 100

    package init() {}

    package static let standard = YAMLLimits()
}
