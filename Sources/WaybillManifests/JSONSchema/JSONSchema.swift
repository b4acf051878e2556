package import WaybillCore

/// A compiled schema of JSON Schema 2020-12 (https://json-schema.org/draft/2020-12).
///
/// Complete except for retrieval: references lead into the schema itself or into documents given with it.
/// Schemas of 2019-09, draft-07 and draft-06 are read by their own rules where `$schema` says so.
package struct JSONSchema: Sendable {
    package struct Options: Sendable {
        /// Whether `format` refuses values; if not it only describes, as the standard has it by default.
        package var assertsFormats: Bool

        package init(assertsFormats: Bool = true) {
            self.assertsFormats = assertsFormats
        }
    }

    /// A keyword that means nothing, in the schema itself; most likely a slip.
    package struct UnknownKeyword: Hashable, Sendable {
        package var name: String
        /// Of the keyword.
        package var pointer: JSONPointer
        /// What was probably meant.
        package var suggestion: String?
    }

    let nodes: [SchemaNode]
    let scopes: [SchemaScope]
    let tracksEvaluated: Bool
    package let unknownKeywords: [UnknownKeyword]

    /// - Parameters:
    ///   - schema: an object or a boolean.
    ///   - resources: other documents by their URI, for `$ref` and `$schema`.
    /// - Throws: `JSONSchemaError` with the place of the first keyword that cannot be used.
    package init(
        _ schema: Value, resources: [String: Value] = [:], options: Options = Options()
    ) throws(JSONSchemaError) {
        var compiler = try SchemaCompiler(schema, resources: resources, options: options)
        try compiler.run()
        nodes = compiler.nodes
        scopes = compiler.scopes
        tracksEvaluated = compiler.nodes.contains { $0.asksForEvaluated }
        unknownKeywords = compiler.unknownKeywords
    }

    /// Everything that is wrong with a value, in the order of the schema; empty if it is valid. At most 100.
    /// - Parameter echoesValues: whether messages may quote the value; not for what is sensitive.
    package func validate(_ instance: Value, echoesValues: Bool = true) -> [SchemaViolation] {
        var evaluation = SchemaEvaluation(self, collects: true, echoesValues: echoesValues)
        return evaluation.run(instance) ? [] : evaluation.violations
    }

    /// Whether `validate` finds nothing; stops at the first thing it finds.
    package func isValid(_ instance: Value) -> Bool {
        var evaluation = SchemaEvaluation(self, collects: false, echoesValues: false)
        return evaluation.run(instance)
    }
}
