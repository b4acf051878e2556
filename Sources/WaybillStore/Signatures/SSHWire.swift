/// Reads the binary form in which SSH writes keys and signatures (RFC 4251, section 5).
struct SSHWire {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    /// Takes exactly these bytes; false if others stand there.
    mutating func take(_ expected: some Collection<UInt8>) -> Bool {
        guard rest.starts(with: expected) else { return false }
        rest = rest.dropFirst(expected.count)
        return true
    }

    /// `uint32`; nil at the end.
    mutating func number() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// `string`; nil if it is cut off.
    mutating func string() -> [UInt8]? {
        guard let length = number(), rest.count >= Int(length) else { return nil }
        defer { rest = rest.dropFirst(Int(length)) }
        return Array(rest.prefix(Int(length)))
    }

    /// A `string` that is text.
    mutating func text() -> String? { string().flatMap { String(validating: $0, as: UTF8.self) } }

    /// `mpint` that is not negative, without leading zeros.
    mutating func magnitude() -> [UInt8]? {
        guard let bytes = string(), (bytes.first ?? 0) < 0x80 else { return nil }
        return Array(bytes.drop { $0 == 0 })
    }

    /// Bytes as a `string`.
    static func string(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let length = UInt32(bytes.count)
        return [UInt8(length >> 24), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)] + bytes
    }

    /// Base64 (RFC 4648, section 4) with its padding, white space aside; nil for anything else.
    static func base64(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in text where ![0x20, 0x09, 0x0A, 0x0D].contains(byte) {
            if byte == UInt8(ascii: "=") {
                padding += 1
                bits <<= 6
            } else {
                guard padding == 0, let digit = digit(byte) else { return nil }
                bits = bits << 6 | UInt32(digit)
            }
            count += 1
            guard count % 4 == 0 else { continue }
            guard padding <= 2 else { return nil }
            bytes += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)].prefix(3 - padding)
            bits = 0
        }
        return count % 4 == 0 ? bytes : nil
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// Base64 without padding, as SSH writes fingerprints.
    static func unpaddedBase64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = (part + [0, 0]).prefix(3).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            text += [18, 12, 6, 0].map { digits[Int(bits >> UInt32($0) & 63)] }.prefix(part.count + 1)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
