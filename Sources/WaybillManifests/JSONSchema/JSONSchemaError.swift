/// Why a value is no schema, or one that cannot be used.
package struct JSONSchemaError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// A keyword's value is not what the keyword takes.
        case keyword
        /// A reference leads nowhere; nothing is fetched from a network.
        case reference
        /// `$schema` names a dialect or vocabulary that is not known here.
        case dialect
        /// A regular expression cannot be compiled.
        case pattern
        /// The schema is nested too deep, or has too many parts.
        case limit
    }

    package var code: Code
    package var message: String
    /// The URI of the document, empty for the schema itself.
    package var document: String
    /// The place in that document.
    package var pointer: JSONPointer

    package init(_ code: Code, _ message: String, document: String = "", pointer: JSONPointer = JSONPointer()) {
        self.code = code
        self.message = message
        self.document = document
        self.pointer = pointer
    }
}

extension JSONSchemaError: CustomStringConvertible {
    package var description: String { "\(document)#\(pointer): \(message)" }
}
