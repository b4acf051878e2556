import WaybillCore

/// What the keywords of a resource mean: its `$schema`.
struct SchemaDialect: Hashable, Sendable {
    var hasApplicators = true
    var hasUnevaluated = true
    var hasValidation = true
    /// Whether the dialect itself demands that formats are asserted.
    var assertsFormats = false
    /// Before 2020-12: a list in `items` is what `prefixItems` is now, and `additionalItems` is its rest.
    var hasOldItems = false
    /// Before 2019-09: what stands beside `$ref` is ignored.
    var referenceStandsAlone = false

    static let current = SchemaDialect()

    private static let vocabularies = "https://json-schema.org/draft/2020-12/vocab/"
    private static let annotations: Set<String> = ["meta-data", "content", "format-annotation", "core"]

    /// The dialects known by name.
    static func known(_ uri: String) -> SchemaDialect? {
        let name = uri.hasSuffix("#") ? String(uri.dropLast()) : uri
        switch name {
        case "https://json-schema.org/draft/2020-12/schema": return .current
        case "https://json-schema.org/draft/2019-09/schema": return SchemaDialect(hasOldItems: true)
        case "http://json-schema.org/draft-07/schema", "http://json-schema.org/draft-06/schema":
            return SchemaDialect(hasUnevaluated: false, hasOldItems: true, referenceStandsAlone: true)
        default: return nil
        }
    }

    /// The dialect that a meta-schema describes by its `$vocabulary`; nil with the name of one that must be
    /// understood and is not.
    static func described(by metaSchema: Value) -> (dialect: SchemaDialect?, unknown: String?) {
        guard let names = metaSchema["$vocabulary"]?.objectValue else { return (.current, nil) }
        var dialect = SchemaDialect(hasApplicators: false, hasUnevaluated: false, hasValidation: false)
        for (uri, isRequired) in names {
            let name = uri.hasPrefix(vocabularies) ? String(uri.dropFirst(vocabularies.count)) : ""
            switch name {
            case "applicator": dialect.hasApplicators = true
            case "unevaluated": dialect.hasUnevaluated = true
            case "validation": dialect.hasValidation = true
            case "format-assertion": dialect.assertsFormats = true
            case _ where annotations.contains(name): break
            default: if isRequired == .bool(true) { return (nil, uri) }
            }
        }
        return (dialect, nil)
    }
}

/// Where schemas stand inside a schema.
enum SchemaKeywords {
    static let single: Set<String> = [
        "items", "additionalItems", "unevaluatedItems", "contains", "additionalProperties", "unevaluatedProperties",
        "propertyNames", "not", "if", "then", "else", "contentSchema",
    ]
    static let lists: Set<String> = ["allOf", "anyOf", "oneOf", "prefixItems", "items"]
    static let maps: Set<String> = [
        "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies",
    ]
    /// Keywords that hold no schema.
    static let plain: Set<String> = [
        "$schema", "$id", "$anchor", "$dynamicAnchor", "$ref", "$dynamicRef", "$vocabulary", "$comment",
        "$recursiveRef", "$recursiveAnchor", "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum",
        "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems",
        "maxContains", "minContains", "maxProperties", "minProperties", "required", "dependentRequired", "format",
        "title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples", "contentEncoding",
        "contentMediaType",
    ]
    static let all = single.union(lists).union(maps).union(plain)
}
