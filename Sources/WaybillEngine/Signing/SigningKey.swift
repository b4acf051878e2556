import WaybillCore
import WaybillExpressions

/// The private key that heads are signed with. Its file is one line: `waybill-ed25519-secret <base64 of 32 bytes> name`.
///
/// It is no OpenSSH file, so that nobody takes the key of a login for it, and so that reading it takes no parser for
/// containers and ciphers.
package struct SigningKey: Sendable {
    private static let mark = "waybill-ed25519-secret"

    private let seed: [UInt8]
    package let publicKey: PublicKey

    private init?(seed: [UInt8], name: String) {
        guard let bytes = Ed25519.publicKey(seed: seed), let key = PublicKey(bytes: bytes, name: name) else {
            return nil
        }
        self.seed = seed
        publicKey = key
    }

    /// Nil where the name is no single line of at most 256 bytes.
    package static func generate(name: String) -> SigningKey? { SigningKey(seed: Ed25519.newSeed(), name: name) }

    /// Reads the text of a key's file; nil where it is none.
    package init?(text: String) {
        var line = Substring(text)
        if line.hasSuffix("\n") { line.removeLast() }
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, parts[0] == Self.mark, let seed = Base64.decode(parts[1]) else { return nil }
        self.init(seed: seed, name: parts.count == 3 ? parts[2] : "")
    }

    /// What its file holds, with a newline.
    package var text: String {
        "\(Self.mark) \(Base64.encode(seed))" + (publicKey.name.isEmpty ? "" : " \(publicKey.name)") + "\n"
    }

    /// The `SIGNED` entry that follows a head.
    package func draft(over head: LedgerHead) -> EntryDraft {
        HeadSignature.draft(seq: head.seq, head: head.digest, key: publicKey) { message in
            // The seed has the right length, so that there is a signature.
            Ed25519.signature(of: message, seed: seed) ?? []
        }
    }
}

/// Signs a head where a key is configured: the draft of the entry that follows it, or nil.
package typealias HeadSigner = @Sendable (LedgerHead) -> EntryDraft?
