package import WaybillCore
internal import WaybillPorts

/// What became of a file that was dropped, as `<name>.reason.json` beside it says it.
package struct Receipt: Hashable, Sendable {
    package enum Verdict: String, Sendable {
        case accepted
        case rejected
    }

    /// The name it was dropped under, escaped.
    package var file: String
    /// Nil for what was not read.
    package var sha256: Digest?
    package var size: Int64
    package var verdict: Verdict
    /// Why it was rejected, in one word of the contract's list; nil for what was accepted.
    package var kind: String?
    package var message: String?
    package var userID: UInt32?
    package var user: String?
    package var signer: String?
    /// When it was judged: the time of the entry that records it.
    package var at: Timestamp
    /// Of the entry that records it, in the run's ledger or in the journal.
    package var seq: Int?

    package init(
        file: String, sha256: Digest?, size: Int64, verdict: Verdict, kind: String? = nil, message: String? = nil,
        userID: UInt32?, user: String?, signer: String? = nil, at: Timestamp, seq: Int?
    ) {
        self.file = file
        self.sha256 = sha256
        self.size = size
        self.verdict = verdict
        self.kind = kind
        self.message = message
        self.userID = userID
        self.user = user
        self.signer = signer
        self.at = at
        self.seq = seq
    }

    /// The receipt of a claimed file; a file that was refused by what it is brings its own kind and message.
    package init(
        _ file: ClaimedFile, _ verdict: Verdict, kind: String? = nil, message: String? = nil, signer: String? = nil,
        at: Timestamp, seq: Int?
    ) {
        self.init(
            file: file.escapedName, sha256: file.sha256, size: file.status.size, verdict: verdict,
            kind: kind ?? file.refusal?.kind.rawValue, message: message ?? file.refusal?.message,
            userID: file.status.userID, user: file.user, signer: signer, at: at, seq: seq)
    }

    /// Pretty JSON with `"format": 1`.
    package var json: [UInt8] {
        var writer = JSONWriter(style: .pretty)
        writer.beginObject()
        writer.member("format", 1)
        writer.member("file", file)
        writer.member("sha256", sha256?.hex)
        writer.member("size", Int(size))
        writer.member("verdict", verdict.rawValue)
        writer.member("kind", kind)
        writer.member("message", message)
        writer.name("by")
        writer.beginObject()
        writer.member("uid", userID.map { Int($0) })
        writer.member("user", user)
        writer.member("signer", signer)
        writer.endObject()
        writer.member("at", at.description)
        writer.member("seq", seq)
        writer.endObject()
        return writer.finish()
    }
}
