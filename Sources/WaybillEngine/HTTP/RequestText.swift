import WaybillCore
package import WaybillManifests

/// A text of a request, its URL or its body, in which secrets may stand: each is `***` until the request is sent.
package struct RequestText: Hashable, Sendable {
    /// How a text is written where it stands.
    package enum Spelling: String, Sendable {
        case plain
        /// Within the quotation marks of a JSON string.
        case json
        case form
        case query

        package func spell(_ text: String) -> String {
            switch self {
            case .plain: text
            case .json: String(decoding: JSON.compact(.string(text)).dropFirst().dropLast(), as: UTF8.self)
            case .form: FormText.encode(text)
            case .query: PercentText.encode(text)
            }
        }
    }

    /// Where a secret belongs: `{"at":7,"secret":"forge","as":"json"}` in a record.
    package struct Place: Hashable, Sendable {
        /// How many bytes of the text come before its `***`.
        package var at: Int
        /// The secret's name.
        package var secret: String
        package var spelling: Spelling

        package init(at: Int, secret: String, spelling: Spelling) {
            self.at = at
            self.secret = secret
            self.spelling = spelling
        }

        /// - Returns: nil for what no version of Waybill wrote.
        init?(_ record: Value) {
            guard let at = record["at"]?.intValue, let secret = record["secret"]?.stringValue,
                let spelling = record["as"]?.stringValue.flatMap(Spelling.init)
            else { return nil }
            self.init(at: Int(at), secret: secret, spelling: spelling)
        }

        var record: Value { ["at": .int(Int64(at)), "secret": .string(secret), "as": .string(spelling.rawValue)] }
    }

    private static let mark = "***"

    package private(set) var text: String
    /// In the order of the text.
    package private(set) var places: [Place] = []

    package init(_ text: String = "") { self.text = text }

    package mutating func append(_ part: String) { text += part }

    mutating func append(_ part: RequestText) {
        let length = text.utf8.count
        places += part.places.map { Place(at: length + $0.at, secret: $0.secret, spelling: $0.spelling) }
        text += part.text
    }

    package mutating func append(_ secret: SecretText, as spelling: Spelling) {
        text += spelling.spell(secret.prefix)
        places.append(Place(at: text.utf8.count, secret: secret.secret, spelling: spelling))
        text += Self.mark
    }

    /// `name=value&...`, secrets last.
    static func fields(
        _ fields: [HTTPRequestValues.Named], _ secrets: [SecretField], as spelling: Spelling
    ) -> RequestText {
        var made = RequestText(
            fields.map { "\(spelling.spell($0.name))=\(spelling.spell($0.value))" }.joined(separator: "&"))
        for field in secrets {
            made.append("\(made.text.isEmpty ? "" : "&")\(spelling.spell(field.name))=")
            made.append(field.text, as: spelling)
        }
        return made
    }

    /// Puts secrets into their places in a recorded text.
    ///
    /// - Returns: nil where the text has no place there.
    package static func fill(_ text: [UInt8], _ places: [Place], with secrets: [String: String]) -> [UInt8]? {
        var filled: [UInt8] = []
        var done = 0
        for place in places {
            guard place.at >= done, text[done...].dropFirst(place.at - done).starts(with: mark.utf8),
                let secret = secrets[place.secret]
            else { return nil }
            filled += text[done..<place.at]
            filled += place.spelling.spell(secret).utf8
            done = place.at + mark.utf8.count
        }
        return filled + text[done...]
    }
}
