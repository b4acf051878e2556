package import WaybillCore

/// JSON Schemas (draft 2020-12) of the manifests, for editors and other tools.
///
/// They are made from the tables that the reader itself uses. A schema knows shapes only: names that must exist,
/// cycles and expressions are for `waybill validate`.
package enum PublishedSchemas {
    /// Every schema with the name of its kind; the last, `Manifest`, holds for any of them.
    package static let all: [(name: String, schema: Value)] =
        kinds.map { ($0.name, document($0.table, name: $0.name)) } + [("Manifest", manifest)]

    /// The schema of a kind, or of `Manifest`.
    package static func schema(for name: String) -> Value? { all.first { $0.name == name }?.schema }

    private static var kinds: [(name: String, table: FieldTable)] {
        [
            ("Workflow", Grammar.workflow), ("Policy", Grammar.policy), ("Capability", Grammar.capability),
            ("Run", Grammar.declaredRun), ("Settings", Grammar.settings), ("Test", Grammar.test),
        ]
    }

    private static let draft: Value = "https://json-schema.org/draft/2020-12/schema"

    private static func document(_ table: FieldTable, name: String) -> Value {
        guard case .object(var schema) = table.schema else { return table.schema }
        schema["$schema"] = draft
        schema["$id"] = .string("urn:waybill:schema:\(name.lowercased())")
        schema["title"] = .string("Waybill \(name)")
        let definitions = definitions([table])
        if !definitions.isEmpty { schema["$defs"] = .object(definitions) }
        return .object(schema)
    }

    private static var manifest: Value {
        let branches = kinds.map { kind -> Value in
            [
                "if": ["properties": ["kind": ["const": .string(kind.name)]], "required": ["kind"]],
                "then": ["$ref": .string("#/$defs/\(kind.name)")],
            ]
        }
        return [
            "$schema": draft,
            "$id": "urn:waybill:schema:manifest",
            "title": "Waybill manifest",
            "type": "object",
            "properties": ["kind": ["enum": .list(kinds.map { .string($0.name) })]],
            "required": ["kind"],
            "allOf": .list(branches),
            "$defs": .object(
                Object(
                    kinds.map { ($0.name, $0.table.schema) }
                        + definitions(kinds.map(\.table)).map { ($0.key, $0.value) })),
        ]
    }

    /// The tables that hold themselves further down: they are referred to by name.
    private static func definitions(_ tables: [FieldTable]) -> Object {
        var found = Object()
        var open = tables
        while let table = open.popLast() {
            for (name, nested) in table.fields.flatMap(\.shape.nestedTables) where found[name] == nil {
                found[name] = nested.schema
                open.append(nested)
            }
        }
        return found
    }
}

extension FieldTable {
    fileprivate var schema: Value {
        let offered = fields.filter(\.isOffered)
        var schema: Object = [
            "type": "object",
            "properties": .object(Object(offered.map { ($0.name, $0.schema) })),
            "additionalProperties": false,
        ]
        let required = offered.filter(\.isRequired)
        if !required.isEmpty { schema["required"] = .list(required.map { .string($0.name) }) }
        let rules = choices.flatMap { choice in
            let names = choice.names.filter { field($0)?.isOffered == true }
            return choice.isRequired ? [Self.exactlyOne(of: names)] : Self.atMostOne(of: names)
        }
        if !rules.isEmpty { schema["allOf"] = .list(rules) }
        return .object(schema)
    }

    private static func exactlyOne(of names: [String]) -> Value {
        ["oneOf": .list(names.map { ["required": [.string($0)]] })]
    }

    private static func atMostOne(of names: [String]) -> [Value] {
        names.enumerated().flatMap { index, first in
            names[(index + 1)...].map { ["not": ["required": [.string(first), .string($0)]]] }
        }
    }
}

extension Field {
    fileprivate var schema: Value {
        guard case .object(var schema) = shape.schema else { return ["description": .string(note)] }
        schema["description"] = .string(note)
        return .object(schema)
    }
}

extension Shape {
    /// The nested tables in it, each once for every place.
    fileprivate var nestedTables: [(name: String, table: FieldTable)] {
        switch self {
        case .nested(let name, let table): [(name, table())]
        case .list(let element, _): element.nestedTables
        case .entries(_, let value, _): value.nestedTables
        case .fields(let table): table.fields.flatMap(\.shape.nestedTables)
        case .either(let shapes): shapes.flatMap(\.nestedTables)
        case .scalar, .literal, .templated, .schema: []
        }
    }

    fileprivate var schema: Value {
        switch self {
        case .scalar(let rule): return rule.schema
        case .list(let element, let atLeast):
            var schema: Object = ["type": "array", "items": element.schema]
            if atLeast > 0 { schema["minItems"] = .int(Int64(atLeast)) }
            return .object(schema)
        case .fields(let table): return table.schema
        case .nested(let name, _): return ["$ref": .string("#/$defs/\(name)")]
        case .entries(let key, let value, let atLeast):
            var schema: Object = ["type": "object", "propertyNames": key.schema, "additionalProperties": value.schema]
            if atLeast > 0 { schema["minProperties"] = .int(Int64(atLeast)) }
            return .object(schema)
        case .literal, .templated: return true
        case .schema: return ["type": ["object", "boolean"]]
        case .either(let shapes): return ["anyOf": .list(shapes.map(\.schema))]
        }
    }
}

extension ScalarRule {
    fileprivate var schema: Value {
        switch self {
        case .name: ["type": "string", "pattern": "^[a-z][a-z0-9-]*$", "maxLength": .int(Int64(Names.longest))]
        case .id: ["type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$", "maxLength": .int(Int64(Names.longest))]
        case .environmentName:
            ["type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": ["pattern": "^WAYBILL_"]]
        case .text, .path, .template: ["type": "string"]
        case .snapshotName: ["type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$|\\$\\{\\{"]
        case .script: ["type": "string", "minLength": 1]
        case .argument: ["type": ["string", "number", "boolean"]]
        case .condition: ["type": ["string", "boolean"]]
        case .boolean: ["type": "boolean"]
        case .flag: ["const": true]
        case .integer(let range):
            range.upperBound == .max
                ? ["type": "integer", "minimum": .int(range.lowerBound)]
                : ["type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound)]
        case .duration, .span: ["type": "string", "pattern": .string(Self.durationPattern)]
        case .durationTemplate, .spanTemplate:
            ["type": "string", "pattern": .string("\(Self.durationPattern)|\\$\\{\\{")]
        case .timeTemplate: ["type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}[Tt ]|\\$\\{\\{"]
        case .size:
            ["anyOf": [["type": "integer", "minimum": 1], ["type": "string", "pattern": "^\\d+(B|KiB|MiB|GiB)$"]]]
        case .memory:
            [
                "anyOf": [
                    ["type": "integer", "minimum": .int(Int64(ScalarRule.leastMemory))],
                    ["type": "string", "pattern": "^\\d+(B|KiB|MiB|GiB)$"],
                ]
            ]
        case .word(let words): ["enum": .list(words.map { .string($0) })]
        case .capability: ["type": "string", "pattern": "^[a-z][a-z0-9-]*@\\d+(\\.\\d+){0,2}(-[0-9A-Za-z.-]+)?$"]
        case .status:
            [
                "anyOf": [
                    ["type": "integer", "minimum": 100, "maximum": 599], ["type": "string", "pattern": "^[1-5]xx$"],
                ]
            ]
        case .signal:
            [
                "anyOf": [
                    ["type": "integer", "minimum": 1, "maximum": 64],
                    ["type": "string", "pattern": "^(SIG)?[A-Z0-9]+$"],
                ]
            ]
        case .number: ["type": "number", "minimum": 0]
        case .amount: ["anyOf": [["type": "number", "minimum": 0], ["type": "string", "pattern": "\\$\\{\\{"]]]
        case .person: ["type": "string", "minLength": 1, "pattern": "^[^-,/\\x00-\\x20\\x7F][^,/\\x00-\\x20\\x7F]*$"]
        case .headerName: ["type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"]
        case .zone:
            ["type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z][A-Za-z0-9_+-]*)*$", "maxLength": 64]
        case .version: ["type": "string", "pattern": "^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$"]
        case .time: ["type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}[Tt ]"]
        }
    }

    private static let durationPattern = "^(\\d+(\\.\\d+)?(w|d|h|m|s|ms|us))+$"
}
