import Crypto

/// A SHA-256 digest (FIPS 180-4); written as 64 lower-case hexadecimal digits.
package struct Digest: Hashable, Sendable {
    // Four words are compared and hashed faster than 32 bytes in an array, and need no allocation.
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// 64 zeros in hexadecimal: what stands before the first entry of the journal.
    package static let zero = Digest(words: (0, 0, 0, 0))

    private init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// Reads exactly 64 lower-case hexadecimal digits; nil for anything else.
    package init?(hex: String) {
        var hex = hex
        guard let digest = hex.withUTF8({ Digest(hexBytes: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = digest
    }

    /// As `init(hex:)`, from the bytes of the text.
    package init?(hexBytes: UnsafeRawBufferPointer) {
        guard hexBytes.count == 64 else { return nil }
        var digest = Digest.zero
        var seen: UInt8 = 0
        withUnsafeMutableBytes(of: &digest.words) { bytes in
            for index in 0..<32 {
                let high = Self.nibble(hexBytes[2 * index])
                let low = Self.nibble(hexBytes[2 * index + 1])
                seen |= high | low
                bytes[index] = high << 4 | low
            }
        }
        guard seen < 16 else { return nil }
        self = digest
    }

    /// Takes exactly 32 bytes; nil for any other number.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var digest = Digest.zero
        withUnsafeMutableBytes(of: &digest.words) { $0.copyBytes(from: bytes) }
        self = digest
    }

    /// 0xFF for what is no digit. Nothing foretells the digits of a hash, so that branches would be guessed wrong.
    private static func nibble(_ digit: UInt8) -> UInt8 {
        let number = digit &- UInt8(ascii: "0")
        let letter = digit &- UInt8(ascii: "a")
        let other: UInt8 = letter < 6 ? letter &+ 10 : 0xFF
        return number < 10 ? number : other
    }

    fileprivate init(_ hash: SHA256Digest) {
        words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { bytes in
            hash.withUnsafeBytes { source in
                precondition(source.count == bytes.count, "SHA-256 has 32 bytes")
                bytes.copyMemory(from: source)
            }
        }
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    package var hexBytes: [UInt8] {
        var result: [UInt8] = []
        append(to: &result)
        return result
    }

    /// Appends the hexadecimal digits.
    func append(to result: inout [UInt8]) {
        result.reserveCapacity(result.count + 64)
        withUnsafeBytes(of: words) { bytes in
            for byte in bytes {
                result.append(hexDigit(byte >> 4))
                result.append(hexDigit(byte & 15))
            }
        }
    }

    package var hex: String { String(decoding: hexBytes, as: UTF8.self) }

    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> Digest {
        var stream = SHA256Stream()
        stream.update(bytes)
        return stream.finalize()
    }

    package static func sha256(_ bytes: some Collection<UInt8>) -> Digest {
        var stream = SHA256Stream()
        stream.update(bytes)
        return stream.finalize()
    }

    /// Of the UTF-8 bytes of a text.
    package static func sha256(_ text: String) -> Digest { sha256(text.utf8) }

    package static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) { withUnsafeBytes(of: words) { hasher.combine(bytes: $0) } }
}

extension Digest: CustomStringConvertible {
    package var description: String { hex }
}

/// SHA-256 over bytes that come in pieces.
package struct SHA256Stream {
    private var hash = SHA256()

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
    }

    package mutating func update(_ bytes: some Collection<UInt8>) {
        let isDone: Void? = bytes.withContiguousStorageIfAvailable {
            hash.update(bufferPointer: UnsafeRawBufferPointer($0))
        }
        if isDone == nil { Array(bytes).withUnsafeBytes { hash.update(bufferPointer: $0) } }
    }

    /// The digest of everything so far; the stream may go on.
    package func finalize() -> Digest { Digest(hash.finalize()) }
}
