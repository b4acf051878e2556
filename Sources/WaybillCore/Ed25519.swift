import Crypto

/// Ed25519 signatures (RFC 8032, "Edwards-Curve Digital Signature Algorithm", section 5.1), over plain bytes.
package enum Ed25519 {
    /// Of a public key and of the seed that a private key is made from.
    package static let keyLength = 32
    package static let signatureLength = 64

    /// A fresh seed from the system's generator.
    package static func newSeed() -> [UInt8] {
        let key = Curve25519.Signing.PrivateKey()
        return key.rawRepresentation.map { $0 }
    }

    /// The public key that belongs to a seed; nil unless the seed has 32 bytes.
    package static func publicKey(seed: [UInt8]) -> [UInt8]? {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        return key.publicKey.rawRepresentation.map { $0 }
    }

    /// The signature of a message; nil unless the seed has 32 bytes.
    package static func signature(of message: [UInt8], seed: [UInt8]) -> [UInt8]? {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            let signature = try? key.signature(for: message)
        else { return nil }
        return signature.map { $0 }
    }

    /// Whether somebody who has the private key signed exactly these bytes.
    package static func isValid(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == signatureLength,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
        else { return false }
        return key.isValidSignature(signature, for: message)
    }
}
