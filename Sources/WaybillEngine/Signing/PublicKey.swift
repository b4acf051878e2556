import WaybillCore
import WaybillExpressions

/// An Ed25519 public key, as one line of OpenSSH's format: `ssh-ed25519 AAAA... name` (RFC 8709, "Ed25519 and Ed448
/// Public Key Algorithms for the Secure Shell (SSH) Protocol", section 4).
///
/// People have tools for that format, and know its fingerprints: `ssh-keygen -lf key.pub`.
package struct PublicKey: Hashable, Sendable {
    /// How far the comment of a key may go: it is shown to people.
    private static let longestName = 256
    private static let algorithm = "ssh-ed25519"

    package let bytes: [UInt8]
    /// The comment behind the key; empty where there is none.
    package let name: String

    init?(bytes: [UInt8], name: String) {
        guard bytes.count == Ed25519.keyLength, Self.isName(name) else { return nil }
        self.bytes = bytes
        self.name = name
    }

    /// Reads one line, without options in front; nil where it is none of an Ed25519 key.
    package init?(line: String) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true).map(String.init)
        guard parts.count >= 2, parts[0] == Self.algorithm, let blob = Base64.decode(parts[1]) else { return nil }
        let frame = Self.blob(of: [UInt8](repeating: 0, count: Ed25519.keyLength))
        let prefix = frame.count - Ed25519.keyLength
        guard blob.count == frame.count, blob[..<prefix] == frame[..<prefix] else { return nil }
        self.init(bytes: Array(blob[prefix...]), name: parts.count == 3 ? parts[2] : "")
    }

    /// Without a newline.
    package var line: String {
        "\(Self.algorithm) \(Base64.encode(Self.blob(of: bytes)))" + (name.isEmpty ? "" : " \(name)")
    }

    /// `SHA256:` and 43 characters, as `ssh-keygen -l` prints it.
    package var fingerprint: String {
        let text = Base64.encode(Digest.sha256(Self.blob(of: bytes)).bytes)
        return "SHA256:" + text.prefix { $0 != "=" }
    }

    /// Each part behind its length in four bytes (RFC 4251, section 5, "string").
    private static func blob(of key: [UInt8]) -> [UInt8] {
        [Array(algorithm.utf8), key].flatMap { part in
            [0, 0, 0, UInt8(part.count)] + part
        }
    }

    /// Whether a text may stand behind a key: one line that drives no terminal.
    static func isName(_ text: String) -> Bool {
        text.utf8.count <= longestName
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }

    /// The keys in a file: one in a line; empty lines and those that begin with `#` are passed over.
    ///
    /// - Returns: nil if a line is no Ed25519 key, or none is there.
    package static func keys(in text: String) -> [PublicKey]? {
        var keys: [PublicKey] = []
        for line in text.split(whereSeparator: \.isNewline)
        where !line.hasPrefix("#") && line.contains(where: { $0 != " " }) {
            guard let key = PublicKey(line: String(line)) else { return nil }
            keys.append(key)
        }
        return keys.isEmpty ? nil : keys
    }
}
