import Testing
import WaybillCore
import WaybillExpressions

@Suite("Evaluation")
struct EvaluatorTests {
    @Test(
        "operators bind as the grammar says",
        arguments: [
            ("1 + 2 * 3", CELValue.int(7)), ("(1 + 2) * 3", .int(9)), ("7 - 2 - 1", .int(4)), ("-2 * -3", .int(6)),
            ("true || false && false", .bool(true)), ("1 < 2 == true", .bool(true)), ("!false && true", .bool(true)),
            ("false ? 1 : true ? 2 : 3", .int(2)), ("2 in [1, 2] && !(3 in [1, 2])", .bool(true)),
            ("-9223372036854775808", .int(.min)), ("--1", .int(1)), ("-1.5", .double(-1.5)), ("7 % -3", .int(1)),
            ("5u / 2u", .uint(2)), ("7 / -2", .int(-3)), ("0x1F - 0xa", .int(21)),
        ])
    func precedence(source: String, expected: CELValue) throws {
        #expect(try evaluate(source) == expected)
    }

    @Test("comments and every kind of blank stand between words")
    func blanks() throws {
        #expect(try evaluate("1 // one\n\t+\r\n\u{0C}2 // two") == .int(3))
        #expect(try evaluate("// nothing before\n3") == .int(3))
    }

    @Test(
        "whole numbers that do not fit are errors, never wrapped",
        arguments: [
            "9223372036854775807 + 1", "-9223372036854775808 - 1", "-(-9223372036854775808)", "5000000000 * 5000000000",
            "0u - 1u", "18446744073709551615u + 1u", "-9223372036854775808 / -1", "-9223372036854775808 % -1",
        ])
    func overflow(source: String) throws {
        #expect(try failure(of: source).code == .overflow)
    }

    @Test("division by zero is an error for whole numbers and infinity for doubles")
    func divisionByZero() throws {
        #expect(try failure(of: "1 / 0").code == .divideByZero)
        #expect(try failure(of: "1u % 0u").code == .divideByZero)
        #expect(try evaluate("1.0 / 0.0") == .double(.infinity))
        #expect(try failure(of: "1 / (2 - 2)").values == "1 / 0")
    }

    @Test(
        "values of different types are different, numbers are compared by what they stand for",
        arguments: [
            ("1 == 1.0", true), ("1u == 1", true), ("1 == 1.5", false), ("'1' == 1", false), ("null == false", false),
            ("[1, 2u] == [1.0, 2]", true), ("{1: 'a'} == {1u: 'a'}", true), ("0.0 == -0.0", true),
            ("0.0 / 0.0 == 0.0 / 0.0", false), ("'\u{e9}' == 'e\u{301}'", false), ("type(1) == int", true),
            ("b'a' == 'a'", false), ("{'a': 1} == {'a': 1, 'b': 2}", false), ("-1 < 1u", true),
            ("1 < 1.5 && 1.5 < 2u", true), ("'B' < 'a'", true), ("'\u{10000}' > '\u{FFFF}'", true),
            ("b'\\x01' < b'\\x02'", true), ("false < true", true), ("0.0 / 0.0 < 1.0", false),
        ])
    func comparison(source: String, expected: Bool) throws {
        #expect(try evaluate(source) == .bool(expected))
    }

    @Test("a deciding operand settles && and || whatever the others do")
    func shortCircuit() throws {
        #expect(try evaluate("false && 1 / 0 > 0") == .bool(false))
        #expect(try evaluate("1 / 0 > 0 && false") == .bool(false))
        #expect(try evaluate("1 / 0 > 0 || true") == .bool(true))
        #expect(try evaluate("'x' || true") == .bool(true))
        #expect(try failure(of: "1 / 0 > 0 || false").code == .divideByZero)
        #expect(try failure(of: "true && 'x'").code == .type)
    }

    @Test("members and elements that are missing are errors that name what is near")
    func missing() throws {
        let steps: [String: CELValue] = ["steps": CELValue(["build": ["coverage": 80]])]
        let error = try failure(of: "steps.build.coverge > 3", steps)
        #expect(error.code == .noSuchMember)
        #expect(error.message == "there is no member 'coverge'; did you mean 'coverage'?")
        #expect(error.offset == 12)
        #expect(error.values == "{\"coverage\": 80}")
        #expect(try failure(of: "[1, 2][2]").message == "index 2 is not in a list of 2")
        #expect(try failure(of: "{1: 2}[3]").message == "there is no key 3")
        #expect(try failure(of: "stps", steps).code == .unknownName)
        #expect(try failure(of: "1.foo").code == .type)
    }

    @Test("numbers of any type index lists and maps where they are whole")
    func indices() throws {
        #expect(try evaluate("[7, 8, 9][1u]") == .int(8))
        #expect(try evaluate("[7, 8, 9][2.0]") == .int(9))
        #expect(try failure(of: "[7, 8, 9][0.5]").code == .type)
        #expect(try evaluate("{1: 'a', 2u: 'b'}[2.0]") == .string("b"))
        #expect(try evaluate("{true: 1}[true]") == .int(1))
    }

    @Test("a key that occurs twice is refused, and so is one that cannot be a key")
    func mapKeys() throws {
        #expect(try failure(of: "{'a': 1, 'a': 2}").code == .duplicateKey)
        #expect(try failure(of: "{0: 1, 0u: 2}").code == .duplicateKey)
        #expect(try failure(of: "{1.5: 1}").code == .type)
        #expect(try failure(of: "{null: 1}").code == .type)
    }

    @Test("maps are walked by key, whatever order they were written in")
    func mapOrder() throws {
        #expect(
            try evaluate("{'b': 1, 'a': 2, 3: 0, true: 0, -1: 0}.map(k, k)")
                == (try evaluate("[true, -1, 3, 'a', 'b']")))
    }

    @Test(
        "macros walk over lists and maps with one variable or two",
        arguments: [
            ("[1, 2, 3].all(x, x > 0)", "true"), ("[1, 2].exists(x, 1 / (x - 1) > 0 || x == 2)", "true"),
            ("[1, 1, 2].exists_one(x, x == 2)", "true"), ("[1, 2].existsOne(i, x, i == x)", "false"),
            ("[1, 2, 3].filter(x, x != 2)", "[1, 3]"), ("[1, 2, 3].map(x, x > 1, x * x)", "[4, 9]"),
            ("{'a': 1}.map(k, k)", "['a']"), ("[5, 6].transformList(i, x, i * x)", "[0, 6]"),
            ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", "{'b': 20}"),
            ("[5, 6].transformMap(i, x, x)", "{0: 5, 1: 6}"),
            ("['x'].transformMapEntry(i, x, {x: i})", "{'x': 0}"),
            ("[{'n': 2}, {'n': 1}].sortBy(e, e.n)", "[{'n': 1}, {'n': 2}]"), ("[].all(x, x.y)", "true"),
            ("[1, 2].map(x, [x].map(y, y + x))", "[[2], [4]]"), ("cel.bind(x, 2, x * x) + 1", "5"),
            ("cel.bind(x, 1, cel.bind(y, x + 1, [x, y]))", "[1, 2]"), ("[1].map(x, cel.bind(y, x, y))", "[1]"),
        ])
    func macros(source: String, expected: String) throws {
        #expect(try evaluate(source) == (try evaluate(expected)))
    }

    @Test("an error inside a macro leaves the variables around it alone")
    func variablesAfterErrors() throws {
        #expect(try evaluate("[1].exists(x, [0].exists(y, 1 / y > 0) || x == 1)") == .bool(true))
    }

    @Test(
        "optionals are asked, chained and left out",
        arguments: [
            ("{'a': {'b': 1}}.?a.?b.orValue(0)", "1"), ("{'a': {}}.?a.b.orValue(7)", "7"),
            ("{}.?a.b.c.d.hasValue()", "false"), ("[1, 2][?5].orValue(9)", "9"), ("optional.of(1).value()", "1"),
            ("optional.none().or(optional.of(2)).value()", "2"), ("optional.of(1).orValue(1 / 0)", "1"),
            ("optional.ofNonZeroValue('').hasValue()", "false"), ("optional.of(2).optMap(x, x * 2).value()", "4"),
            ("{}.?a.optFlatMap(x, x.?b).hasValue()", "false"), ("[?optional.none(), ?optional.of(1), 2]", "[1, 2]"),
            ("{?'a': {}.?x, 'b': 1}", "{'b': 1}"), ("has({'a': {'b': 1}}.?a.b)", "true"),
            ("optional.unwrap([optional.of(1), optional.none()])", "[1]"), ("[1, 2].first().value()", "1"),
            ("[].last().hasValue()", "false"), ("optional.of(1) == optional.of(1.0)", "true"),
        ])
    func optionals(source: String, expected: String) throws {
        #expect(try evaluate(source) == (try evaluate(expected)))
    }

    @Test("a member that is asked for is not missed: has() looks at maps and optionals only")
    func has() throws {
        let variables: [String: CELValue] = ["a": CELValue(["b": nil])]
        #expect(try evaluate("has(a.b)", variables) == .bool(true))
        #expect(try evaluate("has(a.c)", variables) == .bool(false))
        #expect(try failure(of: "has(a.b.c)", variables).code == .type)
        #expect(try evaluate("has(a.`b`)", variables) == .bool(true))
    }

    @Test("lazy maps and lists are asked only for what is read")
    func lazyValues() throws {
        let steps = CountedSteps(count: 10_000)
        let variables: [String: CELValue] = ["steps": .lazyMap(steps)]
        #expect(
            try evaluate("steps.s42.output == 42 && size(steps) == 10000 && !has(steps.x)", variables) == .bool(true))
        #expect(steps.asked == ["s42", "x"])
        #expect(try evaluate("items[3] + size(items)", ["items": .lazyList(Squares())]) == .int(14))
    }
}
