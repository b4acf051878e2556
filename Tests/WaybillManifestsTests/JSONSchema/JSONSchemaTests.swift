import Testing
import WaybillCore
import WaybillManifests

@Suite("JSON Schema")
struct JSONSchemaTests {
    private func messages(_ schema: Value, _ instance: Value, echoesValues: Bool = true) throws -> [String] {
        let compiled = try JSONSchema(schema)
        let violations = compiled.validate(instance, echoesValues: echoesValues)
        #expect(compiled.isValid(instance) == violations.isEmpty)
        return violations.map(\.message)
    }

    @Test("a violation says where in the value, where in the schema, and what")
    func violation() throws {
        let schema: Value = [
            "type": "object",
            "properties": ["coverage": ["type": "number"], "rows": ["items": ["required": ["name"]]]],
            "required": ["coverage"],
        ]
        let violations = try JSONSchema(schema).validate(["coverage": "80", "rows": [["name": 1], [:]]])
        #expect(
            violations == [
                SchemaViolation(
                    instance: JSONPointer(["coverage"]), schema: "#/properties/coverage/type",
                    reason: "expected number, got string", path: "coverage"),
                SchemaViolation(
                    instance: JSONPointer(["rows", "1"]), schema: "#/properties/rows/items/required",
                    reason: "the member 'name' is missing", path: "rows[1]"),
            ])
        #expect(violations.map(\.message).first == "coverage: expected number, got string")
        #expect(try messages(schema, [:]) == ["the member 'coverage' is missing"])
    }

    @Test(
        "every keyword has its own words",
        arguments: [
            (["type": ["string", "null"]], 1, "expected null or string, got integer"),
            (["enum": ["yes", "no"]], "maybe", #"expected one of "yes", "no", got "maybe""#),
            (["const": 3], 4, "expected 3, got 4"),
            (["multipleOf": 0.01], 0.015, "must be a multiple of 0.01, got 0.015"),
            (["minimum": 80], 75, "must be at least 80, got 75"),
            (["exclusiveMaximum": 1], 1.0, "must be less than 1, got 1.0"),
            (["minLength": 2], "é", "must have at least 2 characters, has 1"),
            (["maxLength": 1], "ab", "must have at most 1 character, has 2"),
            (["pattern": "^v[0-9]+$"], "w1", #"does not match the pattern '^v[0-9]+$', got "w1""#),
            (["format": "date"], "2026-02-30", #"is no date, got "2026-02-30""#),
            (["maxItems": 1], [1, 2], "must have at most 1 item, has 2"),
            (["uniqueItems": true], [1, 2, 1.0], "items 0 and 2 are equal"),
            (["contains": ["type": "null"]], [1], "must contain at least 1 item that fit, has 0"),
            (["minProperties": 1], [:], "must have at least 1 member, has 0"),
            (
                ["properties": ["version": true], "additionalProperties": false], ["verison": 1],
                "the member 'verison' is not allowed; did you mean 'version'?"
            ),
            (["properties": ["a": false]], ["a": 1], "a: is not allowed"),
            (["dependentRequired": ["a": ["b"]]], ["a": 1], "'a' needs the member 'b' beside it"),
            (
                ["propertyNames": ["maxLength": 1]], ["ab": 1],
                "the name 'ab' is not allowed: must have at most 1 character, has 2"
            ),
            (
                ["anyOf": [["type": "string"], ["minimum": 5]]], 3,
                "fits none of 2 alternatives (expected string, got integer; must be at least 5, got 3)"
            ),
            (["oneOf": [["minimum": 1], ["minimum": 2]]], 3, "fits alternatives 1 and 2, and may fit only one"),
            (["not": ["type": "string"]], "x", #"is what the schema excludes, got "x""#),
            (["if": ["minimum": 5], "then": ["multipleOf": 2], "else": true], 7, "must be a multiple of 2, got 7"),
        ] as [(Value, Value, String)])
    func words(schema: Value, instance: Value, expected: String) throws {
        #expect(try messages(schema, instance) == [expected])
    }

    @Test("values that are sensitive are not quoted")
    func silence() throws {
        #expect(try messages(["enum": ["yes"]], "secret", echoesValues: false) == [#"expected "yes""#])
        #expect(try messages(["minimum": 5], 3, echoesValues: false) == ["must be at least 5"])
    }

    @Test("odd member names are quoted in paths")
    func paths() throws {
        let schema: Value = ["additionalProperties": ["additionalProperties": ["items": ["type": "null"]]]]
        #expect(
            try messages(schema, ["a b": ["ok": [nil, 1]]]) == [#"["a b"].ok[1]: expected null, got integer"#])
    }

    @Test(
        "numbers are compared by value, also where no double holds them",
        arguments: [
            (["const": 1.0], 1, true), (["enum": [[1, ["a": 2.0]]]], [1.0, ["a": 2]], true),
            (["maximum": 9007199254740992.0], 9_007_199_254_740_993, false),
            (["exclusiveMinimum": .int(.max)], 9223372036854775808.0, true),
            (["type": "integer"], 1e300, true), (["type": "integer"], 1.5, false),
            (["multipleOf": 0.0001], 0.0075, true), (["multipleOf": 0.1], 1e300, true),
            (["multipleOf": 3], .int(.min), false), (["multipleOf": 2], .int(.min), true),
            (["multipleOf": 1e-300], 1.0, true), (["multipleOf": 1e300], 1.0, false),
        ] as [(Value, Value, Bool)])
    func numbers(schema: Value, instance: Value, isValid: Bool) throws {
        #expect(try JSONSchema(schema).isValid(instance) == isValid)
    }

    @Test(
        "what is no schema is refused at its place",
        arguments: [
            (3, "", "a schema is an object or a boolean, not integer"),
            (["type": "strng"], "/type", "'strng' is no type; did you mean 'string'?"),
            (["type": "bool"], "/type", "'bool' is no type; did you mean 'boolean'?"),
            (["properties": ["a": ["minimum": "1"]]], "/properties/a/minimum", "'minimum' takes a number, got string"),
            (["required": "a"], "/required", "'required' takes a list of member names, got string"),
            (["anyOf": []], "/anyOf", "'anyOf' takes a list of schemas that is not empty, got array"),
            (["items": ["minItems": -1]], "/items/minItems", "'minItems' takes a whole number from 0, got integer"),
            (["$ref": "#/$defs/x"], "/$ref", "'#/$defs/x' leads nowhere; nothing is fetched from a network"),
            (
                ["$schema": "http://json-schema.org/draft-04/schema#"], "/$schema",
                "the dialect 'http://json-schema.org/draft-04/schema#' is not known; leave $schema out, or name JSON Schema 2020-12"
            ),
        ] as [(Value, String, String)])
    func refused(schema: Value, pointer: String, message: String) {
        #expect(throws: JSONSchemaError.self) { try JSONSchema(schema) }
        do {
            _ = try JSONSchema(schema)
        } catch {
            #expect(error.pointer.description == pointer)
            #expect(error.message == message)
        }
    }

    @Test("a pattern that cannot be matched in linear time is refused")
    func patterns() {
        #expect(throws: JSONSchemaError.self) { try JSONSchema(["pattern": "(a)\\1"]) }
        #expect(throws: JSONSchemaError.self) { try JSONSchema(["patternProperties": ["(": true]]) }
    }

    @Test("keywords that mean nothing are named, with what was probably meant")
    func unknownKeywords() throws {
        let schema = try JSONSchema(["properties": ["requird": ["requird": ["a"], "x-note": 1]], "title": "t"])
        #expect(schema.unknownKeywords.map(\.name) == ["requird"])
        #expect(schema.unknownKeywords.map(\.pointer.description) == ["/properties/requird/requird"])
        #expect(schema.unknownKeywords.map(\.suggestion) == ["required"])
    }

    @Test("a schema that refers to itself without end ends")
    func endless() throws {
        let endless = "the schema and the value nest too deep, or the schema refers to itself without end"
        #expect(try messages(["$ref": "#"], 1) == [endless])
        #expect(try messages(["anyOf": [["$ref": "#"], true]], 1) == [endless])
    }

    @Test("references that multiply the work end")
    func laughter() throws {
        var definitions = Object()
        for level in 0..<40 {
            let next: Value = ["$ref": .string("#/$defs/d\(level + 1)")]
            definitions["d\(level)"] = ["allOf": [next, next]]
        }
        definitions["d40"] = true
        let schema: Value = ["$ref": "#/$defs/d0", "$defs": .object(definitions)]
        #expect(try messages(schema, 1) == ["checking this value against the schema takes too long"])
    }

    @Test("a recursive schema follows a value as deep as values go")
    func recursive() throws {
        let schema: Value = ["type": "object", "properties": ["next": ["$ref": "#"]], "additionalProperties": false]
        var value: Value = ["other": 1]
        for _ in 0..<120 { value = ["next": value] }
        let violations = try JSONSchema(schema).validate(value)
        #expect(violations.map(\.reason) == ["the member 'other' is not allowed"])
        #expect(violations.first?.instance.tokens.count == 120)
    }

    @Test("at most a hundred violations are told")
    func many() throws {
        let schema = try JSONSchema(["items": ["type": "null"]])
        #expect(schema.validate(.list(Array(repeating: 1, count: 1_000))).count == 100)
    }

    @Test("references find other documents by their URI, and parts of them by anchors")
    func documents() throws {
        let resources: [String: Value] = [
            "https://example.org/types.json": [
                "$defs": ["name": ["$anchor": "name", "type": "string"], "age": ["$id": "age.json", "minimum": 0]]
            ]
        ]
        let schema = try JSONSchema(
            [
                "$id": "https://example.org/person.json",
                "properties": ["name": ["$ref": "types.json#name"], "age": ["$ref": "/age.json"]],
            ], resources: resources)
        let violations = schema.validate(["name": 1, "age": -1])
        #expect(violations.map(\.message) == ["age: must be at least 0, got -1", "name: expected string, got integer"])
        #expect(violations.map(\.schema).last == "https://example.org/types.json#/$defs/name/type")
    }
}
