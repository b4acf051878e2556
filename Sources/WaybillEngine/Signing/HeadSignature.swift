package import WaybillCore
import WaybillExpressions

/// What a `SIGNED` entry says: `{seq, head, key, signature}`, over the entry before it.
///
/// The signature is over one line of ASCII, `waybill-head-v1 <seq> <head>` with its newline: the head stands for every
/// byte before it, from the definition on. `key` is the fingerprint of the public key.
package struct HeadSignature: Hashable, Sendable {
    package var seq: Int
    package var head: Digest
    /// `SHA256:...`.
    package var key: String
    package var signature: [UInt8]

    /// Nil where a `SIGNED` entry does not say all of it.
    package init?(_ entry: Entry) {
        guard entry.type == .signed, let seq = entry.data["seq"]?.intValue,
            let head = entry.data["head"]?.stringValue.flatMap(Digest.init(hex:)),
            let key = entry.data["key"]?.stringValue,
            let signature = entry.data["signature"]?.stringValue.flatMap(Base64.decode)
        else { return nil }
        self.seq = Int(seq)
        self.head = head
        self.key = key
        self.signature = signature
    }

    static func draft(
        seq: Int, head: Digest, key: PublicKey, sign: ([UInt8]) -> [UInt8]
    ) -> EntryDraft {
        EntryDraft(
            .signed,
            data: [
                "seq": .int(Int64(seq)), "head": .string(head.hex), "key": .string(key.fingerprint),
                "signature": .string(Base64.encode(sign(message(seq: seq, head: head)))),
            ])
    }

    /// The bytes that are signed.
    package static func message(seq: Int, head: Digest) -> [UInt8] {
        Array("waybill-head-v1 \(seq) \(head.hex)\n".utf8)
    }

    func isValid(by key: PublicKey) -> Bool {
        key.fingerprint == self.key
            && Ed25519.isValid(signature, of: Self.message(seq: seq, head: head), publicKey: key.bytes)
    }
}
