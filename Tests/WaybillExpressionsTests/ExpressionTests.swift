import Testing
import WaybillCore
import WaybillExpressions

@Suite("Expressions")
struct ExpressionTests {
    private func compile(_ source: String) throws -> Expression {
        try Expression.compile(source, place: nil, declarations: .unchecked)
    }

    private func condition(_ text: String, _ shape: TypeShape = .dyn) -> Result<Expression, InvalidExpression> {
        Result { () throws(InvalidExpression) in
            try Expression.condition(
                text, place: SourcePlace(file: "w.yaml", line: 1, column: 7), declarations: Declarations(["x": shape]))
        }
    }

    @Test("a condition stands bare or between braces")
    func conditions() throws {
        let scope = Variables(["x": .int(3)])
        for text in ["x > 2", "${{ x > 2 }}", " ${{ x > 2 }}\n", "${{x > 2}}"] {
            #expect(try condition(text).get().condition(in: scope))
        }
        #expect(throws: InvalidExpression.self) { try condition("${{ x > 2 }} && ${{ x < 2 }}").get() }
        #expect(throws: InvalidExpression.self) { try condition("${{ x > 2").get() }
    }

    @Test("a condition that is no bool is an error, before or while it is evaluated")
    func notBool() throws {
        guard case .failure(let invalid) = condition("x + 1", .int) else {
            Issue.record("accepted")
            return
        }
        #expect(invalid.diagnostics.map(\.message) == ["a condition must be true or false, this is int"])
        let error = #expect(throws: ExpressionError.self) {
            try condition("x").get().condition(in: Variables(["x": .string("yes")]))
        }
        #expect(error?.code == .notCondition)
        #expect(error?.values == "\"yes\"")
        #expect(error?.place == SourcePlace(file: "w.yaml", line: 1, column: 7))
    }

    @Test(
        "results become JSON",
        arguments: [
            ("1u", 1), ("18446744073709551615u", 18446744073709551615.0), ("b'hi'", "aGk="),
            ("timestamp(0)", "1970-01-01T00:00:00Z"), ("duration('1m')", "60s"),
            ("{1: 'a', true: 'b', 'c': 2.0}", ["1": "a", "true": "b", "c": 2.0]), ("optional.of(1)", 1),
            ("[null]", [nil]),
        ] as [(String, Value)])
    func json(source: String, expected: Value) throws {
        #expect(try compile(source).value(in: Variables()) == expected)
    }

    @Test("what JSON cannot hold is an error", arguments: ["0.0 / 0.0", "[1.0 / 0.0]", "int", "{'a': type(1)}"])
    func noJSON(source: String) throws {
        let error = #expect(throws: ExpressionError.self) { try compile(source).value(in: Variables()) }
        #expect(error?.code == .notJSON)
    }

    @Test(
        "what an expression reads is known",
        arguments: [
            (
                "steps.build.output.coverage >= context.minCoverage",
                ["steps.build.output.coverage 4", "context.minCoverage 2"]
            ),
            ("steps['a-b'].output", ["steps.a-b.output 3"]),
            ("steps.a.?output.x", ["steps.a.output.x 2"]),
            ("has(steps.a.output.x)", ["steps.a.output.x 3"]),
            ("has(steps.a.output) && steps.a.output.x > 1", ["steps.a.output 2", "steps.a.output.x 2"]),
            ("!has(steps.a.output) || steps.a.output.x > 1", ["steps.a.output 2", "steps.a.output.x 2"]),
            (
                "has(steps.a.output) ? steps.a.output : steps.b.output",
                ["steps.a.output 2", "steps.a.output 2", "steps.b.output 3"]
            ),
            ("steps.a.status == 'completed' && steps.a.output.x", ["steps.a.status 3", "steps.a.output.x 2"]),
            ("steps.a.output.x > 1 && has(steps.a.output)", ["steps.a.output.x 4", "steps.a.output 2"]),
            ("items.map(x, x.y + inputs.z)", ["items 1", "inputs.z 2"]),
            ("steps[inputs.name].output", ["steps 1", "inputs.name 2"]),
            ("steps.a.output[0].x", ["steps.a.output 3"]),
            ("math.abs(inputs.n) + size(type(int) == int ? [] : x)", ["inputs.n 2", "x 1"]),
            ("cel.bind(v, inputs.a, v.b)", ["inputs.a 2"]),
            ("inputs.a.startsWith(inputs.b)", ["inputs.a 2", "inputs.b 2"]),
        ])
    func references(source: String, expected: [String]) throws {
        var found: [String] = []
        for reference in try compile(source).references { found.append("\(reference.text) \(reference.strictCount)") }
        var unique: [String] = []
        for text in expected where !unique.contains(text) { unique.append(text) }
        #expect(found == unique)
    }

    @Test("what a true condition implies is known")
    func implied() throws {
        #expect(
            try compile("has(steps.a.output) && steps.b.status == 'completed'").impliedMembers == [
                ["steps", "a", "output"], ["steps", "b", "output"],
            ])
        #expect(try compile("has(steps.a.output) || true").impliedMembers == [])
        #expect(try compile("!(!has(a.b) || a.c != 'x')").impliedMembers == [["a", "b"]])
        #expect(try compile("a.?b.hasValue()").impliedMembers == [["a", "b"]])
        #expect(try compile("a.?b.c.orValue(false)").impliedMembers == [["a", "b"], ["a", "b", "c"]])
        #expect(try compile("a.?b.orValue('x') == 'y'").impliedMembers == [["a", "b"]])
        #expect(try compile("a.?b.orValue('x') == 'x'").impliedMembers == [])
    }

    @Test("what an expression saw can be written down")
    func observed() throws {
        let scope = Variables([
            "steps": CELValue(["a": ["output": ["x": 3]]]), "big": CELValue(.list((0..<1_000).map { .int($0) })),
        ])
        let expression = try compile("steps.a.output.x > 2 || steps.b.output == 1 || big.size() > 1 || has(none.x)")
        #expect(expression.observed(in: scope) == ["steps.a.output.x": 3, "big": "[0, 1, 2, 3, ...]"])
    }
}
