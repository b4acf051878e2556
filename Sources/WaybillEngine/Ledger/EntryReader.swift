import WaybillCore

/// Reads a line as `EntryCodec.line(_:)` writes nearly all of them. Nothing is sorted, and nothing is written again to
/// compare it: of the simulator's time, which reads ledgers all day, lines took 14 % by way of the JSON value, and take 4 %.
///
/// It knows no errors. Whatever it does not take at once, an escape in a name for example, is for `EntryCodec.parseAny`.
struct EntryReader {
    /// `,"prev":"`, 64 digits and `"}`.
    private static let tailLength = 9 + 64 + 2

    private let line: UnsafeRawBufferPointer
    private var position = 0

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    /// - Returns: nil if another reader has to look at the line, and `EntryCodec.line(_:)` of the entry is the line
    ///   otherwise.
    mutating func entry() -> Entry? {
        guard line.count <= EntryCodec.longestLine, take(#"{"seq":"#), let seq = count(), take(#","ts":""#),
            let ts = time(), take(#"","type":""#), let type = text().map(EntryType.init(rawValue:)), type.isWellFormed,
            take(#","actor":""#), let actor = text().map(Actor.init(rawValue:)), actor.isWellFormed
        else { return nil }
        var by: String?
        var step: String?
        var visit: Int?
        var attempt: Int?
        var of: Int?
        guard optional(#","by":""#, &by, { $0.text() }), optional(#","step":""#, &step, { $0.text() }),
            optional(#","visit":"#, &visit, { $0.count() }), optional(#","attempt":"#, &attempt, { $0.count() }),
            optional(#","of":"#, &of, { $0.count() }), take(#","data":"#), let (data, prev) = dataAndTail()
        else { return nil }
        return Entry(
            seq: seq, ts: ts, type: type, actor: actor, by: by, step: step, visit: visit, attempt: attempt, of: of,
            data: data, prev: prev)
    }

    /// A member that may be absent; false if it is there and cannot be read.
    private mutating func optional<Member>(
        _ name: StaticString, _ member: inout Member?, _ read: (inout Self) -> Member?
    ) -> Bool {
        guard take(name) else { return true }
        member = read(&self)
        return member != nil
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard line.count - position >= count else { return false }
        for index in 0..<count where line[position + index] != text.utf8Start[index] { return false }
        position += count
        return true
    }

    /// A number from 1.
    private mutating func count() -> Int? {
        let start = position
        var number = 0
        while position < line.count, position - start < 18 {
            let digit = line[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            number = number * 10 + Int(digit)
            position += 1
        }
        return position > start && line[start] != UInt8(ascii: "0") ? number : nil
    }

    /// A string in printable ASCII that needs no escape, with the quote behind it.
    private mutating func text() -> String? {
        let start = position
        while position < line.count {
            let byte = line[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return String(decoding: line[start..<position], as: UTF8.self)
            }
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        return nil
    }

    /// Without the quote behind it.
    private mutating func time() -> Timestamp? {
        let end = position + Timestamp.spellingLength
        guard line.count >= end,
            let time = Timestamp(spelling: UnsafeRawBufferPointer(rebasing: line[position..<end]))
        else { return nil }
        position = end
        return time
    }

    /// What is left of the line: its last member has a fixed length.
    private mutating func dataAndTail() -> (Object, Digest)? {
        let end = line.count - Self.tailLength
        guard end > position else { return nil }
        let spelling = UnsafeRawBufferPointer(rebasing: line[position..<end])
        position = end
        guard take(#","prev":""#),
            let prev = Digest(hexBytes: UnsafeRawBufferPointer(rebasing: line[position..<position + 64]))
        else { return nil }
        position += 64
        guard take(#""}"#), let data = try? JSON.parseCompact(spelling, limits: .standard),
            case .object(let object) = data
        else { return nil }
        return (object, prev)
    }
}
