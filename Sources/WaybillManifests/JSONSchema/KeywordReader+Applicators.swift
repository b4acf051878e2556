import WaybillCore

// Keywords that apply schemas to a value or to its parts (2020-12 core, sections 8.2.3, 10 and 11).
extension KeywordReader {
    mutating func readItems(_ compiler: inout SchemaCompiler, _ dialect: SchemaDialect) throws(JSONSchemaError) {
        var prefix: [Int] = []
        var rest: Int?
        var restName = "items"
        if dialect.hasOldItems {
            if case .list? = object["items"] {
                prefix = try list(&compiler, "items") ?? []
                restName = "additionalItems"
            }
        } else {
            prefix = try list(&compiler, "prefixItems") ?? []
        }
        if object[restName] != nil { rest = try child(&compiler, restName) }
        if !prefix.isEmpty || rest != nil {
            keywords.append(.items(prefix: prefix, rest: rest, restName: restName))
        }
        if object["contains"] != nil {
            let minimum = dialect.hasValidation ? try count(compiler, "minContains") : nil
            let maximum = dialect.hasValidation ? try count(compiler, "maxContains") : nil
            keywords.append(.contains(try child(&compiler, "contains"), minimum: minimum ?? 1, maximum: maximum))
        }
    }

    mutating func readMembers(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        var members = MemberKeywords()
        if let map = try map(compiler, "properties") {
            for name in map.keys { members.named.append((name, try child(&compiler, "properties", name))) }
        }
        if let map = try map(compiler, "patternProperties") {
            for source in map.keys {
                let matcher = try pattern(compiler, source, "patternProperties")
                members.patterns.append((matcher, try child(&compiler, "patternProperties", source)))
            }
        }
        if let value = object["additionalProperties"] {
            members.additional = try child(&compiler, "additionalProperties")
            members.refusesOthers = value == .bool(false)
        }
        if !members.named.isEmpty || !members.patterns.isEmpty || members.additional != nil {
            keywords.append(.members(members))
        }
        if object["propertyNames"] != nil { keywords.append(.memberNames(try child(&compiler, "propertyNames"))) }
    }

    mutating func readDependents(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        if let map = try map(compiler, "dependentSchemas") {
            var schemas: [(member: String, schema: Int)] = []
            for name in map.keys { schemas.append((name, try child(&compiler, "dependentSchemas", name))) }
            keywords.append(.dependentSchemas(schemas, name: "dependentSchemas"))
        }
        // What older dialects have for both; the standard keeps the name free for it.
        guard let map = try map(compiler, "dependencies") else { return }
        var schemas: [(member: String, schema: Int)] = []
        var dependents: [(member: String, others: [String])] = []
        for (name, value) in map {
            if case .list = value {
                dependents.append((name, try names(compiler, value, "dependencies")))
            } else {
                schemas.append((name, try child(&compiler, "dependencies", name)))
            }
        }
        if !dependents.isEmpty { keywords.append(.dependentRequired(dependents)) }
        if !schemas.isEmpty { keywords.append(.dependentSchemas(schemas, name: "dependencies")) }
    }

    mutating func readCombinations(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        if let schemas = try list(&compiler, "allOf") { keywords.append(.allOf(schemas)) }
        if let schemas = try list(&compiler, "anyOf") { keywords.append(.anyOf(schemas)) }
        if let schemas = try list(&compiler, "oneOf") { keywords.append(.oneOf(schemas)) }
        if object["not"] != nil { keywords.append(.not(try child(&compiler, "not"))) }
        if object["if"] != nil {
            let condition = try child(&compiler, "if")
            let then = object["then"] == nil ? nil : try child(&compiler, "then")
            let otherwise = object["else"] == nil ? nil : try child(&compiler, "else")
            keywords.append(.condition(if: condition, then: then, else: otherwise))
        }
    }

    mutating func readReferences(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        if let value = object["$ref"] {
            guard case .string(let reference) = value else { throw wrong(compiler, "$ref", "a URI reference") }
            keywords.append(.reference(try compiler.follow(reference, from: place, keyword: "$ref").node))
        }
        if let value = object["$dynamicRef"] {
            guard case .string(let reference) = value else { throw wrong(compiler, "$dynamicRef", "a URI reference") }
            let target = try compiler.follow(reference, from: place, keyword: "$dynamicRef")
            readDynamic(compiler, target, anchor: target.anchor)
        }
        if let value = object["$recursiveRef"] {
            guard value == .string("#") else { throw wrong(compiler, "$recursiveRef", "'#'") }
            let target = try compiler.follow("#", from: place, keyword: "$recursiveRef")
            readDynamic(compiler, target, anchor: "")
        }
    }

    /// Dynamic only if the reference, followed as it stands, comes to a dynamic anchor.
    private mutating func readDynamic(
        _ compiler: SchemaCompiler, _ target: (node: Int, anchor: String?, resource: Int), anchor: String?
    ) {
        if let anchor, compiler.library.resources[target.resource].dynamicAnchors[anchor] != nil {
            keywords.append(.dynamicReference(target.node, anchor: anchor))
        } else {
            keywords.append(.reference(target.node))
        }
    }

    mutating func readUnevaluated(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        if object["unevaluatedItems"] != nil {
            keywords.append(.unevaluatedItems(try child(&compiler, "unevaluatedItems")))
            asksForEvaluated = true
        }
        if object["unevaluatedProperties"] != nil {
            keywords.append(.unevaluatedMembers(try child(&compiler, "unevaluatedProperties")))
            asksForEvaluated = true
        }
    }
}
