/// Cuts chunks of bytes into lines; keeps at most one unfinished line in memory.
struct LineSplitter {
    /// The unfinished line; of one that is too long only its beginning.
    private var carry: [UInt8] = []
    /// Where the unfinished line begins.
    private(set) var lineOffset: Int
    /// Where the next chunk begins.
    private(set) var offset: Int

    init(offset: Int) {
        lineOffset = offset
        self.offset = offset
    }

    /// Calls `body` with each line that ends in this chunk, without its newline, and with the offset it begins at.
    mutating func feed(_ chunk: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer, Int) -> Void) {
        var start = 0
        while let end = Self.first(UInt8(ascii: "\n"), in: chunk, from: start) {
            let piece = UnsafeRawBufferPointer(rebasing: chunk[start..<end])
            if carry.isEmpty {
                body(piece, lineOffset)
            } else {
                keep(piece)
                carry.withUnsafeBytes { body($0, lineOffset) }
                carry.removeAll(keepingCapacity: true)
            }
            start = end + 1
            lineOffset = offset + start
        }
        keep(UnsafeRawBufferPointer(rebasing: chunk[start...]))
        offset += chunk.count
    }

    /// What stands behind the last newline, which may be nothing.
    func unfinished(_ body: (UnsafeRawBufferPointer) -> Void) {
        carry.withUnsafeBytes(body)
    }

    /// A line beyond the limit is bad whatever it holds; one byte more than the limit is enough to know.
    private mutating func keep(_ piece: UnsafeRawBufferPointer) {
        carry.append(contentsOf: piece.prefix(EntryCodec.longestLine + 1 - carry.count))
    }

    /// Where a byte stands first. Looks at eight at a time (H. S. Warren, "Hacker's Delight", section 6-1: find a zero
    /// byte).
    static func first(_ byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let low: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        let wanted = low &* UInt64(byte)
        var index = start
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ wanted
            let zeros = (word &- low) & ~word & high
            if zeros != 0 { return index + zeros.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < bytes.count {
            if bytes[index] == byte { return index }
            index += 1
        }
        return nil
    }
}
