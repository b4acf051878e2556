package import WaybillCore

/// What an `ANSWER_ACCEPTED` entry says of the file: enough to make `inbox/accepted/` again.
package enum AcceptedAnswer {
    package enum Content: Sendable, Hashable {
        case inline([UInt8])
        case artifact(Digest)
    }

    /// The exact bytes that were accepted, or the artifact that holds them; nil for other entries.
    package static func content(of entry: Entry) -> Content? {
        guard entry.type == .answerAccepted else { return nil }
        if let text = entry.data["bytes"]?.stringValue { return .inline(Array(text.utf8)) }
        return entry.data["bytesRef"]?["sha256"]?.stringValue.flatMap(Digest.init(hex:)).map(Content.artifact)
    }
}
