/// JSON as Waybill reads and writes it: strict RFC 8259 in, three deterministic spellings out.
///
/// - `compact`: one line, for ledgers and hashes of files.
/// - `pretty`: two-space indent and a final newline, for files people read.
/// - `canonical`: RFC 8785, for digests of values.
package enum JSON {
    /// What a reader accepts beyond the grammar. Every bound is checked before memory is spent on it.
    package struct Limits: Sendable, Hashable {
        /// How many lists and objects may stand inside each other; at most `deepest`.
        package var depth: Int
        /// How many bytes a document may have.
        package var bytes: Int
        /// Whether the later of two members with one name counts; if not, duplicates are refused.
        package var allowsDuplicateMembers: Bool

        package init(depth: Int = 128, bytes: Int = 64 << 20, allowsDuplicateMembers: Bool = false) {
            self.depth = min(depth, Self.deepest)
            self.bytes = bytes
            self.allowsDuplicateMembers = allowsDuplicateMembers
        }

        package static let standard = Limits()
        /// The reader descends by recursion; this keeps it well inside the smallest stack of a thread.
        package static let deepest = 1024
    }

    /// Reads one document.
    /// - Throws: `JSONError` with the place of the first byte that is wrong, also for bytes behind the document.
    package static func parse(_ bytes: [UInt8], limits: Limits = .standard) throws(JSONError) -> Value {
        let result = bytes.withUnsafeBytes { raw in Result { () throws(JSONError) in try parse(raw, limits: limits) } }
        return try result.get()
    }

    package static func parse(_ text: String, limits: Limits = .standard) throws(JSONError) -> Value {
        var text = text
        let result = text.withUTF8 { utf8 in
            Result { () throws(JSONError) in try parse(UnsafeRawBufferPointer(utf8), limits: limits) }
        }
        return try result.get()
    }

    package static func parse(_ bytes: UnsafeRawBufferPointer, limits: Limits = .standard) throws(JSONError) -> Value {
        try read(bytes, limits).value
    }

    /// A document, and whether it is surely spelled as `compact` writes it.
    private static func read(
        _ bytes: UnsafeRawBufferPointer, _ limits: Limits
    ) throws(JSONError) -> (value: Value, isCompact: Bool) {
        var parser = JSONParser(bytes, limits: limits)
        do {
            return (try parser.document(), parser.isCompact)
        } catch {
            throw JSONError(error, in: bytes)
        }
    }

    /// Reads one document that must be spelled as `compact` writes it.
    ///
    /// Most are seen to be while they are read; the others are written again and compared.
    /// - Returns: nil for another spelling.
    /// - Throws: as `parse(_:limits:)`.
    package static func parseCompact(
        _ bytes: UnsafeRawBufferPointer, limits: Limits = .standard
    ) throws(JSONError) -> Value? {
        let (value, isCompact) = try read(bytes, limits)
        if isCompact { return value }
        return compact(value).withUnsafeBytes { $0.elementsEqual(bytes) } ? value : nil
    }

    /// One line without a newline; members sorted by code point; doubles always with a fraction or an exponent.
    ///
    /// JSON has no spelling for infinities and NaN: they become `null`, as ECMAScript's `JSON.stringify` has it.
    /// Whoever accepts values from outside refuses them first (`canonical` does).
    package static func compact(_ value: Value) -> [UInt8] {
        var writer = JSONWriter(style: .compact)
        writer.value(value)
        return writer.finish()
    }

    /// Two-space indent and a final newline, otherwise as `compact`.
    package static func pretty(_ value: Value) -> [UInt8] {
        var writer = JSONWriter(style: .pretty)
        writer.value(value)
        return writer.finish()
    }
}
