import Testing
import WaybillCore
import WaybillExpressions

@Suite("Templates")
struct TemplateTests {
    private let scope = Variables([
        "n": .int(3), "d": .double(80), "s": .string("x"), "l": CELValue([1, 2]), "z": .null,
        "t": .timestamp(CELTimestamp(seconds: 0)!),
    ])

    private func value(_ text: String) throws -> Value? {
        try Template.parse(text, declarations: .unchecked).value(in: scope)
    }

    private func errors(_ text: String, _ variables: [String: TypeShape] = [:]) -> [Diagnostic] {
        do throws(InvalidExpression) {
            _ = try Template.parse(
                text, place: SourcePlace(file: "w.yaml", line: 2, column: 10), declarations: Declarations(variables))
            return []
        } catch {
            return error.diagnostics
        }
    }

    @Test(
        "a scalar that is exactly one expression keeps value and type",
        arguments: [
            ("${{ n }}", 3), ("${{n}}", 3), ("${{ d }}", 80.0), ("${{ l }}", [1, 2]), ("${{ z }}", nil),
            ("${{ {'a': {'b': 1}} }}", ["a": ["b": 1]]),
            ("${{ {'a': {'b': 1}}}}", ["a": ["b": 1]]), ("${{ '}}' + \"}}\" }}", "}}}}"),
            ("${{ n // }} is no end in a comment\n}}", 3),
            ("${{ optional.of(n) }}", 3),
        ] as [(String, Value)])
    func whole(text: String, expected: Value) throws {
        #expect(try value(text) == expected)
    }

    @Test(
        "inside a text scalars are converted",
        arguments: [
            ("v${{ n }}", "v3"), ("${{ n }}${{ s }}", "3x"), ("${{ d }} %", "80.0 %"), (" ${{ s }}", " x"),
            ("${{ t }}!", "1970-01-01T00:00:00Z!"),
            ("$${{ n }}", "${{ n }}"), ("a $${{ b ${{ n }}", "a ${{ b 3"), ("$${{", "${{"), ("{{ n }}", "{{ n }}"),
            ("${ n }", "${ n }"), ("$$", "$$"), ("", ""),
            ("${{ s }}: {a: 1}}", "x: {a: 1}}"), ("a$$${{ b", "a$${{ b"),
        ])
    func inText(text: String, expected: String) throws {
        #expect(try value(text) == .string(expected))
    }

    @Test("null, lists and maps have no place inside a text")
    func notText() throws {
        for text in ["a${{ z }}", "a${{ l }}", "a${{ {} }}", "a${{ optional.none() }}"] {
            let template = try Template.parse(text, declarations: .unchecked)
            let error = #expect(throws: ExpressionError.self) { try template.value(in: scope) }
            #expect(error?.code == .notText)
        }
        #expect(errors("a ${{ [n] }}", ["n": .int]).map(\.message) == ["list cannot stand inside a text"])
    }

    @Test("entries and items that are optional.none() are left out")
    func leftOut() throws {
        let source: Value = [
            "a": "${{ optional.none() }}", "b": ["${{ {}.?x }}", "${{ n }}", 1], "c": ["d": "${{ optional.of(z) }}"],
        ]
        let template = try Template.parse(source, declarations: .unchecked)
        #expect(try template.value(in: scope) == ["b": [3, 1], "c": ["d": nil]])
        #expect(try value("${{ optional.none() }}") == Value?.none)
        #expect(try value("${{ {'a': optional.none(), 'b': [optional.none(), 1]} }}") == ["b": [1]])
    }

    @Test("a lone expression is converted where a text is wanted")
    func text() throws {
        #expect(try Template.parse("${{ n }}", declarations: .unchecked).text(in: scope) == "3")
        #expect(try Template.constant(true).text(in: scope) == "true")
        #expect(try Template.constant(1.0).text(in: scope) == "1.0")
        #expect(try Template.parse("${{ optional.none() }}", declarations: .unchecked).text(in: scope) == nil)
        #expect(throws: ExpressionError.self) { try Template.constant([1]).text(in: scope) }
    }

    @Test("mistakes are all reported, at their places in the file")
    func mistakes() {
        let found = errors("a ${{ m }} b ${{ n + }} c", ["n": .int])
        #expect(
            found.map(\.message) == [
                "in the expression: there is no 'm' here",
                "in the expression: expected a value, got the end of the expression",
            ])
        #expect(found.map(\.place?.column) == [16, 30])
        #expect(errors("\u{e9}\u{1F600} ${{ m }}").first?.place?.column == 17)
        #expect(errors("a ${{ n", ["n": .int]).map(\.message) == ["in the expression: this ${{ is not closed with }}"])
        #expect(errors("a ${{ n", ["n": .int]).first?.place?.column == 12)
        #expect(errors("${{ }}").count == 1)
    }

    @Test("places follow the lines of a block scalar, and errors at run time have them too")
    func blockScalars() throws {
        let text = "one\ntwo ${{ n.x }}\n"
        let places = PlaceMap(
            text: text,
            segments: [
                PlaceMap.Segment(offset: 0, place: SourcePlace(file: "w.yaml", line: 8, column: 5)),
                PlaceMap.Segment(offset: 4, place: SourcePlace(file: "w.yaml", line: 9, column: 5)),
            ])
        let template = try Template.parse(text, places: places, declarations: .unchecked)
        let error = #expect(throws: ExpressionError.self) { try template.value(in: scope) }
        #expect(error?.place == SourcePlace(file: "w.yaml", line: 9, column: 15))
        #expect(error?.message == "int has no members, so no 'x'")
    }

    @Test("constants are known as such")
    func constants() throws {
        #expect(
            try Template.parse(["a": "b", "c": ["$${{"]] as Value, declarations: .unchecked).constant == [
                "a": "b", "c": ["${{"],
            ])
        #expect(try Template.parse(["a": "${{ n }}"] as Value, declarations: .unchecked).constant == nil)
        #expect(Template.holdsExpression("a ${{ b }}"))
        #expect(!Template.holdsExpression("a $${{ b }}"))
        #expect(Template.holdsExpression("a ${{ b"))
    }

    @Test("a template knows its shape")
    func shapes() throws {
        let declarations = Declarations(["n": .int])
        #expect(try Template.parse("${{ n }}", declarations: declarations).shape == .int)
        #expect(try Template.parse("a${{ n }}", declarations: declarations).shape == .string)
        #expect(
            try Template.parse(["a": "${{ n }}", "b": [1]] as Value, declarations: declarations).shape
                == .object(["a": .int, "b": .list(.int)]))
    }
}
