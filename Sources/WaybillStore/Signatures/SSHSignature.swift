internal import Crypto

/// A detached signature as `ssh-keygen -Y sign` writes it (OpenSSH, PROTOCOL.sshsig).
struct SSHSignature {
    private static let magic = Array("SSHSIG".utf8)
    private static let opening = "-----BEGIN SSH SIGNATURE-----"
    private static let closing = "-----END SSH SIGNATURE-----"

    let key: SSHPublicKey
    let namespace: String
    private let reserved: [UInt8]
    private let hash: String
    private let signature: [UInt8]

    /// - Parameter armoured: the bytes of a `.sig` file.
    init(armoured: [UInt8]) throws(SSHProblem) {
        guard let text = String(validating: armoured, as: UTF8.self),
            let body = Self.body(text), let blob = SSHWire.base64(body.utf8)
        else { throw SSHProblem("it is no signature as `ssh-keygen -Y sign` writes it") }
        var wire = SSHWire(blob)
        guard wire.take(Self.magic), let version = wire.number() else {
            throw SSHProblem("it is no SSH signature")
        }
        guard version == 1 else { throw SSHProblem("it is a signature of the unknown version \(version)") }
        guard let key = wire.string(), let namespace = wire.text(), let reserved = wire.string(),
            let hash = wire.text(), let signature = wire.string(), wire.isAtEnd
        else { throw SSHProblem("the signature is malformed") }
        self.key = try SSHPublicKey(key)
        self.namespace = namespace
        self.reserved = reserved
        self.hash = hash
        self.signature = signature
    }

    private static func body(_ text: String) -> Substring? {
        let lines = text.split(whereSeparator: \.isNewline)
        guard let first = lines.first, let last = lines.last, lines.count >= 3, first == opening, last == closing
        else { return nil }
        return text[first.endIndex..<last.startIndex]
    }

    /// Checks that the key signed exactly these bytes, for this namespace.
    func check(_ bytes: [UInt8], namespace expected: String) throws(SSHProblem) {
        guard namespace == expected else {
            throw SSHProblem("it was signed for '\(namespace.prefix(60))'; sign with `-n \(expected)`")
        }
        let digest: [UInt8]
        switch hash {
        case "sha256": digest = Array(SHA256.hash(data: bytes))
        case "sha512": digest = Array(SHA512.hash(data: bytes))
        default: throw SSHProblem("the hash '\(hash.prefix(20))' is not taken")
        }
        var signed = Self.magic + SSHWire.string(Array(namespace.utf8))
        signed += SSHWire.string(reserved)
        signed += SSHWire.string(Array(hash.utf8))
        signed += SSHWire.string(digest)
        guard key.verifies(signature, of: signed) else {
            throw SSHProblem("the signature is not of these bytes, or was changed")
        }
    }
}
