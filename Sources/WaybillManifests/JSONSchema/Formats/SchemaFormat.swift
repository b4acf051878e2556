/// The formats of JSON Schema 2020-12 (validation, section 7.3), all of which are asserted.
package enum SchemaFormat: String, Sendable, CaseIterable {
    case dateTime = "date-time"
    case date
    case time
    case duration
    case email
    case internationalEmail = "idn-email"
    case hostname
    case internationalHostname = "idn-hostname"
    case ipv4
    case ipv6
    case uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uuid
    case uriTemplate = "uri-template"
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"
    case regex

    /// Whether a string has the format.
    package func accepts(_ text: String) -> Bool {
        switch self {
        case .dateTime: TimeFormats.isDateTime(text)
        case .date: TimeFormats.isDate(text)
        case .time: TimeFormats.isTime(text)
        case .duration: TimeFormats.isDuration(text)
        case .email: MailFormats.isAddress(text, allowsUnicode: false)
        case .internationalEmail: MailFormats.isAddress(text, allowsUnicode: true)
        case .hostname: HostFormats.isHostname(text, allowsUnicode: false)
        case .internationalHostname: HostFormats.isHostname(text, allowsUnicode: true)
        case .ipv4: HostFormats.isIPv4(text.utf8)
        case .ipv6: HostFormats.isIPv6(text.utf8)
        case .uri: URIFormats.isURI(text, allowsUnicode: false, allowsRelative: false)
        case .uriReference: URIFormats.isURI(text, allowsUnicode: false, allowsRelative: true)
        case .iri: URIFormats.isURI(text, allowsUnicode: true, allowsRelative: false)
        case .iriReference: URIFormats.isURI(text, allowsUnicode: true, allowsRelative: true)
        case .uuid: TextFormats.isUUID(text)
        case .uriTemplate: URIFormats.isTemplate(text)
        case .jsonPointer: JSONPointer(text) != nil
        case .relativeJSONPointer: TextFormats.isRelativePointer(text)
        case .regex: ECMAGrammar.accepts(text)
        }
    }
}
