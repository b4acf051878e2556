/// One way in which a value misses a schema.
package struct SchemaViolation: Hashable, Sendable {
    /// The place in the value.
    package var instance: JSONPointer
    /// The place of the keyword, as a URI reference: `#/properties/coverage/type`.
    package var schema: String
    /// What is wrong there: `expected number, got string`.
    package var reason: String
    /// The place in the value as people write it: `coverage`, `rows[3].name`; empty for the value itself.
    package var path: String

    package init(instance: JSONPointer, schema: String, reason: String, path: String) {
        self.instance = instance
        self.schema = schema
        self.reason = reason
        self.path = path
    }

    /// `coverage: expected number, got string`
    package var message: String { path.isEmpty ? reason : "\(path): \(reason)" }
}

extension SchemaViolation: CustomStringConvertible {
    package var description: String { message }
}
