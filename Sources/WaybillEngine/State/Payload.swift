package import WaybillCore

/// A value, or where it lies when it is too large for the ledger.
package enum Payload: Sendable, Hashable {
    /// A payload of more bytes than this (as compact JSON) lives in the artifact store.
    package static let inlineLimit = 64 << 10

    case inline(Value)
    /// Compact JSON in `artifacts/sha256`, by digest and size in bytes.
    case artifact(Digest, size: Int)
    /// Something sensitive: `{"salt": ..., "value": ...}` in `artifacts/sha256`, by digest and size in bytes. Nobody can
    /// tell from the digest what the value was, and once the artifact is gone nothing can.
    case sealed(Digest, size: Int)

    /// The member of an entry's data that holds it: `name` for a value, `nameRef` for a reference.
    package func write(as name: String, into object: inout Object) {
        switch self {
        case .inline(let value): object[name] = value
        case .artifact(let digest, let size):
            object[name + "Ref"] = ["sha256": .string(digest.hex), "size": .int(Int64(size))]
        case .sealed(let digest, let size):
            object[name + "Ref"] = [
                "sha256": .string(digest.hex), "size": .int(Int64(size)), "sensitive": true,
            ]
        }
    }

    /// Reads what `write(as:into:)` wrote; nil if neither member is there.
    package static func read(_ name: String, from object: Object) -> Payload? {
        if let value = object[name] { return .inline(value) }
        guard let reference = object[name + "Ref"], let hex = reference["sha256"]?.stringValue,
            let digest = Digest(hex: hex), let size = reference["size"]?.intValue
        else { return nil }
        return reference["sensitive"] == true ? .sealed(digest, size: Int(size)) : .artifact(digest, size: Int(size))
    }

    /// What is stored for a sensitive value.
    static func sealed(_ value: Value, salt: Digest) -> Blob {
        Blob(JSON.compact(["salt": .string(salt.hex), "value": value]))
    }

    /// The value in what is stored for a sensitive one.
    package static func opened(_ stored: Value?) -> Value? { stored?["value"] }
}

/// Where the engine reads payloads that are not in the ledger. Content-addressed, so reading one is no side effect.
package protocol PayloadSource: AnyObject, Sendable {
    /// The value with this digest; nil if it was erased, is damaged or was never stored.
    func payload(_ digest: Digest) -> Value?
}

/// Bytes that must be durable in the artifact store before the entries that name them.
package struct Blob: Sendable, Hashable {
    package var digest: Digest
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        digest = Digest.sha256(bytes)
        self.bytes = bytes
    }
}
