import WaybillCore

/// The members of an entry that can be found without reading the others.
///
/// Eight bytes are compared at a time, and `data` is looked for: passing over everything before it byte by byte took 19 % of
/// a verification, nearly as much as the hash.
struct EntryFrame {
    var seq: Int
    var time: UnsafeRawBufferPointer
    var of: Int?
    var prev: Digest

    init?(_ line: UnsafeRawBufferPointer) {
        // {"seq":17,"ts":"2026-11-20T10:15:03.214159Z","type":...,"of":3,"data":{...},"prev":"<64 digits>"}
        let tail = line.count - 75
        guard tail > 0, Self.stands(#"{"seq":"#, in: line, at: 0), Self.stands(#","prev":""#, in: line, at: tail),
            Self.stands(#""}"#, in: line, at: line.count - 2),
            let prev = Digest(hexBytes: UnsafeRawBufferPointer(rebasing: line[(tail + 9)..<(line.count - 2)]))
        else { return nil }
        var position = 7
        guard let seq = Self.number(line, at: &position), position + 35 < tail,
            Self.stands(#","ts":""#, in: line, at: position)
        else { return nil }
        self.seq = seq
        self.prev = prev
        position += 7
        time = UnsafeRawBufferPointer(rebasing: line[position..<position + Timestamp.spellingLength])
        position += Timestamp.spellingLength
        guard Self.stands(#"","type":"#, in: line, at: position),
            let data = Self.data(in: UnsafeRawBufferPointer(rebasing: line[..<tail]), from: position)
        else { return nil }
        var digits = data
        while line[digits - 1].isDigit { digits -= 1 }
        guard digits < data, Self.stands(#","of":"#, in: line, at: digits - 6) else { return }
        guard let of = Self.number(line, at: &digits), digits == data else { return nil }
        self.of = of
    }

    /// Where `data` begins. A quote inside a JSON string is escaped, so what looks like the end of one value and the
    /// beginning of the next member is exactly that.
    private static func data(in line: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var position = start
        while let brace = LineSplitter.first(UInt8(ascii: "{"), in: line, from: position) {
            if stands(#","data":"#, in: line, at: brace - 8) { return brace - 8 }
            position = brace + 1
        }
        return nil
    }

    /// Whether a text stands at a place of a line. Slices that are compared as sequences cost more than the hash.
    @inline(__always)
    private static func stands(_ text: StaticString, in line: UnsafeRawBufferPointer, at position: Int) -> Bool {
        let expected = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard position >= 0, line.count - position >= expected.count else { return false }
        var index = 0
        while index + 8 <= expected.count {
            let word = line.loadUnaligned(fromByteOffset: position + index, as: UInt64.self)
            if word != expected.loadUnaligned(fromByteOffset: index, as: UInt64.self) { return false }
            index += 8
        }
        while index < expected.count {
            if line[position + index] != expected[index] { return false }
            index += 1
        }
        return true
    }

    private static func number(_ line: UnsafeRawBufferPointer, at position: inout Int) -> Int? {
        let start = position
        var value = 0
        while position < line.count, line[position].isDigit, position - start < 18 {
            value = value * 10 + Int(line[position] - UInt8(ascii: "0"))
            position += 1
        }
        return position > start && line[start] != UInt8(ascii: "0") ? value : nil
    }
}
