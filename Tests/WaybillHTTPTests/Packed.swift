import Testing

/// Compressed bodies (RFC 1950 to 1952).
struct Packed: Sendable, CustomTestStringConvertible {
    let encoding: String
    let bytes: [UInt8]
    var testDescription: String { encoding }

    /// `{"hello":"packed"}`.
    static let samples = [
        Packed(
            encoding: "gzip",
            bytes: [
                0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0xCA, 0x48, 0xCD, 0xC9, 0xC9,
                0x57, 0xB2, 0x52, 0x2A, 0x48, 0x4C, 0xCE, 0x4E, 0x4D, 0x51, 0xAA, 0x05, 0x00, 0xE9, 0xA1, 0x62, 0xDC,
                0x12, 0x00, 0x00, 0x00,
            ]),
        Packed(
            encoding: "deflate",
            bytes: [
                0x78, 0xDA, 0xAB, 0x56, 0xCA, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xB2, 0x52, 0x2A, 0x48, 0x4C, 0xCE, 0x4E,
                0x4D, 0x51, 0xAA, 0x05, 0x00, 0x3A, 0xFA, 0x06, 0x37,
            ]),
    ]

    /// Zeros without an end, about 160 times as many as the bytes they are packed in: one block of fixed codes
    /// (RFC 1951, section 3.2.6), one literal and then nothing but "the last byte, 258 times".
    static func bomb(unpackingTo size: Int) -> Packed {
        var bits = BitWriter()
        bits.append(0b1, count: 1)
        bits.append(0b01, count: 2)
        bits.append(reversed: 0b0011_0000, count: 8)
        for _ in 0..<(size / 258 + 1) {
            bits.append(reversed: 0b1100_0101, count: 8)
            bits.append(reversed: 0, count: 5)
        }
        return Packed(encoding: "deflate", bytes: [0x78, 0x01] + bits.bytes)
    }

    private struct BitWriter {
        var bytes: [UInt8] = []
        private var used = 8

        /// From the lowest bit.
        mutating func append(_ value: UInt16, count: Int) {
            for index in 0..<count { append(value >> index & 1 == 1) }
        }

        /// From the highest bit, as codes are written.
        mutating func append(reversed value: UInt16, count: Int) {
            for index in (0..<count).reversed() { append(value >> index & 1 == 1) }
        }

        private mutating func append(_ bit: Bool) {
            if used == 8 {
                bytes.append(0)
                used = 0
            }
            if bit { bytes[bytes.count - 1] |= 1 << used }
            used += 1
        }
    }
}
