internal import Crypto
internal import CryptoExtras

/// A public key as SSH writes it (RFC 4253, section 6.6; RFC 5656, section 3.1; RFC 8709, section 4).
struct SSHPublicKey: Hashable {
    private enum Kind: Hashable {
        case ed25519([UInt8])
        case ecdsa(Curve, point: [UInt8])
        case rsa(modulus: [UInt8], exponent: [UInt8])
    }

    private enum Curve: String {
        case p256 = "nistp256"
        case p384 = "nistp384"
        case p521 = "nistp521"

        /// Bytes of a coordinate.
        var size: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            case .p521: 66
            }
        }
    }

    /// Smaller moduli can be factored.
    private static let smallestModulus = 256

    private let kind: Kind
    /// The key's own bytes, by which keys are compared.
    let blob: [UInt8]
    /// `ssh-ed25519` and so on.
    let type: String

    /// - Throws: why this is no key, or none that is taken, in words.
    init(_ blob: [UInt8]) throws(SSHProblem) {
        var wire = SSHWire(blob)
        guard let type = wire.text() else { throw SSHProblem("the key is malformed") }
        let kind: Kind?
        switch type {
        case "ssh-ed25519": kind = wire.string().flatMap { $0.count == 32 ? .ed25519($0) : nil }
        case "ssh-rsa":
            guard let exponent = wire.magnitude(), let modulus = wire.magnitude() else {
                throw SSHProblem("the key is malformed")
            }
            guard modulus.count >= Self.smallestModulus else {
                throw SSHProblem("an RSA key of \(modulus.count * 8) bits is too small; 2048 are the least")
            }
            kind = .rsa(modulus: modulus, exponent: exponent)
        case _ where type.hasPrefix("ecdsa-sha2-"):
            guard let name = wire.text(), type == "ecdsa-sha2-\(name)", let curve = Curve(rawValue: name) else {
                throw SSHProblem("keys of the type \(type) are not taken")
            }
            kind = wire.string().map { .ecdsa(curve, point: $0) }
        default: throw SSHProblem("keys of the type \(type) are not taken; use ed25519, ecdsa or rsa")
        }
        guard let kind, wire.isAtEnd else { throw SSHProblem("the key is malformed") }
        self.kind = kind
        self.blob = blob
        self.type = type
    }

    /// As `ssh-keygen -l` shows it.
    var fingerprint: String { "SHA256:" + SSHWire.unpaddedBase64(Array(SHA256.hash(data: blob))) }

    /// Whether a signature in SSH's form is one of these bytes by this key.
    func verifies(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        var wire = SSHWire(signature)
        guard let algorithm = wire.text(), let value = wire.string(), wire.isAtEnd else { return false }
        switch kind {
        case .ed25519(let raw):
            guard algorithm == type, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw) else {
                return false
            }
            return key.isValidSignature(value, for: bytes)
        case .ecdsa(let curve, let point):
            guard algorithm == type, let raw = Self.rawSignature(value, curve.size) else { return false }
            return Self.verifies(raw, of: bytes, curve, point)
        case .rsa(let modulus, let exponent):
            // A signature may be shorter than the modulus, as numbers are written without leading zeros.
            let padded = Array(repeating: 0, count: max(modulus.count - value.count, 0)) + value
            guard let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else { return false }
            let signature = _RSA.Signing.RSASignature(rawRepresentation: padded)
            switch algorithm {
            case "rsa-sha2-256":
                return key.isValidSignature(signature, for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5)
            case "rsa-sha2-512":
                return key.isValidSignature(signature, for: SHA512.hash(data: bytes), padding: .insecurePKCS1v1_5)
            default: return false
            }
        }
    }

    /// Two `mpint` as two numbers of the curve's size (RFC 5656, section 3.1.2).
    private static func rawSignature(_ value: [UInt8], _ size: Int) -> [UInt8]? {
        var wire = SSHWire(value)
        guard let first = wire.magnitude(), let second = wire.magnitude(), wire.isAtEnd,
            first.count <= size, second.count <= size
        else { return nil }
        return Array(repeating: 0, count: size - first.count) + first
            + Array(repeating: 0, count: size - second.count) + second
    }

    private static func verifies(_ raw: [UInt8], of bytes: [UInt8], _ curve: Curve, _ point: [UInt8]) -> Bool {
        switch curve {
        case .p256:
            guard let key = try? P256.Signing.PublicKey(x963Representation: point),
                let signature = try? P256.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: bytes)
        case .p384:
            guard let key = try? P384.Signing.PublicKey(x963Representation: point),
                let signature = try? P384.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: bytes)
        case .p521:
            guard let key = try? P521.Signing.PublicKey(x963Representation: point),
                let signature = try? P521.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: bytes)
        }
    }
}

/// What is wrong with a key or a signature, in words.
struct SSHProblem: Error, Hashable {
    let message: String

    init(_ message: String) { self.message = message }
}
