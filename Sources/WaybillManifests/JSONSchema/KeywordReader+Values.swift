import WaybillCore

// Keywords that look at a value without looking into it (2020-12 validation, sections 6.1 to 6.5, and 7).
extension KeywordReader {
    mutating func readValues(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        if let value = object["type"] {
            let names: [Value] = if case .list(let names) = value { names } else { [value] }
            var types: SchemaTypes = []
            for name in names {
                guard case .string(let text) = name else {
                    throw wrong(compiler, "type", "the name of a type, or a list of them")
                }
                guard let type = SchemaTypes.named(text) else {
                    let known = SchemaTypes.names.map(\.name)
                    let hint = Self.commonSlips[text] ?? Suggestion.closest(to: text, among: known)
                    let rest = hint.map { "did you mean '\($0)'?" } ?? "it is one of \(known.joined(separator: ", "))"
                    throw compiler.error(.keyword, "'\(text)' is no type; \(rest)", at: place, keyword: "type")
                }
                types.insert(type)
            }
            guard !types.isEmpty else { throw wrong(compiler, "type", "at least one type") }
            keywords.append(.types(types))
        }
        if let value = object["enum"] {
            guard case .list(let values) = value else { throw wrong(compiler, "enum", "a list of values") }
            let comparable = Set(values.map(\.withWholeNumbersAsInts))
            keywords.append(.oneOfValues(comparable, written: values, name: "enum"))
        }
        if let value = object["const"] {
            keywords.append(.oneOfValues([value.withWholeNumbersAsInts], written: [value], name: "const"))
        }
    }

    /// What other languages call the types.
    private static let commonSlips = [
        "str": "string", "text": "string", "int": "integer", "float": "number", "double": "number", "bool": "boolean",
        "list": "array", "map": "object", "dict": "object", "nil": "null", "none": "null",
    ]

    mutating func readNumbers(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        if let value = object["multipleOf"] {
            guard let number = value.numberValue, number > 0, let divisor = DecimalNumber(value) else {
                throw wrong(compiler, "multipleOf", "a number above 0")
            }
            keywords.append(.multipleOf(divisor, written: value))
        }
        if let bound = try bound(compiler, "minimum") { keywords.append(.minimum(bound)) }
        if let bound = try bound(compiler, "exclusiveMinimum") { keywords.append(.exclusiveMinimum(bound)) }
        if let bound = try bound(compiler, "maximum") { keywords.append(.maximum(bound)) }
        if let bound = try bound(compiler, "exclusiveMaximum") { keywords.append(.exclusiveMaximum(bound)) }
    }

    private func bound(_ compiler: SchemaCompiler, _ name: String) throws(JSONSchemaError) -> Value? {
        guard let value = object[name] else { return nil }
        guard value.numberValue != nil else { throw wrong(compiler, name, "a number") }
        return value
    }

    mutating func readStrings(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        let minimum = try count(compiler, "minLength")
        let maximum = try count(compiler, "maxLength")
        if minimum != nil || maximum != nil { keywords.append(.lengths(minimum: minimum, maximum: maximum)) }
        if let value = object["pattern"] {
            guard case .string(let source) = value else { throw wrong(compiler, "pattern", "a regular expression") }
            keywords.append(.pattern(try pattern(compiler, source, "pattern")))
        }
    }

    mutating func readCounts(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        var minimum = try count(compiler, "minItems")
        var maximum = try count(compiler, "maxItems")
        if minimum != nil || maximum != nil { keywords.append(.itemCounts(minimum: minimum, maximum: maximum)) }
        if let value = object["uniqueItems"] {
            guard case .bool(let isUnique) = value else { throw wrong(compiler, "uniqueItems", "a boolean") }
            if isUnique { keywords.append(.uniqueItems) }
        }
        minimum = try count(compiler, "minProperties")
        maximum = try count(compiler, "maxProperties")
        if minimum != nil || maximum != nil { keywords.append(.memberCounts(minimum: minimum, maximum: maximum)) }
    }

    mutating func readRequired(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        if let value = object["required"] {
            keywords.append(.required(try names(compiler, value, "required")))
        }
        if let map = try map(compiler, "dependentRequired") {
            var dependents: [(member: String, others: [String])] = []
            for (member, value) in map {
                dependents.append((member, try names(compiler, value, "dependentRequired")))
            }
            keywords.append(.dependentRequired(dependents))
        }
    }

    mutating func readFormat(
        _ compiler: inout SchemaCompiler, _ dialect: SchemaDialect
    ) throws(JSONSchemaError) {
        guard let value = object["format"] else { return }
        guard case .string(let name) = value else { throw wrong(compiler, "format", "the name of a format") }
        guard compiler.options.assertsFormats || dialect.assertsFormats else { return }
        // A format that is not known is accepted, as the standard demands.
        if let format = SchemaFormat(rawValue: name) { keywords.append(.format(format)) }
    }
}
