import Testing
import WaybillCore
import WaybillExpressions
import WaybillManifests

@Suite("Shapes of schemas")
struct TypeShapeSchemaTests {
    private static let rows: [(schema: Value, shape: TypeShape)] = [
        (true, .dyn), ([:], .dyn), (["type": "string"], .string), (["type": "integer"], .int),
        (["type": "number"], .double), (["type": "boolean"], .bool), (["enum": ["a", "b"]], .string),
        (["enum": ["a", 1]], .dyn), (["type": ["string", "null"]], .nullable(.string)),
        (["type": ["string", "integer"]], .dyn), (["type": "array"], .list(.dyn)),
        (["type": "array", "items": ["type": "number"]], .list(.double)),
        (["type": "object"], .map(key: .string, value: .dyn)),
        (["type": "object", "additionalProperties": ["type": "integer"]], .map(key: .string, value: .int)),
        (["type": "object", "properties": ["a": ["type": "string"]]], .object(["a": .string])),
        (
            ["type": "object", "properties": ["a": ["type": "string"]], "additionalProperties": true],
            .openObject(["a": .string])
        ),
        (["type": "object", "properties": ["a": true], "anyOf": [true]], .dyn), (["$ref": "#/x"], .dyn),
    ]

    @Test("a schema tells as much of the shape as a shape can hold", arguments: rows)
    func shapes(row: (schema: Value, shape: TypeShape)) {
        #expect(TypeShape(schema: row.schema) == row.shape)
    }

    @Test("a number is what the schema says, integer or not, and otherwise stays what it is")
    func fitting() {
        let shape = TypeShape(
            schema: [
                "type": "object",
                "properties": [
                    "n": ["type": "number"], "i": ["type": "integer"], "o": ["type": ["number", "null"]],
                    "l": ["type": "array", "items": ["type": "number"]],
                ],
            ])
        #expect(
            (["n": 1, "i": 1, "o": .null, "l": [1, 2.5], "x": 1] as Value).fitted(to: shape)
                == ["n": 1.0, "i": 1, "o": .null, "l": [1.0, 2.5], "x": 1])
        #expect((["i": 2.0, "x": 2.0] as Value).fitted(to: shape) == ["i": 2, "x": 2.0])
        #expect((["i": -0.0] as Value).fitted(to: shape) == ["i": 0])
        #expect((["i": 1e19] as Value).fitted(to: shape) == ["i": 1e19])
    }
}
