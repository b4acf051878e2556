import WaybillCore
import WaybillExpressions

/// Reads the keywords of one schema object. The order of what comes out: first what looks at the value alone,
/// last what asks what others have evaluated.
struct KeywordReader {
    let object: Object
    let place: SchemaRegistry.Place
    var keywords: [Keyword] = []
    var asksForEvaluated = false

    init(object: Object, place: SchemaRegistry.Place) {
        self.object = object
        self.place = place
    }

    mutating func read(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) {
        let resource = compiler.library.resources[place.resource]
        let dialect = resource.dialect
        if resource.document.isEmpty { noteUnknownKeywords(&compiler) }
        if dialect.referenceStandsAlone, object["$ref"] != nil {
            try readReferences(&compiler)
            return
        }
        if dialect.hasValidation {
            try readValues(&compiler)
            try readNumbers(&compiler)
            try readStrings(&compiler)
            try readCounts(&compiler)
            try readRequired(&compiler)
        }
        try readFormat(&compiler, dialect)
        if dialect.hasApplicators {
            try readItems(&compiler, dialect)
            try readMembers(&compiler)
            try readDependents(&compiler)
            try readCombinations(&compiler)
        }
        try readReferences(&compiler)
        if dialect.hasUnevaluated { try readUnevaluated(&compiler) }
    }

    private func noteUnknownKeywords(_ compiler: inout SchemaCompiler) {
        for name in object.keys where !SchemaKeywords.all.contains(name) && !name.hasPrefix("x-") {
            let pointer = compiler.error(.keyword, "", at: place, keyword: name).pointer
            let suggestion = Suggestion.closest(to: name, among: SchemaKeywords.all.sorted())
            compiler.unknownKeywords.append(.init(name: name, pointer: pointer, suggestion: suggestion))
        }
    }

    // MARK: Parts

    func child(_ compiler: inout SchemaCompiler, _ path: String...) throws(JSONSchemaError) -> Int {
        try node(&compiler, path)
    }

    func node(_ compiler: inout SchemaCompiler, _ path: [String]) throws(JSONSchemaError) -> Int {
        let pointer = JSONPointer(place.pointer.tokens + path)
        let document = JSONPointer(compiler.library.resources[place.resource].pointer.tokens + pointer.tokens)
        let inner = compiler.library.rootResource(at: document, like: place.resource)
        let target = inner.map { SchemaRegistry.Place(resource: $0, pointer: JSONPointer()) }
        return try compiler.number(of: target ?? SchemaRegistry.Place(resource: place.resource, pointer: pointer))
    }

    /// The schemas of a list keyword.
    func list(_ compiler: inout SchemaCompiler, _ name: String) throws(JSONSchemaError) -> [Int]? {
        guard let value = object[name] else { return nil }
        guard case .list(let parts) = value, !parts.isEmpty else {
            throw wrong(compiler, name, "a list of schemas that is not empty")
        }
        var numbers: [Int] = []
        for index in parts.indices { numbers.append(try node(&compiler, [name, String(index)])) }
        return numbers
    }

    /// The members of a map keyword, by name.
    func map(_ compiler: SchemaCompiler, _ name: String) throws(JSONSchemaError) -> Object? {
        guard let value = object[name] else { return nil }
        guard case .object(let map) = value else { throw wrong(compiler, name, "a map of schemas") }
        return map
    }

    func count(_ compiler: SchemaCompiler, _ name: String) throws(JSONSchemaError) -> Int? {
        guard let value = object[name] else { return nil }
        guard let number = value.numberValue, number >= 0, number.rounded() == number else {
            throw wrong(compiler, name, "a whole number from 0")
        }
        // No value has as many parts as the largest Int, so that what is beyond it means the same.
        return Int(exactly: number) ?? .max
    }

    func names(_ compiler: SchemaCompiler, _ value: Value, _ keyword: String) throws(JSONSchemaError) -> [String] {
        guard case .list(let elements) = value else { throw wrong(compiler, keyword, "a list of member names") }
        var names: [String] = []
        for element in elements {
            guard case .string(let name) = element else { throw wrong(compiler, keyword, "a list of member names") }
            names.append(name)
        }
        return names
    }

    func pattern(
        _ compiler: SchemaCompiler, _ source: String, _ keyword: String
    ) throws(JSONSchemaError) -> RegularExpression {
        do {
            return try RegularExpression(source, dialect: .ecma262)
        } catch {
            throw compiler.error(
                .pattern, "the pattern '\(source)' cannot be used: \(error.message)", at: place, keyword: keyword)
        }
    }

    func wrong(_ compiler: SchemaCompiler, _ keyword: String, _ wanted: String) -> JSONSchemaError {
        let found = object[keyword]?.schemaTypeName ?? "nothing"
        return compiler.error(.keyword, "'\(keyword)' takes \(wanted), got \(found)", at: place, keyword: keyword)
    }
}
