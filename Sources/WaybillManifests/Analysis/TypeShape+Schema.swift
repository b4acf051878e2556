package import WaybillCore
package import WaybillExpressions

extension TypeShape {
    /// What a JSON Schema says about the values that fit it, as far as a shape can hold it.
    ///
    /// `number` gives `double` (contract, section 3). An object with `properties` is closed unless the schema says
    /// otherwise: a member that nobody declared is most likely misspelt, and `["name"]` or `.?` still reads it.
    package init(schema: Value) {
        self = Self.shape(of: schema, depth: 0)
    }

    /// Deeper members are not checked; the schema itself still is, on the values.
    private static let deepest = 16
    private static let combinators = [
        "$ref", "$dynamicRef", "anyOf", "oneOf", "allOf", "if", "not", "patternProperties", "dependentSchemas",
    ]

    private static func shape(of schema: Value, depth: Int) -> TypeShape {
        guard let object = schema.objectValue, depth < deepest else { return .dyn }
        if combinators.contains(where: { object[$0] != nil }) { return .dyn }
        switch object["type"] {
        case .string(let name)?: return shape(named: name, object, depth: depth)
        case .list(let names)?:
            let others = names.compactMap(\.stringValue).filter { $0 != "null" }
            guard others.count == 1, names.count == 2 else { return .dyn }
            switch shape(named: others[0], object, depth: depth) {
            case .dyn: return .dyn
            case let shape: return .nullable(shape)
            }
        default:
            if let choices = object["enum"]?.listValue, !choices.isEmpty {
                return choices.allSatisfy { $0.stringValue != nil } ? .string : .dyn
            }
            return .dyn
        }
    }

    private static func shape(named name: String, _ schema: Object, depth: Int) -> TypeShape {
        switch name {
        case "string": return .string
        case "integer": return .int
        case "number": return .double
        case "boolean": return .bool
        case "null": return .null
        case "array":
            guard schema["prefixItems"] == nil else { return .list(.dyn) }
            return .list(schema["items"].map { shape(of: $0, depth: depth + 1) } ?? .dyn)
        case "object": return objectShape(schema, depth: depth)
        default: return .dyn
        }
    }

    private static func objectShape(_ schema: Object, depth: Int) -> TypeShape {
        let others = schema["additionalProperties"].flatMap { others -> TypeShape? in
            others == false ? nil : shape(of: others, depth: depth + 1)
        }
        guard let properties = schema["properties"]?.objectValue else {
            if schema["additionalProperties"] == false { return .object([:]) }
            return .map(key: .string, value: others ?? .dyn)
        }
        var fields: [String: TypeShape] = [:]
        for (name, schema) in properties { fields[name] = shape(of: schema, depth: depth + 1) }
        return .object(ObjectShape(fields: fields, others: others))
    }
}
