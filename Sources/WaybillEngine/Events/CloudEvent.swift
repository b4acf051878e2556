package import WaybillCore
import WaybillManifests

/// Why something is no event that can be accepted.
package struct CloudEventError: Error, Hashable, Sendable {
    /// `schema` or `size`.
    package var kind: RefusalKind
    /// Which member, and what is wrong with it.
    package var message: String
}

/// An event of CloudEvents 1.0.2 in its JSON format ("structured mode"), checked.
///
/// Attributes that are `null` are left out, as the JSON format, section 2.2, says of them.
package struct CloudEvent: Sendable, Hashable {
    /// The most bytes an event may have as compact JSON: it stands in one line of the journal.
    package static let largestSize = 64 << 10

    /// The complete event: what `event` is in expressions, and the output of a step that waited for it.
    package let object: Object
    package let id: String
    /// A URI reference. `(source, id)` is the event's identity.
    package let source: String
    package let type: String
    /// The extension attribute `key`: an equality that waits are indexed by.
    package let key: String?
    /// Bytes as compact JSON.
    package let size: Int

    /// Checks an event as it was read from JSON or made by an expression.
    package init(_ value: Value) throws(CloudEventError) {
        guard var object = value.objectValue else {
            throw .schema("expected a map with specversion, id, source and type, got \(value.kindName)")
        }
        let data = object["data"]
        for (name, value) in object where value.isNull { object[name] = Optional<Value>.none }
        // Data may be null; an attribute that is null is unset.
        object["data"] = data
        for (name, value) in object { try Self.check(name, value) }
        if object["data"] != nil, object["data_base64"] != nil {
            throw .schema("data, data_base64: only one of the two may be there")
        }
        guard object["specversion"] == .string("1.0") else {
            let given = object["specversion"].map { ", got \(Self.shown($0))" } ?? ""
            throw .schema("specversion: expected \"1.0\"\(given)")
        }
        id = try Self.required("id", in: object)
        source = try Self.required("source", in: object)
        type = try Self.required("type", in: object)
        key = object["key"]?.stringValue
        self.object = object
        if ValueLimits.isTooDeep(.object(object)) {
            throw .schema("data: is nested deeper than \(ValueLimits.depth) levels")
        }
        size = JSON.compact(.object(object)).count
        if size > Self.largestSize {
            throw CloudEventError(
                kind: .size, message: "the event has \(size) bytes, and at most \(Self.largestSize) are accepted")
        }
    }

    package var value: Value { .object(object) }

    private static func required(_ name: String, in object: Object) throws(CloudEventError) -> String {
        guard let text = object[name]?.stringValue else { throw .schema("\(name): is missing") }
        return text
    }
}

extension CloudEventError {
    fileprivate static func schema(_ message: String) -> CloudEventError {
        CloudEventError(kind: .schema, message: message)
    }
}

// MARK: - Attributes

extension CloudEvent {
    /// Members that are no attributes.
    private static let dataMembers = ["data", "data_base64"]
    /// Attributes that the specification names; all of them are strings.
    private static let known = [
        "id", "source", "specversion", "type", "datacontenttype", "dataschema", "subject", "time", "key",
    ]

    /// Checks one member by its name (CloudEvents 1.0.2, sections "Context Attributes" and "Type System").
    private static func check(_ name: String, _ value: Value) throws(CloudEventError) {
        if name == "data" { return }
        if name == "data_base64" {
            guard let text = value.stringValue, isBase64(text) else {
                throw .schema("data_base64: expected a string in base64, got \(shown(value))")
            }
            return
        }
        guard !name.isEmpty, name.utf8.allSatisfy({ isLowerCase($0) || isDigit($0) }) else {
            let near = Suggestion.hint(for: name, among: known + dataMembers).map { "; \($0)" } ?? ""
            throw .schema("\(shown(.string(name))): attribute names are lower-case letters and digits\(near)")
        }
        switch value {
        case .string(let text): try check(name, text)
        case .bool where !known.contains(name): break
        case .int(let number) where !known.contains(name):
            guard Int64(Int32.min)...Int64(Int32.max) ~= number else {
                throw .schema("\(name): integers have 32 bits, got \(number); write it as a string")
            }
        default:
            let expected = known.contains(name) ? "string" : "string, boolean or integer"
            throw .schema("\(name): expected \(expected), got \(value.kindName); what has structure belongs in data")
        }
    }

    private static func check(_ name: String, _ text: String) throws(CloudEventError) {
        guard !text.unicodeScalars.contains(where: { isForbidden($0.value) }) else {
            throw .schema("\(name): holds a control character")
        }
        // An extension may be empty; what the specification names may not, and an empty key equals nothing asked for.
        if text.isEmpty, known.contains(name) { throw .schema("\(name): is empty") }
        let expected: String?
        switch name {
        case "source": expected = SchemaFormat.uriReference.accepts(text) ? nil : "a URI reference"
        case "dataschema": expected = SchemaFormat.uri.accepts(text) ? nil : "a URI"
        case "time":
            expected = Timestamp(rfc3339: text) != nil ? nil : "a time such as 2026-11-20T10:15:00Z"
        case "datacontenttype": expected = isMediaType(text) ? nil : "a media type such as application/json"
        default: expected = nil
        }
        if let expected { throw .schema("\(name): expected \(expected), got \(shown(.string(text)))") }
    }

    /// Control characters and code points that are no characters.
    private static func isForbidden(_ value: UInt32) -> Bool {
        value < 0x20 || (0x7F...0x9F).contains(value) || (0xFDD0...0xFDEF).contains(value) || value & 0xFFFE == 0xFFFE
    }

    /// `type/subtype`, and perhaps parameters (RFC 2045, section 5.1).
    private static func isMediaType(_ text: String) -> Bool {
        let name = text.utf8.prefix { $0 != UInt8(ascii: ";") }
        let halves = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard halves.count == 2 else { return false }
        let subtype = halves[1].last == UInt8(ascii: " ") ? halves[1].dropLast() : halves[1]
        return [halves[0], subtype].allSatisfy { half in
            !half.isEmpty && half.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#"()<>@,;:\"/[]?="#.utf8.contains($0) }
        }
    }

    /// RFC 4648, section 4, with its padding.
    private static func isBase64(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.count % 4 == 0 else { return false }
        let padding = bytes.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        return padding <= 2
            && bytes.dropLast(padding).allSatisfy {
                isLowerCase($0 | 0x20) || isDigit($0) || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/")
            }
    }

    private static func isLowerCase(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func shown(_ value: Value) -> String {
        let text = String(decoding: JSON.compact(value), as: UTF8.self)
        return text.utf8.count > 80 ? "a \(value.kindName) of \(text.utf8.count) bytes" : text
    }
}

// MARK: - Identity

extension CloudEvent {
    /// 16 bytes of SHA-256: enough to tell events apart, and few enough to remember all of them.
    package var identity: UInt128 { Self.identity(source: source, id: id) }

    /// Of `source` and `id`, which together name one event for ever.
    package static func identity(source: String, id: String) -> UInt128 {
        // As JSON, so that nothing can be moved from one into the other.
        digest(JSON.compact([.string(source), .string(id)]))
    }

    /// Of everything the event says, however it was spelled.
    package var content: UInt128 { Self.content(of: object) }

    package static func content(of object: Object) -> UInt128 {
        // Numbers without RFC 8785 form (infinities) have no JSON either, so none of them is in an event.
        digest((try? JSON.canonical(.object(object))) ?? JSON.compact(.object(object)))
    }

    private static func digest(_ bytes: [UInt8]) -> UInt128 {
        Digest.sha256(bytes).bytes.prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}
