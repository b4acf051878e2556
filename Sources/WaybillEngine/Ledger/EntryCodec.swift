import WaybillCore

/// Entries as lines and back. There is exactly one line for an entry, so that its digest means something.
package enum EntryCodec {
    /// No line is longer; whatever is large lives in artifacts.
    package static let longestLine = 16 << 20
    /// Most lines find room in so many bytes.
    private static let usualLine = 384
    /// `data` may nest as deep as JSON by default; the entry is one level more.
    private static let limits = JSON.Limits(depth: JSON.Limits.standard.depth + 1, bytes: longestLine)

    /// The line without its newline: members in the contract's order, absent ones omitted, `data` always there.
    package static func line(_ entry: Entry) -> [UInt8] {
        var writer = JSONWriter(capacity: usualLine)
        writer.beginObject()
        writer.member("seq", entry.seq)
        writer.member("ts", entry.ts)
        writer.member("type", entry.type.rawValue)
        writer.member("actor", entry.actor.rawValue)
        if let by = entry.by { writer.member("by", by) }
        if let step = entry.step { writer.member("step", step) }
        if let visit = entry.visit { writer.member("visit", visit) }
        if let attempt = entry.attempt { writer.member("attempt", attempt) }
        if let of = entry.of { writer.member("of", of) }
        writer.member("data", entry.data)
        writer.member("prev", entry.prev)
        writer.endObject()
        return writer.finish()
    }

    /// Reads a line without its newline.
    /// - Throws: `LedgerError` with code `malformed` unless these are exactly the bytes that `line(_:)` writes for
    ///   the entry: other orders and spellings of the same members are refused.
    package static func parse(_ line: UnsafeRawBufferPointer) throws(LedgerError) -> Entry {
        var reader = EntryReader(line)
        if let entry = reader.entry() { return entry }
        return try parseAny(line)
    }

    /// As `parse(_:)`, by way of the JSON value: for whatever `EntryReader` leaves, and to say what is wrong.
    static func parseAny(_ line: UnsafeRawBufferPointer) throws(LedgerError) -> Entry {
        let value: Value
        do {
            value = try JSON.parse(line, limits: limits)
        } catch {
            throw LedgerError(.malformed, "the line is not JSON: \(error.message)")
        }
        guard case .object(let object) = value else {
            throw LedgerError(.malformed, "the line is no JSON object")
        }
        let entry = try entry(object)
        let isSame = self.line(entry).withUnsafeBytes { $0.elementsEqual(line) }
        guard isSame else {
            throw LedgerError(.malformed, "the line is not spelled as an entry is written")
        }
        return entry
    }

    package static func parse(_ line: [UInt8]) throws(LedgerError) -> Entry {
        let result = line.withUnsafeBytes { raw in Result { () throws(LedgerError) in try parse(raw) } }
        return try result.get()
    }

    private static func entry(_ object: Object) throws(LedgerError) -> Entry {
        guard let seq = try count("seq", in: object), let data = object["data"]?.objectValue,
            let type = object["type"]?.stringValue.map(EntryType.init(rawValue:)), type.isWellFormed,
            let actor = object["actor"]?.stringValue.map(Actor.init(rawValue:)), actor.isWellFormed,
            let ts = object["ts"]?.stringValue.flatMap(Timestamp.init(rfc3339:)),
            let prev = object["prev"]?.stringValue.flatMap(Digest.init(hex:))
        else { throw LedgerError(.malformed, "seq, ts, type, actor, data or prev is missing or wrong") }
        return Entry(
            seq: seq, ts: ts, type: type, actor: actor, by: try text("by", in: object),
            step: try text("step", in: object), visit: try count("visit", in: object),
            attempt: try count("attempt", in: object), of: try count("of", in: object), data: data, prev: prev)
    }

    private static func text(_ name: String, in object: Object) throws(LedgerError) -> String? {
        guard let value = object[name] else { return nil }
        guard case .string(let text) = value else { throw LedgerError(.malformed, "\(name) is no string") }
        return text
    }

    private static func count(_ name: String, in object: Object) throws(LedgerError) -> Int? {
        guard let value = object[name] else { return nil }
        guard case .int(let number) = value, number >= 1, number < Int64.max else {
            throw LedgerError(.malformed, "\(name) is no number from 1")
        }
        return Int(number)
    }
}
