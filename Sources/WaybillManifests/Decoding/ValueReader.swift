import WaybillCore

/// Reads literal values and JSON Schemas, and compares the one with the other.
struct ValueReader {
    let report: Report

    /// The schema a node holds; nil after reporting what is wrong with it.
    func schema(_ node: YAMLNode?) -> (schema: JSONSchema, value: Value)? {
        guard let node else { return nil }
        let value = node.value
        // Anything else was refused with the shapes.
        guard value.objectValue != nil || value.boolValue != nil else { return nil }
        do throws(JSONSchemaError) {
            let schema = try JSONSchema(value)
            for keyword in schema.unknownKeywords { report(keyword, in: node) }
            return (schema, value)
        } catch {
            report.error(
                "the JSON Schema is invalid: \(error.message)", at: node.node(at: error.pointer).mark)
            return nil
        }
    }

    /// JSON Schema ignores what it does not know, and so a misspelt keyword would check nothing.
    private func report(_ keyword: JSONSchema.UnknownKeyword, in node: YAMLNode) {
        let holder = node.node(at: JSONPointer(Array(keyword.pointer.tokens.dropLast())))
        report.warning(
            .manifest, "JSON Schema has no keyword `\(keyword.name)`, so it means nothing here",
            at: holder.member(keyword.name)?.keyMark ?? holder.mark,
            hint: keyword.suggestion.map { "did you mean '\($0)'?" })
    }

    /// Reports where a value that stands in the manifest does not fit a schema.
    func check(_ node: YAMLNode, value: Value, fits schema: JSONSchema, subject: String) {
        for violation in schema.validate(value).prefix(3) {
            report.error(
                "\(subject) does not fit the schema: \(violation.message)",
                at: node.node(at: violation.instance).mark)
        }
    }

    func object(_ members: [YAMLMember]) -> Object {
        Object(members.map { ($0.key, $0.node.value) })
    }
}

extension ValueReader {
    /// Declared inputs: a JSON Schema each, with a default that must fit it.
    func inputs(_ members: [YAMLMember]) -> [InputDefinition] {
        members.compactMap { member in
            guard let (schema, value) = schema(member.node) else { return nil }
            var input = InputDefinition(
                name: member.key, place: report.place(member.keyMark), schema: schema, schemaValue: value)
            if let node = member.node.member("default")?.node {
                let value = node.value
                check(node, value: value, fits: schema, subject: "the default of `\(member.key)`")
                input.defaultValue = value
            }
            return input
        }
    }
}
